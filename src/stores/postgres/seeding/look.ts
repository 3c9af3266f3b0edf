import type { Column } from '../catalog/columns.js';
import { quoteText } from '../catalog/quote.js';
import { holdsNoSuchValue, sqlState, tookTooLong } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { runAlone } from '../pages/transaction.js';
import { type SeededRows, sameKey, sameRow, seededQuery } from '../rows/seeded-rows.js';
import { countNumbers, type RowNumbers } from '../rows/shards.js';

/** How rows that are to be seeded stand against what is there. */
export interface Look {
  /** Nothing is there with their key, and nothing holds a value of theirs that must be unique. */
  readonly absent: readonly RowNumbers[];
  readonly equal: number;
  readonly conflicts: readonly Conflicting[];
}

/** Rows that are in conflict for one reason. */
export interface Conflicting {
  /** A row with their key differs in these columns, or another row has the same values in them, or one of a table that inherits. */
  readonly kind: 'changed' | 'taken' | 'inherited';
  readonly columns: readonly string[];
  readonly count: number;
  /** The first three of them. */
  readonly first: readonly number[];
}

/** Nothing was looked at: the start of a sum. */
export const nothingSeen: Look = { absent: [], equal: 0, conflicts: [] };

const shownOfEach = 3;

/** Both together. */
export function addLooks(one: Look, other: Look): Look {
  const conflicts = new Map(one.conflicts.map((each) => [nameOf(each), each]));
  for (const each of other.conflicts) {
    const { count = 0, first = [] } = conflicts.get(nameOf(each)) ?? {};
    conflicts.set(nameOf(each), { ...each, count: count + each.count, first: [...first, ...each.first].slice(0, shownOfEach) });
  }
  return { absent: [...one.absent, ...other.absent], equal: one.equal + other.equal, conflicts: [...conflicts.values()] };
}

function nameOf({ kind, columns }: Conflicting): string {
  return JSON.stringify([kind, columns]);
}

/** How many rows of it are absent. */
export function countAbsent({ absent }: Look): number {
  return absent.reduce((sum, numbers) => sum + countNumbers(numbers), 0);
}

/** Whether a table has no row at all, as far as one can see in half a second; one that is full of dead rows is not read to its end. */
export async function isEmpty(session: Session, { table }: SeededRows): Promise<boolean> {
  return runAlone(session, { mode: 'READ ONLY', statementMs: 500, lockMs: 2000 }, `SELECT 1 FROM ${table.quoted} LIMIT 1`).then(
    ({ rows }) => rows.length === 0,
    (error: unknown) => (sqlState(error) === tookTooLong ? false : Promise.reject(error)),
  );
}

interface Found {
  readonly state: 'absent' | 'equal' | Conflicting['kind'];
  readonly columns: string[] | null;
  readonly count: string;
  readonly first: string[];
  readonly absent: string[] | null;
}

/** Holds rows against what is there: an anti-join of those that the server makes from their numbers, by their key. Only reads. */
export async function lookAt(session: Session, rows: SeededRows, numbers: RowNumbers): Promise<Look> {
  const size = countNumbers(numbers);
  const { rows: found } = await session.query<Found>(
    `SELECT d.state, d.columns, count(*), (array_agg(d.n ORDER BY d.n))[:${shownOfEach}] AS first,
            CASE WHEN d.state = 'absent' AND count(*) < ${size} THEN array_agg(d.n ORDER BY d.n) END AS absent
       FROM (${standingSql({ ...rows, numbers })}) AS d GROUP BY d.state, d.columns ORDER BY 3 DESC, 2`,
  );
  const absent = found.flatMap(({ state, absent: list }): RowNumbers[] => {
    if (state !== 'absent') return [];
    return [list === null ? numbers : { kind: 'list', list: list.map(Number) }];
  });
  const conflicts = found.flatMap(({ state, columns, count, first }): Conflicting[] => {
    if (state === 'absent' || state === 'equal') return [];
    return [{ kind: state, columns: columns ?? [], count: Number(count), first: first.map(Number) }];
  });
  return { absent, equal: Number(found.find(({ state }) => state === 'equal')?.count ?? 0), conflicts };
}

/** Whether all of them are there as they should be: the same for half the work, where nothing else is expected. */
export async function areAllThere(session: Session, rows: SeededRows, numbers: RowNumbers): Promise<boolean> {
  const { from, key = [], unique, columns, compared } = rows;
  // Of a key that need not be unique one row may be there twice, and another not at all.
  if (!unique.includes(key)) return false;
  const same = `${sameKey(columnsOf(columns, key), 't', 's')} AND ${sameRow(compared, 't', 's')}`;
  const made = seededQuery({ ...rows, numbers });
  const found = await session.query<{ count: string }>(`SELECT count(*) FROM ${made} AS s JOIN ${from} AS t ON ${same}`);
  return Number(found.rows[0]?.count) === countNumbers(numbers);
}

/** Each row's number (n) with how it stands. Of several rows with its key, which need not be unique, the one that is nearest counts. */
function standingSql(rows: SeededRows): string {
  const { table, from, key = [], unique, columns, compared } = rows;
  const keyed = columnsOf(columns, key);
  const differing = compared.map((column) => `CASE WHEN NOT (${sameRow([column], 't', 's')}) THEN ${quoteText(column.name)} END`);
  const nearest = unique.some((names) => names === key) ? '' : 'ORDER BY cardinality(f.columns) ';
  const there = `SELECT array_remove(ARRAY[${differing.join(', ')}]::text[], NULL) AS columns FROM ${from} AS t WHERE ${sameKey(keyed, 't', 's')}`;
  const held = (state: Conflicting['kind'], names: readonly string[], place: string) =>
    `WHEN EXISTS (SELECT 1 FROM ${place} AS t WHERE ${sameKey(columnsOf(columns, names), 't', 's')}) THEN ARRAY['${state}', ${names.map(quoteText).join(', ')}]`;
  const inTheWay = [
    ...unique.filter((names) => names !== key).map((names) => held('taken', names, from)),
    // No constraint sees the rows of tables that inherit, and no foreign key leads to them: which of two was meant nobody could tell.
    ...(from === table.quoted ? [] : [held('inherited', key, table.quoted)]),
  ];
  return `SELECT s.${rows.ordinal} AS n, coalesce(f.columns, h.held[2:]) AS columns,
      CASE WHEN cardinality(f.columns) = 0 THEN 'equal' WHEN f.columns IS NOT NULL THEN 'changed' ELSE coalesce(h.held[1], 'absent') END AS state
    FROM (SELECT * FROM ${seededQuery(rows)} AS m OFFSET 0) AS s
    LEFT JOIN LATERAL (SELECT f.columns FROM (${there}) AS f ${nearest}LIMIT 1) AS f ON true
    CROSS JOIN LATERAL (SELECT CASE WHEN f.columns IS NOT NULL THEN NULL::text[] ${inTheWay.join(' ')} END AS held) AS h`;
}

function columnsOf(columns: readonly Column[], names: readonly string[]): Column[] {
  return columns.filter(({ name }) => names.includes(name));
}

/** Which column cannot hold what is seeded into it, where the server said that one cannot. */
export async function columnThatCannotHold(session: Session, rows: SeededRows, error: unknown): Promise<string | undefined> {
  if (!holdsNoSuchValue(error)) return undefined;
  for (const column of rows.columns) {
    const made = session.query(`SELECT count(m.*) FROM ${seededQuery(rows, [column])} AS m`).then(
      () => true,
      (failed: unknown) => sqlState(failed) !== sqlState(error),
    );
    if (!(await made)) return column.name;
  }
  return undefined;
}
