import type { Clock } from '../../core/os.js';
import { serverMessage, sqlState } from './errors.js';
import type { Session } from './session.js';
import type { StatementLog } from './statement-log.js';
import type { Table } from './tables.js';

/** Rows to delete. */
export interface Doomed {
  readonly table: Table;
  /** What a row (alias t) must be, both when it is found and when it is deleted. */
  readonly condition: string;
  /** Further conditions when rows are looked for: which ones go first. */
  readonly first?: string;
}

/** What became of them. */
export interface Deleted {
  readonly rows: number;
  /** Why some could not be deleted, in the server's words. */
  readonly trouble?: string;
}

const batchRows = 5000;
const attempts = 6;
/** Deadlock, serialization, a lock or a statement that took too long: the same rows may go next time. */
const passing: readonly (string | undefined)[] = ['40P01', '40001', '55P03', '57014'];
/** Connection lost, server going down or full: nothing else would go either. */
const fatal = /^(08|57P|53)/;

/** The statement, as a receipt shows it; it is run for at most 5,000 rows at a time. */
export function deleteSql({ table, condition }: Doomed): string {
  return `DELETE FROM ${table.quoted} AS t WHERE ${condition}`;
}

/**
 * Deletes the rows in transactions of at most 5,000. They are looked up once, through a cursor that outlives those
 * transactions; each is held against the condition again when it is deleted, so a row that changed meanwhile stays.
 */
export async function deleteRows(session: Session, doomed: Doomed, means: Means): Promise<Deleted> {
  const { table, condition, first = 'true' } = doomed;
  const work = { session, doomed, ...means };
  let deleted: Deleted = { rows: 0 };
  const found = `SELECT t.tableoid::text AS part, t.ctid::text AS place FROM ${table.quoted} AS t WHERE ${condition} AND ${first}`;
  await session.query(`DECLARE loadctl_doomed NO SCROLL CURSOR WITH HOLD FOR ${found}`);
  try {
    for (;;) {
      const batch = await session.query<Located>(`FETCH FORWARD ${batchRows} FROM loadctl_doomed`);
      for (const [part, places] of byPart(batch.rows)) deleted = add(deleted, await deleteBatch(work, part, places, attempts));
      means.progress?.(deleted.rows);
      if (batch.rows.length < batchRows) return deleted;
    }
  } finally {
    await session.query('CLOSE loadctl_doomed').catch(() => undefined);
  }
}

/** What deleting needs besides rows. */
export interface Means {
  readonly clock: Clock;
  readonly log: StatementLog;
  readonly progress?: (rows: number) => void;
}

interface Located {
  /** The partition: a ctid is unique in one only. */
  readonly part: string;
  readonly place: string;
}

interface Work extends Means {
  readonly session: Session;
  readonly doomed: Doomed;
}

function add(one: Deleted, other: Deleted): Deleted {
  const trouble = one.trouble ?? other.trouble;
  return { rows: one.rows + other.rows, ...(trouble === undefined ? {} : { trouble }) };
}

function byPart(rows: readonly Located[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const { part, place } of rows) parts.set(part, [...(parts.get(part) ?? []), place]);
  return parts;
}

/** Tries again with halves, so that a row that cannot go keeps back few others. What stays in the end is counted later. */
async function deleteBatch(work: Work, part: string, places: readonly string[], left: number): Promise<Deleted> {
  const { session, doomed, clock, log } = work;
  const startedAt = clock.now();
  try {
    const rows = await deleteOnce(session, doomed, part, places);
    log(deleteSql(doomed), rows, clock.now() - startedAt);
    return { rows };
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || fatal.test(state)) throw error;
    if (left <= 1) return { rows: 0, trouble: `${session.place.name}: ${doomed.table.shown}: ${serverMessage(error)}` };
    if (passing.includes(state)) await clock.sleep(100 * 2 ** (attempts - left));
    const half = Math.ceil(places.length / 2);
    const halves = [places.slice(0, half), places.slice(half)].filter((some) => some.length > 0);
    let deleted: Deleted = { rows: 0 };
    for (const some of halves) deleted = add(deleted, await deleteBatch(work, part, some, left - 1));
    return deleted;
  }
}

async function deleteOnce(session: Session, { table, condition }: Doomed, part: string, places: readonly string[]): Promise<number> {
  await session.query(`BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '30s'`);
  try {
    const { count } = await session.query(
      `DELETE FROM ${table.quoted} AS t WHERE t.tableoid = $1::oid AND t.ctid = ANY($2::text[]::tid[]) AND ${condition}`,
      [part, places],
    );
    await session.query('COMMIT');
    return count;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
