import { LoadctlError } from '../../../core/errors.js';
import { isFatal, sqlState } from '../connection/errors.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { lineOf } from './what-stays.js';

/**
 * Does something for one entry. What the server has against it is the affair of this entry alone: it is tried again when the catalog
 * was looked at anew, as a migration may have changed what the statement was about; then it stays.
 */
export async function forEntry<T>(database: CleanedDatabase, target: Target, work: () => Promise<T>, otherwise: T): Promise<T> {
  const { tallies, troubles, failed, blocked } = database;
  try {
    const done = await work();
    failed.delete(target);
    return done;
  } catch (error) {
    const { message, hint } = oneOf(error);
    tallies.set(target, { deleted: tallies.get(target)?.deleted ?? 0, left: null });
    troubles.set(target, message);
    if (failed.has(target)) blocked.set(target, { message, hint: hint ?? 'Look at the database’s log.' });
    failed.add(target);
    return otherwise;
  }
}

/** Does something for one set; where the server has something against it, the receipt says so. */
export async function forSet(database: CleanedDatabase, rows: SeededRows, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message, hint } = oneOf(error);
    const command = hint === undefined ? {} : { command: hint };
    database.seededTallies.set(rows, { deleted: database.seededTallies.get(rows)?.deleted ?? 0, left: null });
    database.setLines.set(rows, [lineOf(database.session, rows, { kind: 'unknown', count: null, why: message, ...command })]);
  }
}

/** What is about a single table; an interrupt, a lost lock and a server that is going are about all of them. */
function oneOf(error: unknown): LoadctlError {
  const state = sqlState(error);
  if (error instanceof LoadctlError && state !== undefined && !isFatal(state)) return error;
  throw error;
}
