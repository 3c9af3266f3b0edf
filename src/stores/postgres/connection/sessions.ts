import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import type { StoreContext } from '../../kind/types.js';
import { refusePooler } from './direct.js';
import { sqlState } from './errors.js';
import { type Address, addressesOf } from './places.js';
import { openSession, type Session } from './session.js';

/** Settings by their names, as SET takes them. */
type Settings = Readonly<Record<string, string>>;

/**
 * What keeps a session of ours from being a burden: a loadctl that was killed leaves a backend that looks whether anybody is
 * still there (14 and later, where the system can tell), one that is frozen leaves no transaction open, and a network that
 * swallows everything is noticed. What a role or a database sets for other people's queries must not end ours.
 */
const quiet: Settings = {
  client_connection_check_interval: '2s',
  idle_in_transaction_session_timeout: '3s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '15s',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
};

/** What no session of ours does for longer, whatever it is for. */
const brief = { statement_timeout: '5s', transaction_timeout: '8s', lock_timeout: '2s' } as const;

/** How a session is to work. */
export const limits = {
  /** In ranges: each statement has limits of its own, which are shorter. */
  ranges: { ...brief, idle_session_timeout: '0' },
  /** On few rows at a time that are looked up by their keys: a plan that reads a whole table is never the right one. */
  short: { ...brief, idle_session_timeout: '0', enable_hashjoin: 'off', enable_mergejoin: 'off' },
  /** The session that holds the lock: it must go when its loadctl does not ask any more, whatever the network says. */
  lock: { ...brief, idle_session_timeout: '10s' },
} as const satisfies Record<string, Settings>;

/**
 * Connects to one database, for work that takes its time. Settings stay with the session, so none is made before it is known
 * to be ours alone: the lock was taken where work is done, and a replica is asked here.
 */
export async function openWorkSession(address: Address, context: StoreContext, limit: Settings = limits.ranges): Promise<Session> {
  const session = await openSession(address, context);
  try {
    if (address.isReplica) await refusePooler(session, context);
    await keepQuiet(session, limit);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Makes the settings of a session that is ours alone, as many of them as the server knows and allows. */
export async function keepQuiet(session: Session, limit: Settings): Promise<void> {
  const settings = Object.entries({ ...quiet, ...limit });
  const set = (some: typeof settings) =>
    session
      .query(
        `SELECT set_config(s.name, w.value, false) FROM json_each_text($1::json) AS w(name, value) JOIN pg_settings s USING (name) WHERE s.context = 'user'`,
        [JSON.stringify(Object.fromEntries(some))],
      )
      .then(
        () => true,
        // Class 57: the session itself is at an end.
        (error: unknown) => (sqlState(error)?.startsWith('57') === false ? false : Promise.reject(error)),
      );
  if (await set(settings)) return;
  // One that is refused took all of them with it.
  for (const each of settings) await set([each]);
}

/** Connects to every database of a store; closes what is open when one cannot be reached. */
export async function openSessions(config: PostgresStore, context: StoreContext, limit: Settings = limits.ranges): Promise<Session[]> {
  const open: Session[] = [];
  try {
    return await together(addressesOf(context.store, config), async (address) => {
      const session = await openWorkSession(address, context, limit);
      open.push(session);
      return session;
    });
  } catch (error) {
    await closeAll(open);
    throw error;
  }
}

/** Ends the connections. */
export async function closeAll(sessions: readonly Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}
