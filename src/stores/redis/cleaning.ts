import { LoadctlError } from '../../core/errors.js';
import type { CleanupCache, RedisStore } from '../../profile/schema.js';
import type { CleanedKeys, Cleaning, CleanupStatement, StoreContext, StoreTask, Swept } from '../types.js';
import { type Connection, openConnection, urlIndex } from './connection.js';
import { type Entry, entryBatches, isEntryStep } from './entries.js';
import { knownKeys } from './patterns.js';
import { countKeys, findStrangers, unlinkKeys } from './scan.js';
import { compare } from './seeding.js';

type Flush = Extract<CleanupCache, { flush: unknown }>;

/** One entry of cleanup.caches on its way. */
interface Job {
  readonly connection: Connection;
  readonly cache: CleanupCache;
  deleted: number;
  left: number;
  /** How long its sweeps took. */
  ms: number;
}

/** Connects to the indexes that are cleaned up. */
export async function openCleaning(config: RedisStore, task: StoreTask, context: StoreContext): Promise<Cleaning> {
  const open = new Map<number, Connection>();
  const connect = async (index: number) => {
    const connection = open.get(index) ?? (await openConnection(config, index, context));
    open.set(index, connection);
    return connection;
  };
  const close = () => {
    for (const connection of open.values()) connection.close();
    return Promise.resolve();
  };
  const jobs: Job[] = [];
  const seeded: CleanedKeys[] = [];
  const notes = new Set<string>();
  const isKnown = knownKeys(task);
  try {
    for (const cache of task.caches) {
      const index = 'flush' in cache ? testDatabase(context.store, config) : urlIndex(context.store, config);
      jobs.push({ connection: await connect(index), cache, deleted: 0, left: 0, ms: 0 });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async check() {
      for (const job of jobs) await checkJob(job, isKnown);
    },
    async sweep() {
      const swept = { deleted: 0, left: 0 };
      for (const job of jobs) {
        const startedAt = context.clock.now();
        addTo(swept, await sweepJob(job, isKnown, notes));
        job.ms += context.clock.now() - startedAt;
      }
      return swept;
    },
    async takeSeeded(dryRun) {
      for (const step of task.seed.filter(isEntryStep)) {
        const connection = await connect(urlIndex(context.store, config));
        const taken = { deleted: 0, left: 0, changed: 0 };
        for (const entries of entryBatches(step))
          addTo(taken, dryRun ? await countUnchanged(connection, entries) : await takeUnchanged(connection, entries));
        if (taken.changed > 0) notes.add(`${context.store}: ${changedEntries(taken.changed)} (${step.key}) left as found`);
        seeded.push({ ...placeOf(connection), which: `seeded and unchanged: ${step.key}`, deleted: taken.deleted, left: taken.left });
      }
    },
    others: () => Promise.resolve([]),
    report: (dryRun) => ({
      rows: [],
      keys: [...jobs.map(reportOf), ...seeded],
      statements: [...jobs.map((job) => statementOf(job, dryRun)), ...seeded.map((keys) => seededStatement(keys, dryRun))],
      notes: [...notes],
      countable: true,
    }),
    close,
  };
}

/** The one index that may be flushed: never 0, whatever a profile says. */
function testDatabase(store: string, config: RedisStore): number {
  if (config.testDatabase !== undefined && config.testDatabase > 0) return config.testDatabase;
  throw new LoadctlError('refused', `the store ${store} has no test database, so nothing of it may be flushed`, {
    hint: 'Give the test an index of its own (`testDatabase: 1`), or delete by pattern: `keys: "…load-test-user-*"`.',
  });
}

async function checkJob(job: Job, isKnown: (key: string) => boolean): Promise<void> {
  const { connection, cache } = job;
  if ('flush' in cache) await refuseStrangers(connection, cache, isKnown);
  job.left = await countLeft(job);
}

async function refuseStrangers(connection: Connection, { flush }: Flush, isKnown: (key: string) => boolean): Promise<void> {
  if (flush === 'everything') return;
  const strangers = await findStrangers(connection, isKnown);
  if (strangers.count === 0) return;
  const { store, node, index } = connection;
  throw new LoadctlError(
    'refused',
    `${store}: database ${index} of ${node} holds ${strangers.shown} ${strangers.count === 1 ? 'key' : 'keys'} that fit none of the profile's patterns`,
    {
      hint: 'Name an index that nobody else uses as `testDatabase`, or accept their loss with `flush: everything`.',
      lines: strangers.first.map((key) => JSON.stringify(key)),
    },
  );
}

async function sweepJob(job: Job, isKnown: (key: string) => boolean, notes: Set<string>): Promise<Swept> {
  const before = await countLeft(job);
  let deleted = 0;
  if (before > 0)
    deleted =
      'keys' in job.cache
        ? await unlinkKeys(job.connection, { glob: job.cache.keys })
        : await flush(job.connection, job.cache, isKnown, before, notes);
  job.deleted += deleted;
  job.left = before > 0 ? await countLeft(job) : 0;
  return { deleted, left: job.left };
}

/** Keys of others may have come since the check: then only our own are taken out. */
async function flush(
  connection: Connection,
  cache: Flush,
  isKnown: (key: string) => boolean,
  before: number,
  notes: Set<string>,
): Promise<number> {
  if (cache.flush !== 'everything' && (await findStrangers(connection, isKnown)).count > 0) {
    notes.add(`${connection.store}: keys of others appeared in database ${connection.index} during the cleanup; they stay`);
    return unlinkKeys(connection, { only: isKnown });
  }
  await connection.run((client) => client.flushdb('ASYNC'));
  return before;
}

function countLeft({ connection, cache }: Job): Promise<number> {
  return 'keys' in cache ? countKeys(connection, cache.keys) : connection.run((client) => client.dbsize());
}

function reportOf({ connection, cache, deleted, left }: Job): CleanedKeys {
  return { ...placeOf(connection), which: 'keys' in cache ? cache.keys : 'all', deleted, left };
}

/** What the server is asked to do, as a receipt shows it; in a dry run with the keys that it would hit. */
function statementOf({ connection: { store, index }, cache, deleted, left, ms }: Job, dryRun: boolean): CleanupStatement {
  const command = 'keys' in cache ? `SCAN MATCH ${cache.keys}, UNLINK what it finds` : 'FLUSHDB ASYNC';
  return { store, shard: null, sql: `SELECT ${index}; ${command}`, rows: dryRun ? left : deleted, ms };
}

function seededStatement({ store, database, which, deleted, left }: CleanedKeys, dryRun: boolean): CleanupStatement {
  return { store, shard: null, sql: `SELECT ${database}; UNLINK ${which}`, rows: dryRun ? left : deleted, ms: 0 };
}

function placeOf({ store, node, index }: Connection): Pick<CleanedKeys, 'store' | 'node' | 'database'> {
  return { store, node, database: index };
}

interface Taken extends Swept {
  readonly changed: number;
}

async function countUnchanged(connection: Connection, entries: readonly Entry[]): Promise<Taken> {
  const compared = await compare(connection, entries);
  const count = (state: string) => compared.filter((one) => one.state === state).length;
  return { deleted: 0, left: count('equal'), changed: count('different') };
}

/** Compared and deleted in one step on the server, so that no change in between is lost. */
const unlinkWhenEqual = `if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end return 0`;

async function takeUnchanged(connection: Connection, entries: readonly Entry[]): Promise<Taken> {
  const answers = await connection.batch((pipeline) => {
    for (const { key, value } of entries) pipeline.eval(unlinkWhenEqual, 1, key, value);
  });
  const deleted = answers.filter(([, value]) => value === 1).length;
  return { ...(await countUnchanged(connection, entries)), deleted };
}

function changedEntries(count: number): string {
  return count === 1 ? '1 entry that was changed since the seed' : `${count} entries that were changed since the seed`;
}

function addTo<T extends Record<keyof T, number>>(sum: T, more: T): void {
  for (const name in sum) sum[name] = (sum[name] + more[name]) as T[typeof name];
}
