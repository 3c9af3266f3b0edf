import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import type { StoreContext } from '../../kind/types.js';
import { type Address, addressesOf } from './places.js';
import { openSession, type Session } from './session.js';

/** What a role or a database sets for other people's queries must not end ours; and one of our queries takes one core. */
const wanted = {
  statement_timeout: '0',
  transaction_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  lock_timeout: '30s',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
};

/** Connects to one database, for work that takes its time. */
export async function openWorkSession(address: Address, context: StoreContext): Promise<Session> {
  const session = await openSession(address, context);
  try {
    await setWhatThereIs(session, wanted);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Sets those of the settings for the session that this server knows; each version has more of them. */
export async function setWhatThereIs(session: Session, settings: Readonly<Record<string, string>>): Promise<void> {
  await session.query(
    `SELECT set_config(s.name, w.value, false) FROM json_each_text($1::json) AS w(name, value) JOIN pg_settings s USING (name) WHERE s.context = 'user'`,
    [JSON.stringify(settings)],
  );
}

/** Connects to every database of a store; closes what is open when one cannot be reached. */
export async function openSessions(config: PostgresStore, context: StoreContext): Promise<Session[]> {
  const open: Session[] = [];
  try {
    return await together(addressesOf(context.store, config), async (address) => {
      const session = await openWorkSession(address, context);
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
