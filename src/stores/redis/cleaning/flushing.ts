import { LoadctlError } from '../../../core/errors.js';
import type { StoreTask } from '../../kind/types.js';
import type { Servers } from '../connection/servers.js';
import { type IsOwn, ownAmong, ownKeys } from '../keys/own-keys.js';
import { findStrangers, scanKeys } from '../keys/scan.js';
import { unlinkKeys, unlinkWhere } from './by-pattern.js';
import { type Job, whereText } from './job.js';
import { type Tally, total } from './tally.js';

/**
 * The keys that this profile makes in the test database: `flush`. They are taken one by one, so a key of others that comes at
 * any moment stays; those that are there beforehand refuse it.
 */
export function flushJob(servers: Servers, task: StoreTask): Job {
  const isOwn = ownKeys(task);
  const own = (keys: readonly Buffer[]) => ownAmong(servers, task, isOwn, keys);
  return {
    servers,
    what: 'keys',
    which: 'all that this profile makes',
    statement: `${whereText(servers)}SCAN, UNLINK the keys that this profile makes`,
    check: () => refuseStrangers(servers, task, isOwn),
    count: () =>
      servers.everywhere(async (node) => {
        const seen = new Set<string>();
        for await (const keys of scanKeys(node)) for (const key of await own(keys)) seen.add(key.toString('latin1'));
        return seen.size;
      }),
    async take(deleted) {
      await unlinkKeys(servers, deleted, (keys) => Promise.resolve(keys.filter(isOwn)));
      for (const entry of task.keys) if ('match' in entry && entry.where !== undefined) await unlinkWhere(servers, entry, task, deleted);
    },
    lines: () => [],
  };
}

/** Everything in the test database, whoever's it is: `flush` with `everything`. */
export function flushEverythingJob(servers: Servers): Job {
  const count = () => servers.everywhere(async (node) => Number(await node.ask('DBSIZE')));
  return {
    servers,
    what: 'keys',
    which: 'all',
    statement: `${whereText(servers)}FLUSHDB ASYNC`,
    check: () => Promise.resolve(),
    count,
    async take(deleted) {
      const before = await count();
      if (total(before) > 0) await flushDatabase(servers, deleted, before);
    },
    lines: () => [],
  };
}

/** The one index that may be flushed: never 0 and never a cluster's, whatever a profile says. */
export function testDatabase(store: string, { testDatabase, cluster }: { testDatabase?: number; cluster?: unknown }): number {
  if (cluster === undefined && testDatabase !== undefined && testDatabase > 0) return testDatabase;
  throw new LoadctlError('refused', `the store ${store} has no test database, so nothing of it may be flushed`, {
    hint: `Give the test an index of its own (\`testDatabase: 1\`), or delete by pattern: \`match: "${store}/…load-test-user-*"\`.`,
  });
}

async function flushDatabase(servers: Servers, deleted: Tally, before: ReadonlyMap<string, number>): Promise<void> {
  await servers.everywhere((node) => node.ask('FLUSHDB', 'ASYNC'));
  for (const [node, count] of before) deleted.add(node, count);
}

async function refuseStrangers(servers: Servers, task: StoreTask, isOwn: IsOwn): Promise<void> {
  const [found] = await servers.everywhere((node) =>
    findStrangers(node, async (keys) => {
      const own = new Set(await ownAmong(servers, task, isOwn, keys));
      return keys.filter((key) => !own.has(key));
    }),
  );
  if (found === undefined || found[1].count === 0) return;
  const [node, { count, shown, first }] = found;
  throw new LoadctlError(
    'refused',
    `${servers.store}: database ${servers.index} of ${node} holds ${shown} ${count === 1 ? 'key' : 'keys'} that this profile does not make`,
    {
      hint: `Set \`testDatabase\` to an index that only the test uses, or accept their loss: \`{flush: ${servers.store}, everything: true}\`.`,
      lines: first.map((key) => JSON.stringify(key)),
    },
  );
}
