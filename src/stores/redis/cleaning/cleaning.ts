import type { CleanedKeys, CleanupStatement } from '../../../core/receipt.js';
import type { CleanupCache, RedisStore } from '../../../profile/sections/schema.js';
import type { Cleaning, StoreContext, StoreTask } from '../../kind/types.js';
import { seedIndex } from '../connection/login.js';
import type { Servers } from '../connection/servers.js';
import { entriesOf, isEntryStep } from '../keys/entries.js';
import { knownKeys } from '../keys/patterns.js';
import { sumUpOthers } from '../proof/others.js';
import { openServers } from '../servers/open.js';
import { keysJob } from './by-pattern.js';
import { flushJob, testDatabase } from './flushing.js';
import type { Job } from './job.js';
import { membersJob } from './members.js';
import { type TakenSeeded, takeSeeded } from './take-seeded.js';
import { type Counts, type Tally, tally, total } from './tally.js';

/** A job with what came of it so far. */
interface Progress {
  readonly job: Job;
  readonly deleted: Tally;
  left: Counts;
  /** How long its sweeps took. */
  ms: number;
}

/** Connects to the indexes that are cleaned up. */
export async function openCleaning(config: RedisStore, task: StoreTask, context: StoreContext): Promise<Cleaning> {
  const { store, clock } = context;
  const open = new Map<number, Servers>();
  const connect = async (index: number) => {
    const servers = open.get(index) ?? (await openServers(config, index, context));
    open.set(index, servers);
    return servers;
  };
  const close = () => {
    for (const servers of open.values()) servers.close();
    return Promise.resolve();
  };
  const notes = new Set<string>();
  const note = (text: string) => void notes.add(text);
  const home = () => connect(seedIndex(store, config));
  const isKnown = knownKeys(task);
  const makeJob = async (cache: CleanupCache): Promise<Job> => {
    if ('flush' in cache) return flushJob(await connect(testDatabase(store, config)), cache, isKnown, note);
    return 'keys' in cache ? keysJob(await home(), cache.keys) : membersJob(await home(), cache, note);
  };
  const progress: Progress[] = [];
  try {
    for (const cache of task.caches) progress.push({ job: await makeJob(cache), deleted: tally(), left: new Map(), ms: 0 });
  } catch (error) {
    await close();
    throw error;
  }
  const steps = task.seed.filter(isEntryStep).map((step) => entriesOf(step, task.source(step)));
  const seeded: TakenSeeded[] = [];
  return {
    async check(users) {
      if (users && steps.length > 0) await home();
      for (const each of progress) {
        await each.job.check();
        each.left = await each.job.count();
      }
    },
    async sweep() {
      const swept = { deleted: 0, left: 0 };
      for (const each of progress) {
        const startedAt = clock.now();
        const before = total(each.deleted.counts);
        await each.job.take(each.deleted);
        each.left = await each.job.count();
        each.ms += clock.now() - startedAt;
        swept.deleted += total(each.deleted.counts) - before;
        swept.left += total(each.left);
      }
      return swept;
    },
    async takeSeeded(dryRun) {
      for (const step of steps) seeded.push(await takeSeeded(await home(), step, { dryRun, clock, note }));
    },
    others: (proof) => sumUpOthers(home, config, task, proof),
    report: (dryRun) => ({
      rows: [],
      keys: [...progress.flatMap((each) => rowsOf(each.job, each)), ...seeded.flatMap((taken) => rowsOf(taken, taken))],
      statements: [
        ...progress.map((each) => statementOf(each.job, each, dryRun)),
        ...seeded.map((taken) => statementOf(taken, taken, dryRun)),
      ],
      notes: [...notes],
      countable: true,
    }),
    close,
  };
}

type Subject = Pick<Job, 'servers' | 'what' | 'which' | 'statement'>;
type Outcome = Pick<Progress, 'deleted' | 'left' | 'ms'>;

/** A row for each server, those too that have left the cluster since: their keys are another one's now, and counted there. */
function rowsOf({ servers, what, which }: Subject, { deleted, left }: Outcome): CleanedKeys[] {
  const nodes = [...new Set([...left.keys(), ...deleted.counts.keys()])].sort();
  return nodes.map((node) => ({
    what,
    store: servers.store,
    node,
    database: servers.index,
    which,
    deleted: deleted.counts.get(node) ?? 0,
    left: left.get(node) ?? 0,
  }));
}

/** What the servers are asked; in a dry run with the keys that it would hit. */
function statementOf({ servers, statement }: Subject, { deleted, left, ms }: Outcome, dryRun: boolean): CleanupStatement {
  return { store: servers.store, shard: null, sql: statement, rows: total(dryRun ? left : deleted.counts), ms };
}
