import type { Clock } from '../../../core/os.js';
import { addSwept, nothingSwept, type StoreTask, type Swept } from '../../kind/types.js';
import type { Servers } from '../connection/servers.js';
import { entriesOf } from '../keys/entries.js';
import type { Indexes } from '../servers/indexes.js';
import type { Job } from './job.js';
import { type TakenSeeded, takeSeeded } from './take-seeded.js';
import { type Counts, type Tally, total } from './tally.js';

/** A job with what came of it so far. */
export interface Progress {
  readonly job: Job;
  readonly deleted: Tally;
  left: Counts | undefined;
  /** How long its sweeps took. */
  ms: number;
}

/** What deleting entries and sets needs. */
interface Means {
  readonly indexes: Indexes;
  readonly home: () => Promise<Servers>;
  readonly task: StoreTask;
  readonly clock: Clock;
}

/** A cluster that fails over as often is not one to clean up. */
const mostPasses = 5;

/**
 * Sweeps the entries and takes out the sets. A failover loses deletes that its new primary had not received: where another server
 * holds the keys when the sets are out, what is back is removed and counted again.
 */
export function cleaningWork(progress: readonly Progress[], { indexes, home, task, clock }: Means) {
  let holders = '';
  const seeded: TakenSeeded[] = [];
  const sweep = async () => {
    holders = await indexes.holders();
    return sweepAll(progress, clock);
  };
  const takeSets = async (dryRun: boolean) => {
    for (const [index, set] of task.entries.entries()) {
      const before = seeded[index]?.deleted;
      const taking = { task, dryRun, clock, ...(before === undefined ? {} : { before }) };
      // Each is kept at once: whatever ends the next one, the receipt has it.
      seeded[index] = await takeSeeded(await home(), entriesOf(set, task.source(set)), taking);
    }
  };
  return {
    sweep,
    seeded,
    async takeSeeded(dryRun: boolean) {
      await takeSets(dryRun);
      for (let pass = 1; !dryRun && pass <= mostPasses && holders !== (await indexes.holders()); pass++) {
        await sweep();
        await takeSets(dryRun);
      }
    },
  };
}

async function sweepAll(progress: readonly Progress[], clock: Clock): Promise<Swept> {
  let swept = nothingSwept;
  for (const each of progress) swept = addSwept(swept, await sweepOne(each, clock));
  return swept;
}

async function sweepOne(each: Progress, clock: Clock): Promise<Swept> {
  const { job, deleted } = each;
  const startedAt = clock.elapsed();
  const before = total(deleted.counts);
  await job.take(deleted);
  each.left = await job.count();
  each.ms += clock.elapsed() - startedAt;
  const gone = total(deleted.counts) - before;
  const from = gone > 0 ? [{ store: job.servers.store, shard: null, what: `${job.what} ${job.which}`, deleted: gone }] : [];
  return { deleted: gone, left: total(each.left), from };
}
