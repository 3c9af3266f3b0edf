import { stripVTControlCharacters } from 'node:util';
import type { Screen } from '../core/os.js';
import { textWidth } from './width.js';

/** How wide lines may be on a screen: unlimited where it is not a terminal. */
export function screenWidth({ isTerminal, width }: Pick<Screen, 'isTerminal' | 'width'>): number | undefined {
  return isTerminal ? width : undefined;
}

/** Lines broken between words where they are wider than a screen; as they are where there is none (`width` is missing). */
export function wrapLines(lines: readonly string[], width = Number.POSITIVE_INFINITY): string[] {
  return lines.flatMap((line) => wrapLine(line, width));
}

/** What follows stands below the line's own words, behind its mark: a bullet, `hint:`. */
const mark = /^\s*(?:(?:[→!✖✔○?•]|hint:|error:|warning:)\s+)?/;
/** A line of a file that is quoted, and the squiggle under it. */
const quoted = /^\s*\d*\s+\|/;

function wrapLine(line: string, width: number): string[] {
  const plain = stripVTControlCharacters(line);
  if (textWidth(line) <= width || quoted.test(plain)) return [line];
  const [before = ''] = mark.exec(plain) ?? [];
  const indent = ' '.repeat(Math.min([...before].length, Math.floor(width / 2)));
  const lines: string[] = [];
  let current = '';
  for (const piece of piecesOf(line)) {
    const fits = textWidth((current + piece).trimEnd()) <= width;
    if (fits || stripVTControlCharacters(current).trim() === '') current += piece;
    else {
      lines.push(current.trimEnd());
      current = indent + piece;
    }
  }
  return [...lines, current.trimEnd()];
}

/** Words with the blank behind them; a command at the end is for pasting, and whole. */
function piecesOf(line: string): string[] {
  const [whole = ''] = /(?<=: )(?:[A-Z_]+=\S+ )*loadctl .*$/.exec(line) ?? [];
  const words = line.slice(0, line.length - whole.length).split(/(?<= )(?=[^ ])/);
  return whole === '' ? words : [...words, whole];
}
