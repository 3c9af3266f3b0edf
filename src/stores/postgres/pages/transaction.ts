import type { QueryResultRow } from 'pg';
import type { Milliseconds } from '../../../core/quantities.js';
import { quoteText } from '../catalog/quote.js';
import { sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { isHeldBySql, lostLock } from '../lock/try-lock.js';

/** What a transaction may do, how long each of its statements may take, and wait for a lock. One that writes begins only while our lock is held. */
export interface Limits {
  readonly mode: 'READ ONLY' | 'READ WRITE';
  readonly statementMs: Milliseconds;
  readonly lockMs: Milliseconds;
  /** Further settings of the transaction: `SET LOCAL …`. */
  readonly settings?: readonly string[];
}

/** Runs one statement in a transaction of its own, which is never idle: all of it is one message. */
export function runAlone<Row extends QueryResultRow>(
  session: Session,
  limits: Limits,
  sql: string,
): Promise<{ readonly rows: Row[]; readonly count: number }> {
  return orRollBack(session, () => session.query<Row>(`${begin(session, limits)}; ${sql}; COMMIT`));
}

/**
 * Does something in one short transaction, each statement of which sees what others committed before it. `committing` is told its
 * number and what was done before COMMIT is sent: from there on it may be in, whatever is heard of it.
 */
export function inTransaction<T>(
  session: Session,
  limits: Limits,
  work: () => Promise<T>,
  committing?: (transaction: string, done: T) => void,
): Promise<T> {
  return orRollBack(session, async () => {
    const number = committing === undefined ? '' : '; SELECT pg_current_xact_id()::text AS transaction';
    const { rows } = await session.query<{ transaction: string }>(`${begin(session, limits)}${number}`);
    const done = await work();
    for (const { transaction } of rows) committing?.(transaction, done);
    await session.query('COMMIT');
    return done;
  });
}

function begin({ lockSessions }: Session, { mode, statementMs, lockMs, settings = [] }: Limits): string {
  const limits = { statement_timeout: statementMs, lock_timeout: lockMs, idle_in_transaction_session_timeout: 3000 };
  const all = [...Object.entries(limits).map(([name, ms]) => `SET LOCAL ${name} = ${ms}`), ...settings];
  const names = mode === 'READ WRITE' ? lockSessions?.() : undefined;
  return [`BEGIN ISOLATION LEVEL READ COMMITTED ${mode}`, ...all, ...(names === undefined ? [] : [raiseUnlessLocked(names)])].join('; ');
}

/** Of no class of the server's own. */
const lostState = 'LC001';

/** A statement without rows, so that it can go in one message with those that have some. */
function raiseUnlessLocked(names: readonly string[]): string {
  const held = isHeldBySql(`ARRAY[${names.map(quoteText).join(', ')}]`);
  return `DO $loadctl$ BEGIN IF NOT ${held} THEN RAISE EXCEPTION USING ERRCODE = '${lostState}', MESSAGE = 'the lock was lost'; END IF; END $loadctl$`;
}

async function orRollBack<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw sqlState(error) === lostState ? lostLock(session.place) : error;
  }
}
