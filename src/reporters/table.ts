import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './paint.js';
import { shorten, textWidth } from './width.js';
import { wrapLines } from './wrap.js';

/** A column: its title, and on which side its cells are flush. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Whether its cells go over several lines where the table is wider than the screen. */
  readonly wraps?: boolean;
}

/** How a table is drawn. */
export interface TableStyle {
  readonly paint: Paint;
  /** Columns of the screen; where a table is wider, columns that wrap give way, then the widest of them or the first one is cut. */
  readonly width?: number;
}

const gap = '  ';
const narrowest = 12;
/** So many characters of a cell are shown: a script may name an endpoint by a whole page, and all cells of its column would be as wide. */
export const longestCell = 400;

/** Rows under titles, in aligned columns, indented by one gap; columns that are empty in every row are left out. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], { paint, width }: TableStyle): string[] {
  const used = columns.flatMap((column, index) => (rows.some((row) => (row[index] ?? '') !== '') ? [{ column, index }] : []));
  const cellsOf = (row: readonly string[]) => used.map(({ index }) => shorten(row[index] ?? '', longestCell));
  const wrapping = used.flatMap(({ column }, at) => (column.wraps ? [at] : []));
  const wrapped = wrapRows([used.map(({ column }) => column.title), ...rows.map(cellsOf)], wrapping, width);
  const fitted = narrowed(wrapped.flat(), [0, ...wrapping], width);
  const widths = used.map((_, at) => widestCell(fitted, at));
  const line = (row: readonly string[]) =>
    (gap + row.map((cell, at) => pad(cell, widths[at] ?? 0, used[at]?.column.align ?? 'left')).join(gap)).trimEnd();
  const titleLines = wrapped[0]?.length ?? 0;
  return fitted.map((row, index) => (index < titleLines ? paint.faint(line(row)) : line(row)));
}

/** How many columns the widest line takes. */
export function linesWidth(lines: readonly string[]): number {
  return Math.max(0, ...lines.map(textWidth));
}

/** Names and what they are; further lines of a value stand below its first, as do those that the screen is too narrow for. Entries without lines are left out. */
export function renderPairs(pairs: readonly (readonly [name: string, lines: readonly string[]])[], { paint, width }: TableStyle): string[] {
  const told = pairs.filter(([, lines]) => lines.length > 0);
  const nameWidth = Math.max(0, ...told.map(([name]) => textWidth(name)));
  const room = width === undefined ? undefined : Math.max(narrowest, width - nameWidth - 2 * gap.length);
  return told.flatMap(([name, lines]) =>
    wrapLines(lines, room).map((line, index) =>
      `${gap}${paint.faint(pad(index === 0 ? name : '', nameWidth, 'left'))}${gap}${line}`.trimEnd(),
    ),
  );
}

/** A text with blanks up to so many columns. */
export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** The widest of some columns cut where the table is wider than the screen. */
function narrowed(rows: readonly (readonly string[])[], columns: readonly number[], width = Number.POSITIVE_INFINITY): string[][] {
  const excess = tableWidth(rows) - width;
  const widest = columns.reduce((most, at) => (widestCell(rows, at) > widestCell(rows, most) ? at : most), 0);
  const room = excess > 0 ? Math.max(narrowest, widestCell(rows, widest) - excess) : Number.POSITIVE_INFINITY;
  return rows.map((row) => row.map((cell, at) => (at === widest ? shorten(cell, room) : cell)));
}

/** Every row as one line or more, the cells of its wrapping columns broken between words where the screen is too narrow. */
function wrapRows(rows: readonly string[][], wrapping: readonly number[], width = Number.POSITIVE_INFINITY): string[][][] {
  const room = new Map(wrapping.map((at) => [at, widestCell(rows, at)]));
  let excess = tableWidth(rows) - width;
  // First between words, then in what is left of them.
  for (const pieces of [wordsIn, partsIn]) {
    const least = new Map(wrapping.map((at) => [at, widest(rows.flatMap((row) => pieces(row[at] ?? '')))]));
    for (; excess > 0; excess -= 1) {
      const yielding = [...room].filter(([at, columns]) => columns > (least.get(at) ?? 0));
      const [most, columns] = yielding.reduce((best, one) => (one[1] > best[1] ? one : best), [-1, 0]);
      if (most < 0) break;
      room.set(most, columns - 1);
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, at) => wrapText(cell, room.get(at) ?? Number.POSITIVE_INFINITY));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? ''));
  });
}

/** A text as lines; one that is painted as a whole is so on each of them. */
function wrapText(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const plain = stripVTControlCharacters(text);
  const [before = '', after = ''] = text.includes(plain) ? text.split(plain) : [];
  const lines: string[] = [];
  const pieces = wordsIn(plain).flatMap((word) => (textWidth(word.trimEnd()) > width ? partsIn(word) : [word]));
  for (const piece of pieces) {
    const longer = `${lines.at(-1) ?? ''}${piece}`;
    if (lines.length > 0 && textWidth(longer.trimEnd()) <= width) lines.splice(-1, 1, longer);
    else lines.push(piece);
  }
  return lines.map((line) => `${before}${line.trimEnd()}${after}`);
}

/** Between words a line may end, and before the tags of a metric. */
function wordsIn(text: string): string[] {
  return text.split(/(?<= )|(?<=\{)(?=\w+:)/);
}

/** So may a path, behind its slashes, and a list behind its commas. */
function partsIn(text: string): string[] {
  return wordsIn(text).flatMap((word) => word.split(/(?<=[\w}*:]\/)(?=.)|(?<=[?&,])(?=\w)/));
}

function widest(pieces: readonly string[]): number {
  return Math.max(0, ...pieces.map((piece) => textWidth(piece.trimEnd())));
}

function tableWidth(rows: readonly (readonly string[])[]): number {
  return (rows[0] ?? []).reduce((sum, _, at) => sum + widestCell(rows, at) + gap.length, 0);
}

function widestCell(rows: readonly (readonly string[])[], at: number): number {
  return Math.max(0, ...rows.map((row) => textWidth(row[at] ?? '')));
}
