import { LoadctlError } from '../../../core/errors.js';
import type { EvictedKeys } from '../../../core/events.js';
import { formatCount } from '../../../core/quantities.js';
import { type Memory, memoryOf } from '../connection/memory.js';
import type { Servers } from '../connection/servers.js';
import { type Entry, sizeOf } from '../keys/entries.js';

/** What a key costs a server besides its text, about: its entry in the index of keys, its object, its time to live. */
const costOfKey = 150;
/** And each part of a collection. */
const costOfPart = 60;

/** How many bytes an entry takes, about. */
export function bytesOf(entry: Entry): number {
  return sizeOf(entry) + costOfKey + (entry.form === 'string' ? 0 : entry.parts.length * costOfPart);
}

/** What each server says of its memory. */
export function memories(servers: Servers): Promise<ReadonlyMap<string, Memory | undefined>> {
  return servers.everywhere(memoryOf);
}

/** What our connections and what is on its way on them take at most: it counts as memory of the server like keys do. */
const ownBuffers = 256_000;

/** Refuses to seed where a server would make room by evicting keys, which may be anybody's, or would take no more writes. `needed` by server. */
export function refuseEviction(
  { store }: Servers,
  known: ReadonlyMap<string, Memory | undefined>,
  needed: ReadonlyMap<string, number>,
): void {
  for (const [node, memory] of known) {
    const { room, policy = 'noeviction' } = memory ?? {};
    const bytes = needed.get(node) ?? 0;
    const isQuiet = bytes === 0 && policy === 'noeviction';
    if (room === undefined || isQuiet || bytes + ownBuffers <= room) continue;
    const then = policy === 'noeviction' ? 'it would refuse writes of others' : 'it would evict keys of others';
    const takes = bytes === 0 ? 'looking at it' : 'what is seeded';
    throw new LoadctlError(
      'refused',
      `${store}: ${node} has room for about ${inMegabytes(room)} and ${takes} takes about ${inMegabytes(bytes + ownBuffers)}: ${then} (maxmemory-policy ${policy})`,
      { hint: 'Seed fewer or shorter entries, give the server more memory, or use one that nobody else uses.' },
    );
  }
}

/** The keys that servers evicted meanwhile, theirs or ours. */
export function evictedSince(
  store: string,
  before: ReadonlyMap<string, Memory | undefined>,
  after: ReadonlyMap<string, Memory | undefined>,
): EvictedKeys[] {
  return [...after].flatMap(([node, memory]) => {
    const count = (memory?.evicted ?? 0) - (before.get(node)?.evicted ?? memory?.evicted ?? 0);
    return count > 0 ? [{ store, node, count }] : [];
  });
}

function inMegabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${formatCount(Math.ceil(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
