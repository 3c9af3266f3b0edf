import { randomUUID } from 'node:crypto';
import { LoadctlError } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { StoreContext } from '../../kind/types.js';
import { sqlState } from '../connection/errors.js';
import { openSession, type Session } from '../connection/session.js';

/** A pooler whose sessions are all in use lets a query wait for minutes; a database answers this one at once. */
const answerMs: Milliseconds = 10_000;
/** PgBouncer's answer to BEGIN where it pools single statements. */
const noTransactions = '08P01';

/**
 * Refuses (112) a pooler that hands sessions around: an advisory lock would stay behind in a session that somebody else
 * gets next. Two connections that are open at the same time must be two sessions, and the first one must still be the same,
 * with what was set in it, while the second is in a transaction. Asked twice, as a pooler that deals its sessions out in turn
 * comes back to the same one when it has exactly two.
 */
export async function refusePooler(first: Session, context: Pick<StoreContext, 'label' | 'signal' | 'clock'>): Promise<void> {
  const second = await openSession(first.address, context);
  try {
    const mark = randomUUID();
    await first.query(`SELECT set_config('loadctl.lock', $1, false)`, [mark]);
    for (const _ of [1, 2]) {
      const pid = await begin(second);
      const pinned = pid !== first.pid && (await isStill(first, mark, context.clock));
      if (!pinned) throw pooled(first);
      await second.query('ROLLBACK');
    }
  } finally {
    await second.close();
  }
}

async function begin(session: Session): Promise<number> {
  try {
    await session.query('BEGIN');
  } catch (error) {
    throw sqlState(error) === noTransactions ? pooled(session) : error;
  }
  return Number((await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);
}

async function isStill(session: Session, mark: string, clock: Clock): Promise<boolean> {
  const answered = new AbortController();
  const late = clock.sleep(answerMs, answered.signal).then(() => undefined);
  const look = session.query<{ same: boolean }>(
    `SELECT pg_backend_pid() = $1 AND current_setting('loadctl.lock', true) IS NOT DISTINCT FROM $2 AS same`,
    [session.pid, mark],
  );
  look.catch(() => undefined); // late: the session is closed under it
  const answer = await Promise.race([look, late]).finally(() => answered.abort());
  if (answer === undefined) throw silent(session);
  return answer.rows[0]?.same ?? false;
}

function silent({ place, address }: Session): LoadctlError {
  return new LoadctlError(
    'unavailable',
    `${place.name}: ${place.host}:${place.port} did not answer within ${answerMs / 1000} s: the database is busy, or a pooler between has no session left`,
    { hint: `Look at its load; where there is a pooler, name the database's own host and port in the URL of the store ${address.store}.` },
  );
}

function pooled({ place, address }: Session): LoadctlError {
  return new LoadctlError(
    'refused',
    `${place.name}: ${place.host}:${place.port} is a connection pooler that hands its sessions around (transaction or statement pooling): the lock that keeps other runs out would protect nothing`,
    { hint: `Name the database's own host and port in the URL of the store ${address.store}; a pooler in session mode also works.` },
  );
}
