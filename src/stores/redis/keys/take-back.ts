import { errorMessage } from '../../../core/errors.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { type Entries, entryBatches } from './entries.js';
import type { Ranges } from './ranges.js';
import { type Compared, compare, unlinkAsFound } from './values.js';

const mostPasses = 10;

/**
 * Takes back entries that were written by us, where nobody changed them; over again, as a failover may bring one back. Hands back
 * whether it could.
 */
export async function takeBack(
  servers: Servers,
  entries: Entries,
  created: Ranges,
  { emit, store, named }: Pick<StoreContext, 'emit' | 'store'> & Pick<StoreTask, 'named'>,
): Promise<boolean> {
  try {
    for (let pass = 1; pass <= mostPasses; pass++) {
      if ((await unlinkAll(servers, entries, created)) === 0) return true;
      await servers.replicate();
    }
    return true;
  } catch (error) {
    const place = { store, shard: null };
    const command = `loadctl cleanup ${named} --seeded`;
    emit({ type: 'warned', code: 'seed-not-taken-back', place, what: entries.set.key, why: errorMessage(error), command });
  }
  return false;
}

async function unlinkAll(servers: Servers, entries: Entries, created: Ranges): Promise<number> {
  let gone = 0;
  for (const range of created) {
    for (const batch of entryBatches(entries, servers.width(), range)) {
      const equal = (await compare(servers, batch)).filter(({ state }) => state === 'equal');
      gone += (await unlinkFound(servers, equal)).length;
    }
  }
  return gone;
}

/** Deletes those of the entries that still hold what was found there; hands them back. */
export async function unlinkFound(servers: Servers, found: readonly Compared[]): Promise<Compared[]> {
  const answers = await servers.run(found.map(({ entry, stored = [] }) => unlinkAsFound(entry, stored)));
  return found.filter((_, index) => valueIn(servers, answers[index]) === 1);
}
