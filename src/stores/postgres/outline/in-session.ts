import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { addressesOf } from '../connection/places.js';
import { openSession, type Session } from '../connection/session.js';

/** Does something over one connection to the first database of a store. Throws `unavailable` where it is out of reach. */
export async function inSession<T>(config: PostgresStore, context: StoreContext, work: (session: Session) => Promise<T>): Promise<T> {
  const [address] = addressesOf(context.store, config);
  if (address === undefined) throw new Error(`the store ${context.store} has no address`);
  const session = await openSession(address, context);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
