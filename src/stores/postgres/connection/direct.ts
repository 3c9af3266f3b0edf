import { LoadctlError } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { StoreContext } from '../../kind/types.js';
import { sqlState } from './errors.js';
import { openSession, type Session } from './session.js';

/** A pooler whose sessions are all in use lets a query wait for minutes; a database answers this one at once. */
const answerMs: Milliseconds = 10_000;
/** PgBouncer's answer to BEGIN where it pools single statements. */
const noTransactions = '08P01';

/**
 * Refuses (112) a pooler that hands sessions around: an advisory lock or a setting would stay behind in a session that somebody
 * else gets next. Nothing that outlives a transaction is used to find out, as that would stay behind as well: two connections
 * that are open at the same time must be two sessions, and each must stay the one that it was,
 *
 *   asked twice in a row     a pooler that deals its sessions out in turn gives another one
 *   one after the other      one that gives the last one that was used gives both the same
 *   beside a transaction     one with a single session keeps the other connection waiting
 */
export async function refusePooler(first: Session, context: Pick<StoreContext, 'label' | 'signal' | 'clock'>): Promise<void> {
  const second = await openSession(first.address, context);
  try {
    if (first.pid === second.pid) throw pooled(first);
    for (const session of [first, first, second, second]) await refuseOther(session, context.clock);
    await begin(second);
    for (const session of [second, first, first]) await refuseOther(session, context.clock);
    await second.query('ROLLBACK');
  } finally {
    await second.close();
  }
}

async function begin(session: Session): Promise<void> {
  try {
    await session.query('BEGIN');
  } catch (error) {
    throw sqlState(error) === noTransactions ? pooled(session) : error;
  }
}

/** The session must still be the one that it was when it was opened. */
async function refuseOther(session: Session, clock: Clock): Promise<void> {
  const answered = new AbortController();
  const late = clock.sleep(answerMs, answered.signal).then(() => undefined);
  const look = session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  look.catch(() => undefined); // late: the session is closed under it
  const answer = await Promise.race([look, late]).finally(() => answered.abort());
  if (answer === undefined) throw silent(session);
  if (Number(answer.rows[0]?.pid) !== session.pid) throw pooled(session);
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
