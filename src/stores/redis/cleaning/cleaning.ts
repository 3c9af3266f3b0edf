import type { CleanedKeys, CleanupStatement, ReceiptLine } from '../../../core/receipt.js';
import type { CleanupKeys, RedisStore } from '../../../profile/sections/schema.js';
import type { CheckedCleaning, Cleaning, FormerEntries, StoreContext, StoreTask } from '../../kind/types.js';
import { seedIndex } from '../connection/login.js';
import type { Servers } from '../connection/servers.js';
import { entriesOf } from '../keys/entries.js';
import { sumUpOthers } from '../proof/others.js';
import { openIndexes } from '../servers/indexes.js';
import { matchJob } from './by-pattern.js';
import { flushEverythingJob, flushJob, testDatabase } from './flushing.js';
import { findSets } from './found-sets.js';
import type { Job } from './job.js';
import { membersJob } from './members.js';
import { changedEntries, formerKeptLine, formerLine, keptLine, takeChanged } from './take-seeded.js';
import { type Counts, type Tally, tally, total } from './tally.js';
import { cleaningWork, type Progress } from './work.js';

/** Connects to the indexes that are cleaned up. */
export async function openCleaning(config: RedisStore, task: StoreTask, context: StoreContext): Promise<Cleaning> {
  const { store, clock } = context;
  const indexes = openIndexes(config, context);
  const home = () => indexes.connect(seedIndex(store, config));
  const makeJob = async (entry: CleanupKeys): Promise<Job> => {
    if ('match' in entry) return matchJob(await home(), entry, task);
    if ('members' in entry) return membersJob(await home(), entry, task);
    const servers = await indexes.connect(testDatabase(store, config));
    return entry.everything === true ? flushEverythingJob(servers) : flushJob(servers, task);
  };
  const progress: Progress[] = [];
  try {
    for (const entry of task.keys) progress.push({ job: await makeJob(entry), deleted: tally(), left: undefined, ms: 0 });
  } catch (error) {
    indexes.close();
    throw error;
  }
  const work = cleaningWork(progress, { indexes, home, task, clock });
  const lines: ReceiptLine[] = [];
  const lookForFormer = async () => {
    for (const former of task.formerEntries)
      for (const entry of former.task.keys) lines.push(...(await formerEntryLine(await home(), entry, former, task)));
  };
  const checked: CheckedCleaning = {
    hazards: [],
    tables: [],
    async count() {
      for (const each of progress) each.left = await each.job.count();
    },
    countSets: () => findSets(home, task),
    sweep: work.sweep,
    async takeSeeded(dryRun) {
      if (!dryRun) await lookForFormer();
      await work.takeSeeded(dryRun);
      for (const former of task.former) lines.push(...(await formerLine(await home(), former, task)));
    },
    async keepSeeded() {
      await lookForFormer();
      for (const set of task.entries) lines.push(...(await keptLine(await home(), entriesOf(set, task.source(set)))));
      for (const former of task.former) lines.push(...(await formerKeptLine(await home(), former, task)));
    },
    async changed() {
      const found = [];
      for (const set of task.entries) found.push(...(await changedEntries(await home(), set, task)));
      return found;
    },
    async takeChanged(removed) {
      for (const set of task.entries) await takeChanged(await home(), { set, task, removed });
    },
    others: (proof) => sumUpOthers(home, config, task, proof),
    report: (dryRun) => ({
      rows: [],
      keys: [...progress.flatMap((each) => rowsOf(each.job, each)), ...work.seeded.flatMap((taken) => rowsOf(taken, taken))],
      statements: [
        ...progress.map((each) => statementOf(each.job, each, dryRun)),
        ...work.seeded.map((taken) => statementOf(taken, taken, dryRun)),
      ],
      lines: [...progress.flatMap((each) => linesOf(each, dryRun)), ...work.seeded.flatMap((taken) => taken.lines), ...lines],
      notes: [],
    }),
  };
  return {
    async check(asked) {
      if (asked.seeded && task.entries.length > 0) await home();
      if (asked.isLookedAhead !== true) for (const { job } of progress) await job.check();
      return checked;
    },
    close() {
      indexes.close();
      return Promise.resolve();
    },
  };
}

/** Keys or members that an entry found when its set was seeded; those that it finds now are out by then, or told. */
async function formerEntryLine(
  servers: Servers,
  entry: CleanupKeys,
  { task: then, why, again }: FormerEntries,
  task: StoreTask,
): Promise<ReceiptLine[]> {
  if ('flush' in entry) return [];
  const jobFor = (each: StoreTask) => ('match' in entry ? matchJob(servers, entry, each) : membersJob(servers, entry, each));
  const { what, which, count } = jobFor(then);
  const more = total(await count()) - total(await jobFor(task).count());
  if (more <= 0) return [];
  const command = `loadctl cleanup ${task.named} ${again}`;
  return [
    {
      kind: 'left',
      store: servers.store,
      shard: null,
      what: `${what} ${which}`,
      count: more,
      why: `they fit it as it was: ${why}`,
      command,
    },
  ];
}

/** Why an entry's keys are there still, or may be. */
function linesOf({ job, left }: Progress, dryRun: boolean): ReceiptLine[] {
  const count = left === undefined ? null : total(left);
  const place = { store: job.servers.store, shard: null, what: `${job.what} ${job.which}`, count };
  if (dryRun) return [...job.lines()];
  if (count === null) return [{ ...place, kind: 'unknown', why: 'they were not counted' }];
  if (count === 0) return [...job.lines()];
  return [{ ...place, kind: 'left', why: 'they are back after their removal: another writer still creates them' }, ...job.lines()];
}

type Subject = Pick<Job, 'servers' | 'what' | 'which' | 'statement'>;
type Outcome = { readonly deleted: Tally; readonly left: Counts | undefined; readonly ms: number };

/** A row for each server, those too that have left the cluster since: their keys are another one's now, and counted there. */
function rowsOf({ servers, what, which }: Subject, { deleted, left = new Map() }: Outcome): CleanedKeys[] {
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
function statementOf({ servers, statement }: Subject, { deleted, left = new Map(), ms }: Outcome, dryRun: boolean): CleanupStatement {
  return { store: servers.store, shard: null, sql: statement, rows: total(dryRun ? left : deleted.counts), ms: Math.round(ms) };
}
