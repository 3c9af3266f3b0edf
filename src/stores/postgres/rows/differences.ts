import { quoteName } from '../catalog/quote.js';
import type { Session } from '../connection/session.js';
import { describeRow, type SeededRows, sameExactKey, sameRow, seededQuery } from './seeded-rows.js';

/** The columns in which a row that is there differs from the seeded one. */
export interface Difference {
  readonly n: number;
  readonly columns: readonly string[];
  /** `row 3 (id "user-3"): name is "Bob", not "Test User 3"` */
  readonly text: string;
}

interface Found {
  readonly n: string;
  readonly same: boolean[];
  readonly there: (string | null)[];
  readonly wanted: (string | null)[];
}

/** Holds rows (alias s) against those that are there (t) with the same key: each that differs, with what is there and what should be. */
export async function differencesOf(
  session: Session,
  rows: SeededRows,
  numbers: readonly number[],
  match: string = sameExactKey(rows, 't', 's'),
): Promise<Difference[]> {
  const each = (side: string) => rows.columns.map(({ name }) => `${side}.${quoteName(name)}::text`).join(', ');
  const compared = new Set(rows.compared);
  const same = rows.columns.map((column) => (compared.has(column) ? `(${sameRow([column], 't', 's')})` : 'true')).join(', ');
  const made = seededQuery({ ...rows, numbers: { kind: 'list', list: numbers } });
  const found = await session.query<Found>(
    `SELECT s.${rows.ordinal} AS n, ARRAY[${same}] AS same, ARRAY[${each('t')}] AS there, ARRAY[${each('s')}] AS wanted
       FROM ${made} AS s JOIN ${rows.from} AS t ON ${match} ORDER BY 1`,
  );
  return found.rows.map((row) => differenceOf(rows, row)).filter(({ columns }) => columns.length > 0);
}

function differenceOf(rows: SeededRows, { n, same, there, wanted }: Found): Difference {
  const differing = rows.columns.map(({ name }, index) => ({ name, index })).filter(({ index }) => !same[index]);
  const list = differing.map(({ name, index }) => `${name} is ${shorten(there[index] ?? null)}, not ${shorten(wanted[index] ?? null)}`);
  return { n: Number(n), columns: differing.map(({ name }) => name), text: `${describeRow(rows, Number(n))}: ${list.join('; ')}` };
}

function shorten(text: string | null): string {
  if (text === null) return 'NULL';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
