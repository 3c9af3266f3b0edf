import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { Table } from '../catalog/tables.js';
import { serverMessage, sqlState, tookTooLong } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import type { StatementLog } from './statement-log.js';

/** Rows to delete. */
export interface Doomed {
  readonly table: Table;
  /** What a row (alias t) must be, both when it is found and when it is deleted. */
  readonly condition: string;
  /** Further conditions when rows are looked for: which ones go first. */
  readonly first?: string;
  /** Whether a foreign key passes the delete on (CASCADE, SET NULL): then nobody may begin to reference the row in the meantime. */
  readonly passedOn?: boolean;
}

/** What became of them. */
export interface Deleted {
  readonly rows: number;
  /** Why some could not be deleted, in the server's words. */
  readonly trouble?: string;
}

/** What deleting needs besides rows. */
export interface Means {
  readonly clock: Clock;
  readonly log: StatementLog;
  /** Ends a rest before its time; the statements themselves are the session's to end. */
  readonly signal?: AbortSignal;
  /** How long to rest after each transaction; undefined: as long as seems good. */
  readonly pauseMs?: Milliseconds | undefined;
  readonly progress?: (rows: number) => void;
}

const batchRows = 5000;
const attempts = 6;
/** Rows that would not go alone; after so many of them nobody tries the rest. */
const mostStubborn = 100;
/** Deadlock, serialization, a lock or a statement that took too long: the same rows may go next time. */
const passing: readonly (string | undefined)[] = ['40P01', '40001', '55P03', tookTooLong];
/** Connection lost, server going down or full: nothing else would go either. */
export const fatal = /^(08|57P|53)/;

/** The statement, as a receipt shows it; it is run for a part of the rows at a time. */
export function deleteSql({ table, condition }: Doomed): string {
  return `DELETE FROM ${table.quoted} AS t WHERE ${condition}`;
}

/**
 * Deletes the rows in transactions of at most 5,000. They are looked up once, through a cursor that outlives those
 * transactions; each is held against the condition again when it is deleted, so a row that changed meanwhile stays.
 */
export async function deleteFound(session: Session, doomed: Doomed, means: Means): Promise<Deleted> {
  const { table, condition, first = 'true' } = doomed;
  const work = workOn(session, doomed, means, true);
  let deleted: Deleted = { rows: 0 };
  const found = `SELECT t.tableoid::text AS part, t.ctid::text AS place FROM ${table.quoted} AS t WHERE ${condition} AND ${first}`;
  await session.query(`DECLARE loadctl_doomed NO SCROLL CURSOR WITH HOLD FOR ${found}`);
  try {
    for (;;) {
      const batch = await session.query<Located>(`FETCH FORWARD ${batchRows} FROM loadctl_doomed`);
      for (const [part, places] of byPart(batch.rows)) deleted = add(deleted, await deletePlaces(work, part, places));
      means.progress?.(deleted.rows);
      if (batch.rows.length < batchRows) return deleted;
      await means.clock.sleep(means.pauseMs ?? 0, means.signal);
    }
  } finally {
    await session.query('CLOSE loadctl_doomed').catch(() => undefined);
  }
}

interface Located {
  /** The partition: a ctid is unique in one only. */
  readonly part: string;
  readonly place: string;
}

/** Rows of one target on their way. */
export interface Work extends Means {
  readonly session: Session;
  readonly doomed: Doomed;
  /** Whether rows that somebody holds are waited for; else they are left to a later sweep. */
  readonly patient: boolean;
  /** How many rows would not go, so far. */
  readonly stubborn: { count: number };
}

/** Work that is about to begin. */
export function workOn(session: Session, doomed: Doomed, means: Means, patient: boolean): Work {
  return { session, doomed, ...means, patient, stubborn: { count: 0 } };
}

/** Both together; the first trouble is told. */
export function add(one: Deleted, other: Deleted): Deleted {
  const trouble = one.trouble ?? other.trouble;
  return { rows: one.rows + other.rows, ...(trouble === undefined ? {} : { trouble }) };
}

function byPart(rows: readonly Located[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const { part, place } of rows) {
    const places = parts.get(part);
    if (places === undefined) parts.set(part, [place]);
    else places.push(place);
  }
  return parts;
}

/**
 * Deletes the rows at these places of a table (its oid), in one transaction. Where that fails it tries again with halves, so
 * that a row that cannot go keeps back none but itself. What stays in the end is counted later.
 */
export async function deletePlaces(work: Work, part: string, places: readonly string[], left = attempts): Promise<Deleted> {
  const { session, doomed, clock, log, stubborn } = work;
  if (places.length === 0 || stubborn.count >= mostStubborn) return { rows: 0 };
  const startedAt = clock.elapsed();
  try {
    const rows = await deleteOnce(work, part, places);
    log(deleteSql(doomed), rows, clock.elapsed() - startedAt);
    return { rows };
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || fatal.test(state)) throw error;
    const mayPass = work.patient && passing.includes(state);
    if (places.length === 1 && !(mayPass && left > 1)) {
      stubborn.count += 1;
      return { rows: 0, trouble: `${session.place.name}: ${doomed.table.shown}: ${serverMessage(error)}` };
    }
    if (mayPass) await clock.sleep(100 * 2 ** (attempts - left), work.signal);
    if (places.length === 1) return deletePlaces(work, part, places, left - 1);
    const half = Math.ceil(places.length / 2);
    const first = await deletePlaces(work, part, places.slice(0, half), Math.max(1, left - 1));
    return add(first, await deletePlaces(work, part, places.slice(half), Math.max(1, left - 1)));
  }
}

function deleteOnce({ session, doomed, patient }: Work, part: string, places: readonly string[]): Promise<number> {
  const limits = `SET LOCAL lock_timeout = '${patient ? '2s' : '50ms'}'; SET LOCAL statement_timeout = '30s'`;
  const rows = `${doomed.table.quoted} AS t WHERE t.tableoid = $1::oid AND t.ctid = ANY($2::text[]::tid[]) AND ${doomed.condition}`;
  return deleteRows(session, doomed, { rows, values: [part, places], limits });
}

/**
 * Deletes rows (what stands after FROM) in one transaction. Where the delete is passed on they are held first: who was about to
 * reference one is through by then, which the second statement sees, and nobody else can begin to.
 */
export async function deleteRows(
  session: Session,
  { passedOn = false }: Doomed,
  { rows, values = [], limits }: { readonly rows: string; readonly values?: readonly unknown[]; readonly limits?: string },
): Promise<number> {
  const remove = async () => (await session.query(`DELETE FROM ${rows}`, values)).count;
  if (!passedOn && limits === undefined) return remove();
  await session.query(['BEGIN ISOLATION LEVEL READ COMMITTED', ...(limits === undefined ? [] : [limits])].join('; '));
  try {
    if (passedOn) await session.query(`SELECT count(*) FROM (SELECT 1 FROM ${rows} FOR UPDATE OF t) AS held`, values);
    const count = await remove();
    await session.query('COMMIT');
    return count;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
