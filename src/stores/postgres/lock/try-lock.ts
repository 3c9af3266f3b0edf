import { LoadctlError } from '../../../core/errors.js';
import type { StoreContext } from '../../kind/types.js';
import { refusePooler } from '../connection/direct.js';
import type { Place } from '../connection/errors.js';
import type { Address } from '../connection/places.js';
import { openSession, type Session } from '../connection/session.js';
import { keepQuiet, limits } from '../connection/sessions.js';

/** The advisory lock's key: the bytes of `loadctl` as a number. In every database the same, for every version. */
const lockKey = '30521761571501164';

/** A session that holds the lock. */
export interface LockSession {
  readonly session: Session;
  /** Tells it from every other session that the server has had. */
  readonly name: string;
}

/** What came of a try: the lock, or whoever else has it (undefined where that is unknown). */
export type Tried = { readonly taken: LockSession } | { readonly holder: Holder | undefined; readonly place: Place };

/** Who holds the lock. */
export interface Holder {
  readonly session: string;
  readonly application: string | null;
  readonly client: string | null;
  readonly role: string | null;
  readonly since: string | null;
  readonly pid: number;
}

/**
 * Tries to take the lock in a session of its own, which a pooler must not share out. `former` is a session of ours that
 * held it before: where the server has not noticed that it was lost, it is ended.
 */
export async function tryLock(address: Address, context: StoreContext, former?: string): Promise<Tried> {
  const session = await openSession(address, context);
  try {
    await refusePooler(session, context);
    await keepQuiet(session, limits.lock);
    let holder = await lockOrHolder(session);
    if (holder !== 'taken' && holder !== undefined && holder.session === former) {
      await endSession(session, former);
      holder = await lockOrHolder(session);
    }
    if (holder !== 'taken') {
      await session.close();
      return { holder, place: session.place };
    }
    const name = await sessionName(session);
    // An interrupt ends the work that the lock protects, not the lock: cleanup still needs it.
    session.seal();
    return { taken: { session, name } };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Takes the lock, or hands back who has it. */
async function lockOrHolder(session: Session): Promise<'taken' | Holder | undefined> {
  const { rows } = await session.query<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${lockKey}) AS taken`);
  return rows[0]?.taken ? 'taken' : findHolder(session);
}

/** Whether the session still is what it was, and holds the lock. */
export async function holdsLock(session: Session): Promise<boolean> {
  return (await session.query(`SELECT 1 FROM pg_locks l WHERE l.pid = pg_backend_pid() AND ${heldLock}`)).rows.length > 0;
}

/** Whether one of these sessions ({@link LockSession.name}) holds the lock, as an SQL expression; `$n` is their names. */
export function isHeldBySql(names: string): string {
  // Where another role's session hides when it began, its process tells it: it holds the lock.
  const known = `SELECT 1 FROM unnest(${names}::text[]) AS known WHERE ${sessionOf('a')} IN (known, split_part(known, ' ', 1) || ' ')`;
  return `EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE EXISTS (${known}) AND ${heldLock})`;
}

/** Whether a holder is one of our own sessions, by its name: all of it, or its process where another role's session hides the rest. */
export function isSession({ session }: Holder, name: string): boolean {
  return session === name || session === `${name.split(' ')[0]} `;
}

/** The error for a lock that is held no more. */
export function lostLock({ name }: Place): LoadctlError {
  return new LoadctlError('unavailable', `lost the lock that keeps other runs out: ${name}: it is held no more`, {
    hint: 'Check the database and the network to it, then run the command again.',
  });
}

/** Whether one of these sessions still holds it; true where no lock was taken. */
export async function isLocked(session: Session, names: readonly string[] | undefined): Promise<boolean> {
  if (names === undefined) return true;
  return (await session.query<{ held: boolean }>(`SELECT ${isHeldBySql('$1')} AS held`, [names])).rows[0]?.held ?? false;
}

/** The error for a lock that is held elsewhere. */
export function takenBy(place: Place, holder: Holder | undefined): LoadctlError {
  return new LoadctlError('refused', `${place.name}: another loadctl works on the database ${place.database}: ${describeHolder(holder)}`, {
    hint: holder
      ? `Wait until it is done. If it died, end its session: SELECT pg_terminate_backend(${holder.pid});`
      : 'Run the command again.',
  });
}

/** Who holds the lock, in words. */
export function describeHolder(holder: Holder | undefined): string {
  if (holder === undefined) return 'a session that has just released it';
  const { application, client, role, since, pid } = holder;
  return `${application || 'a session'} from ${client ?? 'the same machine'} as ${role ?? 'another role'} since ${since ?? 'some time'} (pid ${pid})`;
}

async function sessionName(session: Session): Promise<string> {
  const { rows } = await session.query<{ session: string }>(
    `SELECT ${sessionOf('a')} AS session FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()`,
  );
  return rows[0]?.session ?? '';
}

function sessionOf(alias: string): string {
  return `${alias}.pid || ' ' || coalesce(extract(epoch FROM ${alias}.backend_start)::text, '')`;
}

const heldLock = `l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = ${lockKey}::bigint >> 32 AND l.objid::bigint = ${lockKey}::bigint & 4294967295`;

async function findHolder(session: Session): Promise<Holder | undefined> {
  const { rows } = await session.query<Holder>(
    `SELECT ${sessionOf('a')} AS session, a.application_name AS application, host(a.client_addr) AS client, a.usename AS role,
            to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since, a.pid
       FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE ${heldLock}`,
  );
  return rows[0];
}

/** Ends a session and waits for its end, a second at most. */
async function endSession(session: Session, name: string): Promise<void> {
  await session.query(`SELECT pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a WHERE ${sessionOf('a')} = $1`, [name]);
}
