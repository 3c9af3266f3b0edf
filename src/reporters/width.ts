import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** Latin letters, and the signs that loadctl draws with: a column each. */
const narrow = /^[\x20-\x7e\xa1-\xac\xae-\xff\u2010-\u2027\u2190-\u2199\u2500-\u259f✔✖○]*$/;
const graphemes = new Intl.Segmenter();
/** No letter that people write takes more code units; what does is cut. */
const longestLetter = 32;

/** How many columns of a terminal a text takes, colours aside: two for a wide letter, none for what only adds to another. */
export function textWidth(text: string): number {
  if (narrow.test(text)) return text.length;
  const plain = stripVTControlCharacters(text);
  return narrow.test(plain) ? plain.length : stringWidth(plain);
}

/** Shortens a text to so many columns, in its middle: its ends tell most. Nothing in it is painted. */
export function shorten(text: string, width: number): string {
  if (text.length * 2 <= width || width < 2) return text;
  const room = width - 1;
  const head = Math.ceil(room / 2);
  if (narrow.test(text)) return text.length <= width ? text : `${text.slice(0, head)}…${text.slice(text.length - (room - head))}`;
  if (text.length <= width * longestLetter && stringWidth(text) <= width) return text;
  return `${first(text, head)}…${last(text, room - head)}`;
}

/** A line of parts with ` · ` between them, broken there where it is too long: half a number would be another one. */
export function inParts(line: string, room: number): string[] {
  if (textWidth(line) <= room) return [line];
  const lines: string[] = [];
  for (const part of line.split(' · ')) {
    const before = lines.at(-1);
    const joined = before === undefined ? part : `${before} · ${part}`;
    if (before !== undefined && textWidth(joined) <= room) lines[lines.length - 1] = joined;
    else lines.push(textWidth(part) > room ? shorten(part, room) : part);
  }
  return lines;
}

/** The beginning of a text, of so many columns at most. */
export function first(text: string, width: number): string {
  return fitting(letters(text.slice(0, width * longestLetter)), width).join('');
}

function last(text: string, width: number): string {
  return fitting(letters(width === 0 ? '' : text.slice(-width * longestLetter)).reverse(), width)
    .reverse()
    .join('');
}

function letters(text: string): string[] {
  return [...graphemes.segment(text)].map(({ segment }) => segment);
}

function fitting(all: readonly string[], width: number): string[] {
  let used = 0;
  const end = all.findIndex((letter) => {
    used += textWidth(letter);
    return used > width;
  });
  return all.slice(0, end === -1 ? all.length : end);
}

/** How many rows a line takes on a screen that breaks it: a wide letter that has no room at the end of one goes to the next. */
export function rowsOf(line: string, width: number): number {
  const plain = stripVTControlCharacters(line);
  if (narrow.test(plain)) return Math.max(1, Math.ceil(plain.length / width));
  let [rows, used] = [1, 0];
  for (const letter of letters(plain)) {
    const columns = textWidth(letter);
    if (used + columns > width) [rows, used] = [rows + 1, 0];
    used += columns;
  }
  return rows;
}
