import type { PostgresStore } from '../../profile/sections/schema.js';
import { together } from '../kind/together.js';
import type { StoreContext } from '../kind/types.js';
import { addressesOf } from './connection/places.js';
import { openSession } from './connection/session.js';

/** Logs in to every database of the store once, and says who answers; nothing of theirs is read. */
export async function reachStore(config: PostgresStore, context: StoreContext): Promise<readonly string[]> {
  return together(addressesOf(context.store, config), async (address) => {
    const session = await openSession(address, context);
    try {
      const { rows } = await session.query<{ server_version: string }>('SHOW server_version');
      const { host, port, database, role } = session.place;
      return `PostgreSQL ${rows[0]?.server_version ?? ''} at ${host}:${port}, ${database} as ${role}`;
    } finally {
      await session.close();
    }
  });
}
