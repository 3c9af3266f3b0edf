/** A process to start, as data: made by pure functions, run by the world, shown by a dry run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the process: nothing is inherited besides it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** The working directory; the caller's own where it is missing. */
  readonly cwd?: string;
}

const plainWord = /^[\w@%+=:,./-]+$/;

/** Quotes one word for a POSIX shell. The only place in loadctl that does. */
export function shellQuote(word: string): string {
  return plainWord.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command as one line that a POSIX shell reads back as the same words; without its environment and stdin. */
export function displayCommand({ file, args }: Pick<Command, 'file' | 'args'>): string {
  return [file, ...args].map(shellQuote).join(' ');
}
