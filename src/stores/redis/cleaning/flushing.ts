import { LoadctlError } from '../../../core/errors.js';
import type { CleanupCache } from '../../../profile/sections/schema.js';
import type { Servers } from '../connection/servers.js';
import { findStrangers } from '../keys/scan.js';
import { unlinkKeys } from './by-pattern.js';
import { type Job, whereText } from './job.js';
import { type Tally, total } from './tally.js';

export type Flush = Extract<CleanupCache, { flush: unknown }>;

/** Everything in the test database: `flush`. Keys that are not the test's refuse it, unless they are accepted. */
export function flushJob(servers: Servers, { flush }: Flush, isKnown: (key: Buffer) => boolean, note: (text: string) => void): Job {
  const count = () => servers.everywhere(async (node) => Number(await node.ask('DBSIZE')));
  return {
    servers,
    what: 'keys',
    which: 'all',
    statement: `${whereText(servers)}FLUSHDB ASYNC`,
    async check() {
      if (flush !== 'everything') await refuseStrangers(servers, isKnown);
    },
    count,
    async take(deleted) {
      const before = await count();
      if (total(before) === 0) return;
      if (flush !== 'everything' && (await hasStrangers(servers, isKnown))) {
        note(`${servers.store}: keys of others appeared in database ${servers.index} during the cleanup; they stay`);
        await unlinkKeys(servers, deleted, { only: isKnown });
      } else await flushDatabase(servers, deleted, before);
    },
  };
}

/** The one index that may be flushed: never 0 and never a cluster's, whatever a profile says. */
export function testDatabase(store: string, { testDatabase, cluster }: { testDatabase?: number; cluster?: unknown }): number {
  if (cluster === undefined && testDatabase !== undefined && testDatabase > 0) return testDatabase;
  throw new LoadctlError('refused', `the store ${store} has no test database, so nothing of it may be flushed`, {
    hint: 'Give the test an index of its own (`testDatabase: 1`), or delete by pattern: `keys: "…load-test-user-*"`.',
  });
}

async function flushDatabase(servers: Servers, deleted: Tally, before: ReadonlyMap<string, number>): Promise<void> {
  await servers.everywhere((node) => node.ask('FLUSHDB', 'ASYNC'));
  for (const [node, count] of before) deleted.add(node, count);
}

/** Keys of others may have come since the check: then only our own are taken out. */
async function hasStrangers(servers: Servers, isKnown: (key: Buffer) => boolean): Promise<boolean> {
  const found = await servers.everywhere((node) => findStrangers(node, isKnown));
  return [...found.values()].some(({ count }) => count > 0);
}

async function refuseStrangers(servers: Servers, isKnown: (key: Buffer) => boolean): Promise<void> {
  const [found] = await servers.everywhere((node) => findStrangers(node, isKnown));
  if (found === undefined || found[1].count === 0) return;
  const [node, { count, shown, first }] = found;
  throw new LoadctlError(
    'refused',
    `${servers.store}: database ${servers.index} of ${node} holds ${shown} ${count === 1 ? 'key' : 'keys'} that fit none of the profile's patterns`,
    {
      hint: 'Name an index that nobody else uses as `testDatabase`, or accept their loss with `flush: everything`.',
      lines: first.map((key) => JSON.stringify(key)),
    },
  );
}
