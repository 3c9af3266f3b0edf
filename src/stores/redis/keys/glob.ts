import { literal } from './literal.js';

/**
 * Whether a text fits a pattern as Redis' MATCH means it: byte by byte; `*`, `?`, `[a-z]`, `[^a]`, `\` before a
 * character. A bracket that is never closed ends with the pattern.
 */
export function globMatcher(glob: string): (text: Buffer) => boolean {
  // latin1 makes a character of every byte, and no byte is more than one.
  const source = Buffer.from(glob).toString('latin1').replace(part, translatePart);
  const pattern = new RegExp(`^${source}$`, 's');
  return (text) => pattern.test(text.toString('latin1'));
}

/** What a pattern begins with before its first wildcard; all of it where it has none. */
export function plainStart(glob: string): string {
  return glob.split(/[*?[\\]/)[0] ?? '';
}

/** Whether a pattern is one name only. */
export function isPlain(glob: string): boolean {
  return plainStart(glob) === glob;
}

const part = /\\(.)|\[(\^?)((?:\\.|[^\]\\]|\\(?=$))*)(?:\]|$)|\*+|./gs;

function translatePart(written: string, escaped: string | undefined, not: string | undefined, set: string | undefined): string {
  if (escaped !== undefined) return literal(escaped);
  if (set !== undefined) return oneOf(not === '^', set);
  if (written.startsWith('*')) return '.*';
  return written === '?' ? '.' : literal(written);
}

/** A set as Redis reads it: `\` before a character, a range where one stands between two, either way round; else itself. */
function oneOf(not: boolean, set: string): string {
  const characters = [...set.matchAll(/\\(.)|(.)-(.)|(.)/gs)].map(([, escaped, from, to, plain]) => {
    if (from === undefined || to === undefined) return literal(escaped ?? plain ?? '');
    return from <= to ? `${literal(from)}-${literal(to)}` : `${literal(to)}-${literal(from)}`;
  });
  if (characters.length === 0) return not ? '.' : '(?!)';
  return `[${not ? '^' : ''}${characters.join('')}]`;
}
