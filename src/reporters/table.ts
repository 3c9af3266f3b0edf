import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './paint.js';

/** A column: its title, and on which side its cells are flush. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** How a table is drawn. */
export interface TableStyle {
  readonly paint: Paint;
  /** Columns of the screen; the first column gives way where the table is wider. */
  readonly width?: number;
}

const gap = '  ';
const narrowest = 16;

/** Rows under titles, in aligned columns, indented by one gap; columns that are empty in every row are left out. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], { paint, width }: TableStyle): string[] {
  const used = columns.flatMap((column, index) => (rows.some((row) => (row[index] ?? '') !== '') ? [{ column, index }] : []));
  const cellsOf = (row: readonly string[]) => used.map(({ index }) => row[index] ?? '');
  const fitted = narrowed([used.map(({ column }) => column.title), ...rows.map(cellsOf)], width);
  const widths = used.map((_, at) => Math.max(...fitted.map((row) => textWidth(row[at] ?? ''))));
  const line = (row: readonly string[]) =>
    (gap + row.map((cell, at) => pad(cell, widths[at] ?? 0, used[at]?.column.align ?? 'left')).join(gap)).trimEnd();
  const [titles = [], ...body] = fitted;
  return [paint.faint(line(titles)), ...body.map(line)];
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
  const columns = rows[0]?.length ?? 0;
  const widest = (at: number) => Math.max(0, ...rows.map((row) => textWidth(row[at] ?? '')));
  const total = Array.from({ length: columns }, (_, at) => widest(at) + gap.length).reduce((sum, one) => sum + one, 0);
  const first = width === undefined || total <= width ? Number.POSITIVE_INFINITY : Math.max(narrowest, widest(0) - (total - width));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? shorten(cell, first) : cell)));
}
