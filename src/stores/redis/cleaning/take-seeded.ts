import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { Servers } from '../connection/servers.js';
import { type Entries, entryBatches } from '../keys/entries.js';
import { unlinkEqual } from '../keys/take-back.js';
import { compare } from '../keys/values.js';
import { type Job, whereText } from './job.js';
import { type Counts, type Tally, tally, total } from './tally.js';

/** Seeded entries of one step that were taken out, and those that are there still. */
export interface TakenSeeded extends Pick<Job, 'servers' | 'what' | 'which' | 'statement'> {
  readonly deleted: Tally;
  readonly left: Counts;
  readonly ms: Milliseconds;
}

/** How seeded entries are taken out. */
export interface Taking {
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** Keeps what the receipt should say. */
  note(text: string): void;
}

const mostPasses = 10;

/** Takes out a step's entries where they are as they were seeded; over again while some are, as a failover brings them back. */
export async function takeSeeded(servers: Servers, entries: Entries, { dryRun, clock, note }: Taking): Promise<TakenSeeded> {
  const { key } = entries.step;
  const startedAt = clock.elapsed();
  const deleted = tally();
  let there = await countSeeded(servers, entries);
  for (let pass = 1; !dryRun && total(there.equal) > 0 && pass <= mostPasses; pass++) {
    for (const batch of entryBatches(entries, servers.width()))
      for (const { node } of await unlinkEqual(servers, batch)) deleted.add(node, 1);
    await servers.replicate();
    there = await countSeeded(servers, entries);
  }
  if (there.changed > 0) note(`${servers.store}: ${changedEntries(there.changed)} (${key}) left as found`);
  const ms = dryRun ? 0 : Math.round(clock.elapsed() - startedAt);
  const which = `seeded and unchanged: ${key}`;
  const statement = `${whereText(servers)}UNLINK ${which}`;
  return { servers, what: 'keys', which, statement, deleted, left: there.equal, ms };
}

async function countSeeded(servers: Servers, entries: Entries): Promise<{ readonly equal: Counts; readonly changed: number }> {
  const equal = tally();
  let changed = 0;
  for (const batch of entryBatches(entries, servers.width())) {
    for (const { state, node } of await compare(servers, batch)) {
      equal.add(node, state === 'equal' ? 1 : 0);
      if (state === 'different') changed++;
    }
  }
  return { equal: equal.counts, changed };
}

function changedEntries(count: number): string {
  return count === 1 ? '1 entry that was changed since the seed' : `${count} entries that were changed since the seed`;
}
