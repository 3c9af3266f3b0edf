import { LoadctlError } from '../../../core/errors.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { DatabaseLock, StoreContext, WantedLock } from '../../kind/types.js';
import type { Place } from '../connection/errors.js';
import { type Address, addressesOf } from '../connection/places.js';
import { keepLock } from './keep-lock.js';
import { isSession, takenBy, tryLock } from './try-lock.js';

/** Takes the lock in every database of a store, or throws `refused` and says who holds it, or that a pooler is between. */
export async function lockStore(config: PostgresStore, context: StoreContext, wanted: WantedLock): Promise<DatabaseLock[]> {
  const taken: DatabaseLock[] = [];
  try {
    for (const address of addressesOf(context.store, config).sort((one, other) => (one.url < other.url ? -1 : 1))) {
      const lock = await lockDatabase(address, context, wanted, taken);
      if (lock) taken.push(lock);
    }
    return taken;
  } catch (error) {
    for (const lock of taken) await lock.release();
    throw error;
  }
}

async function lockDatabase(
  address: Address,
  context: StoreContext,
  { held, regains }: WantedLock,
  shards: readonly DatabaseLock[],
): Promise<DatabaseLock | undefined> {
  const tried = await tryLock(address, context);
  if ('taken' in tried) return keepLock(tried.taken, context, regains);
  const { holder, place } = tried;
  // Two stores in one database: the lock is ours already.
  const isHolder = (lock: DatabaseLock) => holder !== undefined && isSession(holder, lock.session);
  if (held.some(isHolder)) return undefined;
  if (shards.some(isHolder)) throw sameDatabase(place);
  throw takenBy(place, holder);
}

/** Rows of one shard would be looked for, and put, among those of another. */
function sameDatabase({ name, host, port, database }: Place): LoadctlError {
  return new LoadctlError('invalid-profile', `${name}: ${host}:${port}/${database} is already used by another shard`, {
    hint: 'Give each of `shards` a database of its own.',
  });
}
