import { readFileSync } from 'node:fs';
import { completions } from './commands/completion/completions.js';

/** What this reads and writes of its process. */
interface Shell {
  readonly argv: readonly string[];
  readonly stdout: { write(text: string): unknown };
  cwd(): string;
}

/**
 * Answers the script of `loadctl completion`, which waits for it at each Tab, as `loadctl complete -- WORDS`: from the words
 * that the build wrote down. A process of its own that loads nothing else of loadctl.
 */
export async function main(shell: Shell): Promise<void> {
  const commands = JSON.parse(readFileSync(new URL('completion.json', import.meta.url), 'utf8'));
  shell.stdout.write(await completions(shell.argv.slice(4), { commands, cwd: shell.cwd() }));
}
