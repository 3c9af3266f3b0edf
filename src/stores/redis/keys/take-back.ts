import { throwIfAborted } from '../../../core/abort.js';
import { errorMessage } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { isRefusal } from '../connection/errors.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { unlinkAsFound } from './commands.js';
import { type Entries, type Entry, entryBatches } from './entries.js';
import { type Ranges, ranges } from './ranges.js';
import { type Compared, compare } from './values.js';

const mostPasses = 10;

/** What a seed wrote of a set and is there still, as far as is known. */
export interface Written {
  readonly entries: Entries;
  readonly created: Ranges;
  /** Those of them that no answer came to: they may be in, or not. */
  readonly unheard: Ranges;
}

type Taking = Pick<StoreContext, 'emit' | 'store' | 'signal'> & Pick<StoreTask, 'named'>;

/**
 * Takes back entries that were written by us, where nobody changed them; over again, as a failover may bring one back. What is known
 * to be gone is `created` no more; what stays is told.
 */
export async function takeBack(servers: Servers, written: Written, { emit, store, named, signal }: Taking): Promise<void> {
  const what = written.entries.set.key;
  const tell = (why: string, command: string) =>
    emit({ type: 'warned', code: 'seed-not-taken-back', place: { store, shard: null }, what, why, command });
  const ours = ranges(written.created);
  try {
    let left = await unlinkOurs(servers, written, { ours, signal });
    for (let pass = 2; left.equal > 0 && pass <= mostPasses; pass++) {
      await servers.replicate();
      left = await unlinkOurs(servers, written, { ours, signal });
    }
    if (left.changed > 0) tell(`${formatCount(left.changed)} changed since`, `loadctl seed ${named} --reset`);
    if (left.equal > 0) tell('they come back as soon as they are removed', `loadctl cleanup ${named} --seeded`);
  } catch (error) {
    tell(errorMessage(error), `loadctl cleanup ${named} --seeded`);
  }
}

interface Unlinking {
  /** All that was written: what is gone may come back. */
  readonly ours: Ranges;
  readonly signal: AbortSignal;
}

/** Hands back how many were there as they were written, and how many hold something else by now. */
async function unlinkOurs(servers: Servers, written: Written, { ours, signal }: Unlinking): Promise<{ equal: number; changed: number }> {
  const left = { equal: 0, changed: 0 };
  for (const range of ours) {
    for (const batch of entryBatches(written.entries, servers.width(), range)) {
      throwIfAborted(signal);
      const found = await compare(servers, batch.map(asWritten));
      for (const { entry, state } of found) note(written, entry, state);
      const equal = found.filter(({ state }) => state === 'equal');
      left.equal += equal.length;
      left.changed += found.filter(({ state }) => state === 'different').length;
      await unlinkNoting(servers, written, equal);
    }
  }
  return left;
}

/** What another day would have written for {now} is not what this seed wrote. */
function asWritten({ n, key, form, parts }: Entry): Entry {
  return { n, key, form, parts };
}

function note({ created, unheard }: Written, { n }: Entry, state: Compared['state']): void {
  if (state === 'absent') created.delete(n);
  else created.add(n);
  if (state !== 'different') unheard.delete(n);
}

async function unlinkNoting(servers: Servers, { created, unheard }: Written, equal: readonly Compared[]): Promise<void> {
  const answers = await servers.run(equal.map(({ entry, stored = [] }) => unlinkAsFound(entry, stored)));
  for (const [index, { entry }] of equal.entries()) {
    const answer = answers[index];
    if (answer?.error === null && answer.value === 1) created.delete(entry.n);
    if (answer?.error && !isRefusal(answer.error)) unheard.add(entry.n);
  }
  for (const answer of answers) valueIn(servers, answer);
}

/** Deletes those of the entries that still hold what was found there; hands them back. */
export async function unlinkFound(servers: Servers, found: readonly Compared[]): Promise<Compared[]> {
  const answers = await servers.run(found.map(({ entry, stored = [] }) => unlinkAsFound(entry, stored)));
  return found.filter((_, index) => valueIn(servers, answers[index]) === 1);
}
