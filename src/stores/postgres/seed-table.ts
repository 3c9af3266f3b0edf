import { LoadctlError } from '../../core/errors.js';
import { type Conflicts, noConflicts } from '../kind/types.js';
import { copyText } from './copy-text.js';
import { serverMessage, sqlState } from './errors.js';
import { quoteName } from './quote.js';
import type { SeededRows } from './seeded-rows.js';
import { columnList, describeRow, sameKey, sameRow, wholeRow } from './seeded-rows.js';
import type { Session } from './session.js';
import type { RowNumbers } from './shards.js';

/** What became of the rows of one step in one database. */
export interface TableOutcome {
  readonly rows: number;
  readonly created: number;
  readonly conflicts: Conflicts;
}

/**
 * Puts a step's rows into their table, inside the transaction that the session has open; what is there already is held
 * against them:
 *
 *   stage (a temporary table, by COPY) → insert what is not there → every staged row must now be there, equal
 *
 * `number` makes the name of the stage.
 */
export async function stageTable(
  session: Session,
  rows: SeededRows,
  number: number,
  progress: (done: number) => void,
): Promise<TableOutcome> {
  const stage = `pg_temp.${quoteName(`loadctl stage ${number}`)}`;
  const sql = rows.key ? byKey(rows, rows.key, stage) : byWholeRow(rows, stage);
  try {
    const staged = await fillStage(session, rows, stage, progress);
    const created = (await session.query(sql.insert)).count;
    const conflicts = await findConflicts(session, rows, stage, sql.missing);
    return { rows: staged, created, conflicts };
  } catch (error) {
    throw seedingFailure(error, `${session.place.name}: ${rows.table.shown}`);
  }
}

/** Copies some of a step's rows straight into their table, where nothing has anything in common with them. */
export async function copyTable(
  session: Session,
  rows: SeededRows,
  numbers: RowNumbers,
  progress: (done: number) => void,
): Promise<TableOutcome> {
  let copied = 0;
  const told = (done: number) => {
    copied = done;
    progress(done);
  };
  try {
    const sql = `COPY ${rows.table.quoted} (${columnList(rows.columns)}) FROM STDIN`;
    await session.copyIn(sql, copyText(rows, numbers, { ordinal: false, progress: told }));
  } catch (error) {
    throw seedingFailure(error, `${session.place.name}: ${rows.table.shown}`);
  }
  return { rows: copied, created: copied, conflicts: noConflicts };
}

async function fillStage(session: Session, rows: SeededRows, stage: string, progress: (done: number) => void): Promise<number> {
  const { table, columns, ordinal } = rows;
  const columnsOf = columns.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  await session.query(
    `CREATE TEMP TABLE ${stage.slice('pg_temp.'.length)} ON COMMIT DROP AS SELECT 0::bigint AS ${ordinal}, ${columnsOf} FROM ${table.quoted} AS t WITH NO DATA`,
  );
  let staged = 0;
  await session.copyIn(
    `COPY ${stage} (${ordinal}, ${columnList(columns)}) FROM STDIN`,
    copyText(rows, rows.numbers, {
      ordinal: true,
      progress: (done) => {
        staged = done;
        progress(done);
      },
    }),
  );
  await session.query(`ANALYZE ${stage}`);
  return staged;
}

interface StageSql {
  readonly insert: string;
  /** The stage's rows (alias s) that are not in the table as they should be. */
  readonly missing: string;
}

/** With columns that tell rows apart: a row is there when one with its key is equal in every column. */
function byKey(rows: SeededRows, key: readonly string[], stage: string): StageSql {
  const { table } = rows;
  const there = `SELECT 1 FROM ${table.quoted} AS t WHERE ${sameKey(key, 't', 's')}`;
  const fresh = `${stage} AS s WHERE NOT EXISTS (${there}) ORDER BY s.${rows.ordinal}`;
  return { insert: insertFrom(rows, fresh), missing: `${stage} AS s WHERE NOT EXISTS (${there} AND ${sameRow(rows.compared, 't', 's')})` };
}

/** Without: equal rows are counted, and only as many are added as are missing. */
function byWholeRow(rows: SeededRows, stage: string): StageSql {
  const copies = `SELECT *, row_number() OVER (PARTITION BY ${wholeRow(rows.compared, 'x')} ORDER BY x.${rows.ordinal}) AS "loadctl copy" FROM ${stage} AS x`;
  const there = `SELECT ${wholeRow(rows.compared, 't')} AS "loadctl row", count(*) AS "loadctl count" FROM ${rows.table.quoted} AS t GROUP BY 1`;
  const lacking = `(${copies}) AS s LEFT JOIN (${there}) AS h ON h."loadctl row" = ${wholeRow(rows.compared, 's')} WHERE s."loadctl copy" > coalesce(h."loadctl count", 0)`;
  return { insert: insertFrom(rows, `${lacking} ORDER BY s.${rows.ordinal}`), missing: lacking };
}

function insertFrom({ table, columns, deferrable }: SeededRows, source: string): string {
  const overriding = columns.some(({ identityAlways }) => identityAlways) ? ' OVERRIDING SYSTEM VALUE' : '';
  const list = columns.map(({ name }) => `s.${quoteName(name)}`).join(', ');
  // Postgres refuses ON CONFLICT where a unique constraint is deferrable; such a conflict then ends the statement.
  const onConflict = deferrable ? '' : ' ON CONFLICT DO NOTHING';
  return `INSERT INTO ${table.quoted} (${columnList(columns)})${overriding} SELECT ${list} FROM ${source}${onConflict}`;
}

async function findConflicts(session: Session, rows: SeededRows, stage: string, missing: string): Promise<Conflicts> {
  const counted = await session.query<{ count: string }>(`SELECT count(*) FROM ${missing}`);
  const count = Number(counted.rows[0]?.count);
  if (count === 0) return noConflicts;
  const first = await session.query<{ n: string }>(`SELECT s.${rows.ordinal} AS n FROM ${missing} ORDER BY 1 LIMIT 10`);
  const lines: string[] = [];
  for (const { n } of first.rows) lines.push(await explain(session, rows, stage, Number(n)));
  return { count, lines };
}

interface Difference {
  readonly same: boolean[];
  readonly there: (string | null)[];
  readonly wanted: (string | null)[];
  readonly ours: boolean;
}

async function explain(session: Session, rows: SeededRows, stage: string, n: number): Promise<string> {
  const row = `${session.place.name}: ${rows.table.shown} ${describeRow(rows, n)}`;
  if (!rows.key) return `${row}: ${await whyNotInserted(session, rows, stage, n)}`;
  const each = (side: string) => rows.columns.map(({ name }) => `${side}.${quoteName(name)}::text`).join(', ');
  const compared = new Set(rows.compared);
  const same = rows.columns.map((column) => (compared.has(column) ? `(${sameRow([column], 't', 's')})` : 'true')).join(', ');
  const found = await session.query<Difference>(
    `SELECT ARRAY[${same}] AS same, ARRAY[${each('t')}] AS there, ARRAY[${each('s')}] AS wanted,
            t.xmin::text = (txid_current() % 4294967296)::text AS ours
       FROM ${stage} AS s JOIN ${rows.table.quoted} AS t ON ${sameKey(rows.key, 't', 's')} WHERE s.${rows.ordinal} = $1 LIMIT 1`,
    [n],
  );
  const [difference] = found.rows;
  return `${row}: ${difference ? differences(rows, difference) : await whyNotInserted(session, rows, stage, n)}`;
}

function differences(rows: SeededRows, { same, there, wanted, ours }: Difference): string {
  const list = rows.columns.flatMap(({ name }, index) =>
    same[index] ? [] : [`${name} is ${shorten(there[index] ?? null)}, not ${shorten(wanted[index] ?? null)}`],
  );
  return (
    list.join('; ') + (ours ? ' (this seed wrote it: it has another row with this key, or a trigger or the column’s type changed it)' : '')
  );
}

function shorten(text: string | null): string {
  if (text === null) return 'NULL';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** Inserts one row alone, so that the server says what is in its way; the row is taken back. */
async function whyNotInserted(session: Session, rows: SeededRows, stage: string, n: number): Promise<string> {
  const one = insertFrom({ ...rows, deferrable: true }, `${stage} AS s WHERE s.${rows.ordinal} = ${n}`);
  await session.query('SAVEPOINT loadctl_one');
  try {
    await session.query(one);
    return 'it is not there after it was inserted: a trigger, a rule or row-level security swallowed it';
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return `another row is in its way: ${serverMessage(error)}`;
  } finally {
    await session.query('ROLLBACK TO SAVEPOINT loadctl_one');
  }
}

/** What the server says about the rows themselves (classes 22, 23, 44, 54; what a trigger raises) is the seed's failure. */
export function seedingFailure(error: unknown, what: string): unknown {
  const state = sqlState(error);
  if (state === undefined || !/^(22|23|P0|44|54)/.test(state)) return error;
  return new LoadctlError('seeding-failed', `${what} does not take the seed: ${serverMessage(error)}`, {
    hint:
      state === '23503'
        ? 'Seed the rows that it references first (list them further up in `seed`), or correct the columns; nothing was written.'
        : 'Correct the columns of this seed in the profile; nothing was written.',
    cause: error,
  });
}
