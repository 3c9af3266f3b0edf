import { LoadctlError } from '../../core/errors.js';
import type { PostgresStore } from '../../profile/schema.js';
import type { DatabaseLock, StoreContext } from '../types.js';
import { type Address, addressesOf } from './places.js';
import { openSession, type Session } from './session.js';

/** The advisory lock's key: the bytes of `loadctl` as a number. In every database the same, for every version. */
export const lockKey = '30521761571501164';

const heartbeatMs = 5000;
const answerMs = 10_000;

/** Takes the lock in every database of a store, or throws `refused` and says who holds it. */
export async function lockStore(config: PostgresStore, context: StoreContext, held: readonly DatabaseLock[]): Promise<DatabaseLock[]> {
  const taken: DatabaseLock[] = [];
  try {
    for (const address of addressesOf(context.store, config).sort((one, other) => (one.url < other.url ? -1 : 1))) {
      const lock = await lockDatabase(address, context, [...held, ...taken]);
      if (lock) taken.push(lock);
    }
    return taken;
  } catch (error) {
    for (const lock of taken) await lock.release();
    throw error;
  }
}

async function lockDatabase(address: Address, context: StoreContext, held: readonly DatabaseLock[]): Promise<DatabaseLock | undefined> {
  const session = await openSession(address, context);
  try {
    await keepAlive(session);
    const { rows } = await session.query<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${lockKey}) AS taken`);
    if (rows[0]?.taken) {
      const name = await sessionName(session);
      // An interrupt ends the work that the lock protects, not the lock: cleanup still needs it.
      session.seal();
      return holdLock(session, name, context);
    }
    const holder = await findHolder(session);
    await session.close();
    // Two stores in one database: the lock is ours already.
    if (holder && held.some((lock) => lock.session === holder.session)) return undefined;
    throw takenBy(session, holder);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Makes the server notice within half a minute that we are gone, and keeps it from ending a session that only waits. */
async function keepAlive(session: Session): Promise<void> {
  const wanted = {
    tcp_keepalives_idle: '10',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '3',
    idle_session_timeout: '0',
    statement_timeout: '0',
  };
  await session.query(
    `SELECT set_config(s.name, w.value, false) FROM json_each_text($1::json) AS w(name, value) JOIN pg_settings s USING (name) WHERE s.context = 'user'`,
    [JSON.stringify(wanted)],
  );
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

interface Holder {
  readonly session: string;
  readonly application: string | null;
  readonly client: string | null;
  readonly role: string | null;
  readonly since: string | null;
  readonly pid: number;
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

function takenBy({ place }: Session, holder: Holder | undefined): LoadctlError {
  const who = holder
    ? `${holder.application || 'somebody'} from ${holder.client ?? 'the same machine'} as ${holder.role ?? 'another role'} since ${holder.since ?? 'some time'} (pid ${holder.pid})`
    : 'somebody who let go of it just now';
  return new LoadctlError('refused', `${place.name}: another loadctl works on the database ${place.database}: ${who}`, {
    hint: holder
      ? `Wait until it is done; if it is gone for good, end its session: SELECT pg_terminate_backend(${holder.pid});`
      : 'Run the command again.',
  });
}

/** Watches over the lock: the session may end, or a pooler between may hand it to somebody else. */
function holdLock(session: Session, name: string, { clock }: StoreContext): DatabaseLock {
  const released = new AbortController();
  const lost = Promise.race([session.ended, watch(session, clock, released.signal)]);
  return {
    session: name,
    lost: lost.then((error) => (released.signal.aborted ? new Promise<never>(() => undefined) : error)),
    async release() {
      released.abort();
      await session.close();
    },
  };
}

async function watch(session: Session, clock: StoreContext['clock'], released: AbortSignal): Promise<Error> {
  const stillHeld = async () =>
    (await session.query(`SELECT 1 FROM pg_locks l WHERE l.pid = pg_backend_pid() AND ${heldLock}`)).rows.length > 0;
  while (!released.aborted) {
    await clock.sleep(heartbeatMs, released);
    if (released.aborted) break;
    const answered = new AbortController();
    const late = clock
      .sleep(answerMs, answered.signal)
      .then(() => new Error(`${session.place.name} did not answer for ${answerMs / 1000} s`));
    const checked = stillHeld().then(
      (held) => (held ? undefined : new Error('the session no longer holds it (is there a connection pooler between?)')),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    const problem = await Promise.race([checked, late]);
    answered.abort();
    if (problem) return problem;
  }
  return new Promise<never>(() => undefined);
}
