import { errorMessage } from '../../core/errors.js';
import type { StoreContext } from '../types.js';
import { type Entry, type EntryStep, entryBatches } from './entries.js';
import type { Ranges } from './ranges.js';
import { type Servers, valueIn } from './servers.js';
import { unlinkWhenEqual } from './values.js';

const mostPasses = 10;

/** Takes back entries that were written by us, where nobody changed them; over again, as a failover may bring one back. */
export async function takeBack(servers: Servers, step: EntryStep, created: Ranges, { emit, store }: StoreContext): Promise<void> {
  try {
    for (let pass = 1; pass <= mostPasses; pass++) {
      if ((await unlinkAll(servers, step, created)) === 0) return;
      await servers.replicate();
    }
  } catch (error) {
    const message = `${store}: what this seed wrote of ${step.key} could not be taken back (${errorMessage(error)})`;
    emit({ type: 'warned', message, hint: 'Take it out with `loadctl cleanup --users`.' });
  }
}

async function unlinkAll(servers: Servers, step: EntryStep, created: Ranges): Promise<number> {
  let gone = 0;
  for (const range of created) {
    for (const entries of entryBatches(step, servers.width(), range)) gone += (await unlinkEqual(servers, entries)).length;
  }
  return gone;
}

/** Deletes those of the entries that are as they were seeded; hands them back, each with the server that it was at. */
export async function unlinkEqual(
  servers: Servers,
  entries: readonly Entry[],
): Promise<{ readonly entry: Entry; readonly node: string }[]> {
  const answers = await servers.run(entries.map(unlinkWhenEqual));
  return entries.flatMap((entry, index) => {
    const answer = answers[index];
    return valueIn(servers, answer) === 1 ? [{ entry, node: answer?.node ?? '' }] : [];
  });
}
