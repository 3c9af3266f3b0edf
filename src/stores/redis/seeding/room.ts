import type { EvictedKeys } from '../../../core/events.js';
import { type Memory, memoryOf } from '../connection/memory.js';
import { refuseFull } from '../connection/room.js';
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

/** Refuses to seed where a server has too little room for it. `needed`: bytes, by server. */
export function refuseEviction(
  { store, answerBytes }: Servers,
  known: ReadonlyMap<string, Memory | undefined>,
  needed: ReadonlyMap<string, number>,
): void {
  for (const [node, memory] of known) refuseFull(store, node, memory, { seeded: needed.get(node) ?? 0, answer: answerBytes() });
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
