import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './paint.js';

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
  /** Columns of the screen; where a table is wider, columns that wrap give way, then the first one. */
  readonly width?: number;
}

const gap = '  ';
const narrowest = 16;

/** Rows under titles, in aligned columns, indented by one gap; columns that are empty in every row are left out. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], { paint, width }: TableStyle): string[] {
  const used = columns.flatMap((column, index) => (rows.some((row) => (row[index] ?? '') !== '') ? [{ column, index }] : []));
  const cellsOf = (row: readonly string[]) => used.map(({ index }) => row[index] ?? '');
  const wrapped = wrapRows([used.map(({ column }) => column.title), ...rows.map(cellsOf)], used, width);
  const fitted = narrowed(wrapped.flat(), width);
  const widths = used.map((_, at) => widestCell(fitted, at));
  const line = (row: readonly string[]) =>
    (gap + row.map((cell, at) => pad(cell, widths[at] ?? 0, used[at]?.column.align ?? 'left')).join(gap)).trimEnd();
  const [titles = [], ...body] = fitted;
  return [paint.faint(line(titles)), ...body.map(line)];
}

/** How many columns the widest line takes. */
export function linesWidth(lines: readonly string[]): number {
  return Math.max(0, ...lines.map(textWidth));
}

/** Names and what they are, one a line; further lines of a value stand below its first. Entries without lines are left out. */
export function renderPairs(pairs: readonly (readonly [name: string, lines: readonly string[]])[], paint: Paint): string[] {
  const told = pairs.filter(([, lines]) => lines.length > 0);
  const width = Math.max(0, ...told.map(([name]) => textWidth(name)));
  return told.flatMap(([name, lines]) =>
    lines.map((line, index) => `${gap}${paint.faint(pad(index === 0 ? name : '', width, 'left'))}${gap}${line}`.trimEnd()),
  );
}

/** How many columns a text takes, colours aside. */
export function textWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Shortens a text in its middle: its ends tell most. */
export function shorten(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width || width < 2) return text;
  const head = Math.ceil((width - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (width - 1 - head)).join('')}`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + space : space + text;
}

function narrowed(rows: readonly (readonly string[])[], width: number | undefined): string[][] {
  const total = tableWidth(rows);
  const first =
    width === undefined || total <= width ? Number.POSITIVE_INFINITY : Math.max(narrowest, widestCell(rows, 0) - (total - width));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? shorten(cell, first) : cell)));
}

/** Every row as one line or more, the cells of its wrapping columns broken between words where the screen is too narrow. */
function wrapRows(rows: readonly string[][], used: readonly { column: Column }[], width: number | undefined): string[][][] {
  const wrapping = used.flatMap(({ column }, at) => (column.wraps ? [at] : []));
  const room = new Map(wrapping.map((at) => [at, widestCell(rows, at)]));
  for (let excess = tableWidth(rows) - (width ?? Number.POSITIVE_INFINITY); excess > 0; excess -= 1) {
    const [widest, columns] = [...room].reduce((most, one) => (one[1] > most[1] ? one : most), [-1, narrowest]);
    if (widest < 0) break;
    room.set(widest, columns - 1);
  }
  return rows.map((row) => {
    const cells = row.map((cell, at) => wrapText(cell, room.get(at) ?? Number.POSITIVE_INFINITY));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? ''));
  });
}

function wrapText(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const [first = '', ...words] = text.split(' ');
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    const fits = textWidth(`${line} ${word}`) <= width;
    if (!fits) lines.push(line);
    line = fits ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

function tableWidth(rows: readonly (readonly string[])[]): number {
  return (rows[0] ?? []).reduce((sum, _, at) => sum + widestCell(rows, at) + gap.length, 0);
}

function widestCell(rows: readonly (readonly string[])[], at: number): number {
  return Math.max(0, ...rows.map((row) => textWidth(row[at] ?? '')));
}
