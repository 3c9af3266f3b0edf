import { LoadctlError } from '../../../core/errors.js';
import { type Conflicts, noConflicts } from '../../kind/types.js';
import { quoteName } from '../catalog/quote.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { copyText } from '../rows/copy-text.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import { columnList, sameKey, sameRow, wholeRow } from '../rows/seeded-rows.js';
import type { RowNumbers } from '../rows/shards.js';
import { findConflicts } from './conflicts.js';

/** What became of the rows of one set in one database. */
export interface TableOutcome {
  readonly rows: number;
  readonly created: number;
  readonly conflicts: Conflicts;
}

/**
 * Puts a set's rows into their table, inside the transaction that the session has open; what is there already is held
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
    const insertOne = (source: string) => insertFrom({ ...rows, deferrable: true }, source);
    const conflicts = await findConflicts(session, { rows, stage, source: sql.missing, insertFrom: insertOne });
    return { rows: staged, created, conflicts };
  } catch (error) {
    throw seedingFailure(error, `${session.place.name}: ${rows.table.shown}`);
  }
}

/** Copies some of a set's rows straight into their table, where nothing has anything in common with them. */
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

/** What the server says about the rows themselves (classes 22, 23, 44, 54; what a trigger raises) is the seed's failure. */
export function seedingFailure(error: unknown, what: string): unknown {
  const state = sqlState(error);
  if (state === undefined || !/^(22|23|P0|44|54)/.test(state)) return error;
  return new LoadctlError('seeding-failed', `${what} rejected the seed: ${serverMessage(error)}`, {
    hint:
      state === '23503'
        ? 'Seed the rows that it references first (list them further up in `seed`), or fix the columns; nothing was written.'
        : 'Fix the columns of this seed in the profile; nothing was written.',
    cause: error,
  });
}
