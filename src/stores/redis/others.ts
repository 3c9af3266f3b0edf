import type { RedisStore } from '../../profile/schema.js';
import type { OtherRows, StoreTask } from '../types.js';
import { globMatcher } from './cleaning/glob.js';
import { knownKeys } from './cleaning/patterns.js';
import { scanKeys } from './cleaning/scan.js';
import { isEntryStep } from './entries.js';
import type { Servers } from './servers.js';

/**
 * Counts, at every server, the keys that this profile neither seeds nor takes out, nor takes members out of. Not where the
 * whole index is emptied: then there are none, or their loss was accepted.
 */
export async function countOthers(open: () => Promise<Servers>, config: RedisStore, task: StoreTask): Promise<OtherRows[]> {
  const isUsed = task.seed.some(isEntryStep) || task.caches.some((cache) => !('flush' in cache));
  if (!isUsed) return [];
  const servers = await open();
  if (servers.index === config.testDatabase && task.caches.some((cache) => 'flush' in cache)) return [];
  const isOurs = ownKeys(task);
  const counts = await servers.everywhere(async (node) => {
    const ours = new Set<string>();
    for await (const keys of scanKeys(node)) for (const key of keys.filter(isOurs)) ours.add(key.toString('latin1'));
    return Number(await node.ask('DBSIZE')) - ours.size;
  });
  return [...counts].map(([node, rows]) => ({ store: servers.store, shard: null, node, table: 'keys', rows }));
}

function ownKeys(task: StoreTask): (key: Buffer) => boolean {
  const isKnown = knownKeys(task);
  const withMembers = task.caches.flatMap((cache) => ('members' in cache ? [globMatcher(cache.key)] : []));
  return (key) => isKnown(key) || withMembers.some((fits) => fits(key));
}
