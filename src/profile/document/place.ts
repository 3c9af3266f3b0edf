/** A text that values come from: a file, or an argument of the command line. */
export interface Source {
  /** As shown in messages: a path relative to the working directory, or the argument's name. */
  readonly name: string;
  readonly text: string;
  /** Its absolute path; missing for an argument. */
  readonly path?: string;
  /** Whether nothing of its text may be shown. */
  readonly private?: boolean;
}

/** Where a token is: offsets into its source's text. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Line and column of a place, both from 1, with the text of that line. */
export function locate(place: Place): { line: number; column: number; text: string; length: number } {
  const { text } = place.source;
  const start = Math.min(place.start, text.length);
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', start);
  const to = newline < 0 ? text.length : newline;
  return {
    line: text.slice(0, from).split('\n').length,
    column: start - from + 1,
    text: text.slice(from, to).replace(/\r$/, ''),
    length: Math.max(1, Math.min(place.end, to) - start),
  };
}
