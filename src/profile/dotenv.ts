import type { Place, Source } from './document/place.js';
import type { Problem } from './document/problem.js';

/** A line of a `.env` file, or several where its value spans them. */
export interface Assignment {
  /** As it stands there, without quotes and comments. */
  readonly text: string;
  /** What means something behind a backslash; undefined in single quotes, where nothing is filled in either. */
  readonly escapes: string | undefined;
  readonly place: Place;
  /** Why it cannot be read, where it cannot. */
  readonly problem: string | undefined;
}

/** A `.env` file, read. */
export interface Dotenv {
  /** By name; a later line wins. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  readonly problems: readonly Problem[];
}

const nothing = /[^\S\n]*(?:export[^\S\n]+[\w.-]+[^\S\n]*)?(?:#[^\n]*)?(?:\n|$)/y;
const name = /[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=[^\S\n]*/y;
const quoted = /(?:'((?:\\'|[^'])*)'|"((?:\\[\s\S]|[^"\\])*)"|`((?:\\`|[^`])*)`)[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const line = /([^\n]*)(?:\n|$)/y;

/**
 * Reads a `.env` file as compose and dotenv do: `NAME=value` lines, `export`, values in quotes that may span lines, comments
 * at the beginning of a line and behind a blank. What is none of them is a problem at its line.
 */
export function parseDotenv(source: Source): Dotenv {
  const { text } = source;
  const assignments = new Map<string, Assignment>();
  const problems: Problem[] = [];
  for (let at = 0; at < text.length; ) {
    const blank = matchAt(nothing, text, at);
    const begun = blank === undefined ? matchAt(name, text, at) : undefined;
    const from = at + (begun?.[0].length ?? text.slice(at).search(/\S|$/));
    const value = begun === undefined ? undefined : readValue(text, from);
    const place = { source, start: from, end: from + 1 };
    const problem = blank !== undefined || value !== undefined ? undefined : begun === undefined ? noAssignment : openQuote;
    if (problem !== undefined) problems.push({ place, message: problem });
    if (begun !== undefined) assignments.set(begun[1] ?? '', { text: '', escapes: undefined, ...value, place, problem });
    at = blank?.end ?? value?.end ?? at + (matchAt(line, text, at)?.[0].length ?? 1);
  }
  return { assignments, problems };
}

const noAssignment = 'expected `NAME=value`';
const openQuote = 'expected a closing quote, and behind it nothing but a comment';

function readValue(text: string, at: number): (Pick<Assignment, 'text' | 'escapes'> & { readonly end: number }) | undefined {
  const inQuotes = matchAt(quoted, text, at);
  if (inQuotes !== undefined) {
    const [, single, double, tick = ''] = inQuotes;
    return double === undefined
      ? { text: single ?? tick, escapes: undefined, end: inQuotes.end }
      : { text: double, escapes: 'nrt"\\$', end: inQuotes.end };
  }
  const bare = matchAt(line, text, at);
  if (bare === undefined || /^["'`]/.test(bare[0])) return undefined;
  return { text: (bare[1] ?? '').replace(/(^|\s)#.*$/, '').trim(), escapes: '$', end: bare.end };
}

/** What a sticky pattern finds at an offset, with where it ends. */
function matchAt(pattern: RegExp, text: string, at: number): (RegExpExecArray & { readonly end: number }) | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? undefined : Object.assign(found, { end: at + found[0].length });
}
