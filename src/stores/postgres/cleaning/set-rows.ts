import type { QueryResultRow } from 'pg';
import type { Column } from '../catalog/columns.js';
import { holdsNoSuchValue } from '../connection/errors.js';
import { inRanges, inTime, type Looking } from '../pages/look.js';
import { type Located, located, type Piece, placesOf } from '../pages/piece.js';
import { exactKey, type SeededRows, sameExactKey, sameRow, seededQuery } from '../rows/seeded-rows.js';
import { countNumbers, partOf } from '../rows/shards.js';

/** The server makes so many rows of a set at once, and finds each by its key. */
const partRows = 5000;

/** A set's rows, some at a time, the last ones first: a row may refer to those before it. */
export function partsOf(rows: SeededRows): SeededRows[] {
  const parts: SeededRows[] = [];
  for (let from = 0; from < countNumbers(rows.numbers); from += partRows)
    parts.unshift({ ...rows, numbers: partOf(rows.numbers, from, partRows) });
  return parts;
}

/** Whether the row with this alias is of the set and holds what was seeded. */
export function isUnchanged(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${sameExactKey(rows, alias, 's')} AND ${holdsSame(rows, alias)})`;
}

/** Whether it is of the set and holds something else. */
export function isChanged(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${sameExactKey(rows, alias, 's')} AND NOT (${holdsSame(rows, alias)}))`;
}

/** Whether a row holds what was seeded, beside the one that the server made (alias s). */
export function holdsSame(rows: SeededRows, alias = 't'): string {
  return sameRow(rows.compared, alias, 's');
}

/** A set's rows (alias s) with those of the table that have their keys (alias t), after FROM. */
export function pairs(rows: SeededRows, columns: readonly Column[] = rows.columns): string {
  return `${seededQuery(rows, columns)} AS s JOIN ${rows.table.quoted} AS t ON ${sameExactKey(rows, 't', 's')}`;
}

/** How many of the set's rows are there, whatever they hold; of a type that cannot hold them there are none. */
export function countThere(looking: Looking, rows: SeededRows, condition = 'true'): Promise<number> {
  return countPairs(looking, rows, condition, exactKey(rows)).catch((error: unknown) => {
    if (holdsNoSuchValue(error)) return 0;
    throw error;
  });
}

/** How many pairs meet a condition on aliases t and s. */
export async function countPairs(looking: Looking, rows: SeededRows, condition: string, columns?: readonly Column[]): Promise<number> {
  let sum = 0;
  await overNumbers<{ count: string }>(looking, rows, {
    sqlOf: (part) => `SELECT count(*) FROM ${pairs(part, columns)} WHERE ${condition}`,
    take: ({ count }) => {
      sum += Number(count);
    },
  });
  return sum;
}

/** Where the rows of a part are whose pairs meet a condition. */
export async function locatePairs(looking: Looking, rows: SeededRows, condition: string): Promise<Piece[]> {
  const places: Located[] = [];
  const sqlOf = (part: SeededRows) => `SELECT ${located} FROM ${pairs(part)} WHERE ${condition}`;
  await overNumbers<Located>(looking, rows, { sqlOf, take: (place) => places.push(place) });
  return places.length === 0 ? [] : [placesOf({ from: rows.table.quoted, pages: 0 }, places)];
}

/** The numbers of the first rows that hold something else than what was seeded. */
export async function firstChanged(looking: Looking, rows: SeededRows, most: number): Promise<number[]> {
  const found: number[] = [];
  const sqlOf = (part: SeededRows) =>
    `SELECT s.${rows.ordinal} AS n FROM ${pairs(part)} WHERE NOT (${holdsSame(rows)}) ORDER BY 1 LIMIT ${most}`;
  await overNumbers<{ n: string }>(looking, rows, { sqlOf, take: ({ n }) => found.push(Number(n)) }, () => found.length >= most);
  return found.slice(0, most);
}

/** Asks the same of a set's rows, so many numbers at a time, in their order, until it is enough. */
async function overNumbers<Row extends QueryResultRow>(
  looking: Looking,
  rows: SeededRows,
  { sqlOf, take }: { readonly sqlOf: (part: SeededRows) => string; readonly take: (row: Row) => void },
  isEnough: () => boolean = () => false,
): Promise<void> {
  await inRanges(looking.clock, countNumbers(rows.numbers), partRows, async (from, many, statementMs) => {
    if (isEnough()) return true;
    const found = await inTime<Row>(looking, sqlOf({ ...rows, numbers: partOf(rows.numbers, from, many) }), statementMs);
    for (const row of found ?? []) take(row);
    return found !== undefined;
  });
}
