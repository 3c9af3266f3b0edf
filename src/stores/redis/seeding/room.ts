import type { EvictedKeys } from '../../../core/events.js';
import { type Memory, memoryOf } from '../connection/memory.js';
import { refuseFull } from '../connection/room.js';
import type { Servers } from '../connection/servers.js';
import type { Entry } from '../keys/entries.js';

/** What a key costs a server besides its text, about: its entry in the index of keys, its object, its time to live. */
const costOfKey = 150;
/** How often the server holds an entry while it comes in, besides the entry itself: in the message, and in room for the next one. */
const messages = 2;
/** What a text has before it, about. */
const costOfText = 16;
/** And each part of a collection. */
const costOfPart = 60;

/** How many bytes an entry takes, about. */
export function bytesOf({ key, form, parts }: Entry): number {
  const taken = parts.reduce((sum, part) => sum + allocated(part), allocated(key));
  return taken + costOfKey + (form === 'string' ? 0 : parts.length * costOfPart);
}

/** What Redis takes for a text: its allocator has four sizes between one power of two and the next. */
function allocated(text: string): number {
  const bytes = Buffer.byteLength(text);
  const step = 2 ** Math.max(3, Math.floor(Math.log2(Math.max(bytes, 1))) - 2);
  return Math.ceil((bytes + costOfText) / step) * step;
}

/** How much room servers have to have for what is seeded, in bytes by their names. */
export interface Needed {
  add(node: string, entry: Entry): void;
  /** Room for all of it, and for the longest one on its way there. */
  bytes(node: string): number;
}

export function needed(): Needed {
  const sums = new Map<string, { all: number; longest: number }>();
  return {
    add(node, entry) {
      const bytes = bytesOf(entry);
      const sum = sums.get(node) ?? { all: 0, longest: 0 };
      sum.all += bytes;
      sum.longest = Math.max(sum.longest, bytes);
      sums.set(node, sum);
    },
    bytes(node) {
      const { all, longest } = sums.get(node) ?? { all: 0, longest: 0 };
      return all === 0 ? 0 : all + messages * longest;
    },
  };
}

/** What each server says of its memory. */
export function memories(servers: Servers): Promise<ReadonlyMap<string, Memory | undefined>> {
  return servers.everywhere(memoryOf);
}

/** Refuses to seed where a server has too little room for it. */
export function refuseEviction({ store, answerBytes }: Servers, known: ReadonlyMap<string, Memory | undefined>, needed: Needed): void {
  for (const [node, memory] of known) refuseFull(store, node, memory, { seeded: needed.bytes(node), answer: answerBytes() });
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
