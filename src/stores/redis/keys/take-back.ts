import { errorMessage } from '../../../core/errors.js';
import type { StoreContext } from '../../kind/types.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { type Entries, type Entry, entryBatches } from './entries.js';
import type { Ranges } from './ranges.js';
import { compare, unlinkWhenEqual } from './values.js';

const mostPasses = 10;

/** Takes back entries that were written by us, where nobody changed them; over again, as a failover may bring one back. */
export async function takeBack(servers: Servers, entries: Entries, created: Ranges, { emit, store }: StoreContext): Promise<void> {
  try {
    for (let pass = 1; pass <= mostPasses; pass++) {
      if ((await unlinkAll(servers, entries, created)) === 0) return;
      await servers.replicate();
    }
  } catch (error) {
    const place = { store, shard: null };
    emit({ type: 'warned', code: 'seed-not-taken-back', place, what: entries.step.key, why: errorMessage(error) });
  }
}

async function unlinkAll(servers: Servers, entries: Entries, created: Ranges): Promise<number> {
  let gone = 0;
  for (const range of created) {
    for (const batch of entryBatches(entries, servers.width(), range)) gone += (await unlinkEqual(servers, batch)).length;
  }
  return gone;
}

/** Deletes those of the entries that are as they were seeded; hands them back, each with the server that it was at. */
export async function unlinkEqual(
  servers: Servers,
  entries: readonly Entry[],
): Promise<{ readonly entry: Entry; readonly node: string }[]> {
  const stored = entries.some(({ fits }) => fits) ? await asStored(servers, entries) : entries;
  const answers = await servers.run(stored.map(unlinkWhenEqual));
  return stored.flatMap((entry, index) => {
    const answer = answers[index];
    return valueIn(servers, answer) === 1 ? [{ entry, node: answer?.node ?? '' }] : [];
  });
}

/** Those that are there as a seed of some day wrote them, with that day's values. */
async function asStored(servers: Servers, entries: readonly Entry[]): Promise<Entry[]> {
  const compared = await compare(servers, entries);
  return compared.flatMap(({ entry, state, stored }) => (state === 'equal' ? [{ ...entry, value: stored ?? entry.value }] : []));
}
