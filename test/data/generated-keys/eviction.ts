import type { Redis } from 'ioredis';
import { type Dump, dump, type Place } from './place.js';

async function usedBy(node: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await node.info('memory'))?.[1]);
}

/** From now on there is so much room on every node, and what has no time to live goes as well for more. */
export async function leaveRoom({ nodes }: Place, bytes: number): Promise<void> {
  for (const node of nodes) {
    await node.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await node.config('SET', 'maxmemory', (await usedBy(node)) + bytes);
  }
}

/** No node is short of memory any more. */
export async function leaveAllRoom({ nodes }: Place): Promise<void> {
  for (const node of nodes) await node.config('SET', 'maxmemory', 0);
}

/** Lets every node evict of what has a time to live, whosever it is; hands back the keys that are gone. */
export async function evictSome(place: Place): Promise<Dump> {
  const before = await dump(place);
  for (const node of place.nodes) {
    await node.config('SET', 'maxmemory-policy', 'volatile-random');
    await node.config('SET', 'maxmemory', (await usedBy(node)) - 30_000);
    await node.ping();
  }
  await leaveAllRoom(place);
  const after = await dump(place);
  return new Map([...before].filter(([key]) => !after.has(key)));
}
