import { sqlState } from './errors.js';
import { quoteName } from './quote.js';
import { copyTable } from './seed-table.js';
import { type SeededRows, seededQuery } from './seeded-rows.js';
import type { Session } from './session.js';
import { countNumbers, partOf } from './shards.js';

/**
 * Whether a step's rows can be copied straight into their table: nothing there has anything in common with them that must be
 * unique, and nobody changes, swallows or hides what is inserted.
 */
export async function isFree(session: Session, rows: SeededRows): Promise<boolean> {
  if (await isWatched(session, rows)) return false;
  if (await isEmpty(session, rows)) return tellsRowsApart(rows);
  if (rows.key === undefined || rows.odd || !tellsRowsApart(rows)) return false;
  for (const columns of rows.unique) if (await overlaps(session, rows, columns)) return false;
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
function tellsRowsApart({ key, columns, values, unique }: SeededRows): boolean {
  const differs = (name: string) => {
    const pieces = values[columns.findIndex((column) => column.name === name)] ?? [];
    return pieces.some((piece) => typeof piece === 'object' && (piece.kind === 'n' || piece.kind === 'uuid'));
  };
  return [...(key === undefined ? [] : [key]), ...unique].every((names) => names.some(differs));
}

async function overlaps(session: Session, rows: SeededRows, columns: readonly string[]): Promise<boolean> {
  const same = columns.map((name) => `t.${quoteName(name)} = s.${quoteName(name)}`).join(' AND ');
  const found = await session.query(
    `SELECT 1 FROM ${seededQuery(rows)} AS s WHERE EXISTS (SELECT 1 FROM ${rows.table.quoted} AS t WHERE ${same}) LIMIT 1`,
  );
  return found.rows.length > 0;
}

/** Fewer rows than this are written in one transaction: it takes no time, and is taken back as a whole. */
const worthStraight = 20_000;

/** Whether the rows of all steps can be copied straight into their tables, part by part, when nobody is to be disappointed. */
export async function mayCopyStraight(session: Session, steps: readonly SeededRows[]): Promise<boolean> {
  const count = steps.reduce((sum, { numbers }) => sum + countNumbers(numbers), 0);
  const tables = new Set(steps.map(({ table }) => table.oid));
  if (count < worthStraight || tables.size < steps.length) return false;
  for (const rows of steps) if (!(await isFree(session, rows))) return false;
  return takesFirstRows(session, steps);
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
