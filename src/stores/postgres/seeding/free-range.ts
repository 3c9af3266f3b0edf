import { flatten } from '../../../profile/templates/pieces.js';
import { foreignKeysTo } from '../catalog/foreign-keys.js';
import { quoteName } from '../catalog/quote.js';
import type { Table } from '../catalog/tables.js';
import { checkTaking } from '../cleaning/take-seeded.js';
import { holdsNoSuchValue, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { type SeededRows, seededQuery } from '../rows/seeded-rows.js';
import { countNumbers, partOf } from '../rows/shards.js';
import { copyTable } from './seed-table.js';

/**
 * Whether a step's rows can be copied straight into their table: nothing there has anything in common with them that must be
 * unique, and nobody changes, swallows or hides what is inserted.
 */
export async function isFree(session: Session, rows: SeededRows): Promise<boolean> {
  if (await isWatched(session, rows)) return false;
  if (rows.key === undefined || !tellsRowsApart(rows)) return false;
  if (await isEmpty(session, rows)) return true;
  if (rows.odd) return false;
  // A key that only the profile names need not be unique: nothing but a look tells that its rows are there already.
  const apart = rows.unique.includes(rows.key) ? rows.unique : [rows.key, ...rows.unique];
  for (const columns of apart) if (await overlaps(session, rows, columns)) return false;
  return true;
}

/** Triggers and rules on INSERT, and row-level security, which COPY does not take. */
async function isWatched(session: Session, { table }: SeededRows): Promise<boolean> {
  const { rows } = await session.query<{ watched: boolean }>(
    `WITH family AS (SELECT $1::oid AS oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
     SELECT row_security_active($1::oid)
         OR EXISTS (SELECT 1 FROM pg_trigger t JOIN family f ON f.oid = t.tgrelid
                     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 4 > 0)
         OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = $1 AND r.ev_type = '3') AS watched`,
    [table.oid],
  );
  return rows[0]?.watched ?? true;
}

async function isEmpty(session: Session, { table }: SeededRows): Promise<boolean> {
  const { rows } = await session.query(`SELECT 1 FROM ${table.quoted} LIMIT 1`);
  return rows.length === 0;
}

/** Whether no two rows of the step have the same key. */
function tellsRowsApart({ key, columns, values, unique, set }: SeededRows): boolean {
  const differs = (name: string) => {
    const pieces = flatten(values[columns.findIndex((column) => column.name === name)] ?? [], set.rows);
    return pieces.some((piece) => typeof piece === 'object' && (piece.kind === 'n' || piece.kind === 'uuid'));
  };
  return [...(key === undefined ? [] : [key]), ...unique].every((names) => names.some(differs));
}

async function overlaps(session: Session, rows: SeededRows, columns: readonly string[]): Promise<boolean> {
  const same = columns.map((name) => `t.${quoteName(name)} = s.${quoteName(name)}`).join(' AND ');
  const look = `SELECT 1 FROM ${seededQuery(rows)} AS s WHERE EXISTS (SELECT 1 FROM ${rows.table.quoted} AS t WHERE ${same}) LIMIT 1`;
  const found = await session.query(look).catch((error: unknown) => {
    // Which value the column cannot hold is told when it is written.
    if (holdsNoSuchValue(error)) return undefined;
    throw error;
  });
  return found === undefined || found.rows.length > 0;
}

/** Fewer rows than this are written in one transaction: it takes no time, and is taken back as a whole. */
const worthStraight = 20_000;

/** Whether the rows of all steps can be copied straight into their tables, part by part, when nobody is to be disappointed. */
export async function mayCopyStraight(session: Session, steps: readonly SeededRows[]): Promise<boolean> {
  const count = steps.reduce((sum, { numbers }) => sum + countNumbers(numbers), 0);
  const tables = new Set(steps.map(({ table }) => table.oid));
  if (count < worthStraight || tables.size < steps.length) return false;
  for (const rows of steps) if (!(await isFree(session, rows)) || !(await mayTakeBack(session, rows.table))) return false;
  return (await referToFormerSteps(session, steps)) && takesFirstRows(session, steps);
}

/** What is copied part by part is taken back row by row where the server refuses the rest. */
function mayTakeBack(session: Session, table: Table): Promise<boolean> {
  return checkTaking(session, table).then(
    () => true,
    () => false,
  );
}

/** Whether each foreign key between the steps' tables leads to one that is all in before: a part alone does not hold what it refers to. */
async function referToFormerSteps(session: Session, steps: readonly SeededRows[]): Promise<boolean> {
  for (const [index, { table }] of steps.entries()) {
    const referring = new Set((await foreignKeysTo(session, table)).map((key) => key.table.oid));
    if (steps.slice(0, index + 1).some((step) => referring.has(step.table.oid))) return false;
  }
  return true;
}

/** Puts each step's first row in and takes it back: what the server refuses is found before much is written. */
async function takesFirstRows(session: Session, steps: readonly SeededRows[]): Promise<boolean> {
  await session.query('BEGIN');
  try {
    for (const rows of steps) await copyTable(session, rows, partOf(rows.numbers, 0, 1), () => undefined);
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
    return true;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return false;
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}
