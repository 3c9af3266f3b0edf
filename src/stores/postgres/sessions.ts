import type { PostgresStore } from '../../profile/schema.js';
import { together } from '../together.js';
import type { StoreContext } from '../types.js';
import { addressesOf } from './places.js';
import { openSession, type Session } from './session.js';

/** Connects to every database of a store; closes what is open when one cannot be reached. */
export async function openSessions(config: PostgresStore, context: StoreContext): Promise<Session[]> {
  const open: Session[] = [];
  try {
    return await together(addressesOf(context.store, config), async (address) => {
      const session = await openSession(address, context);
      open.push(session);
      // What the profile's role or database sets for other people's queries must not end ours; and one of our queries takes one core.
      await session.query(
        `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '30s'; SET max_parallel_workers_per_gather = 0; SET jit = off`,
      );
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
