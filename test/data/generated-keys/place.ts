import { setTimeout as passes } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import type { Write } from '../../support/keyspace.js';

/* What is there, by plain dumps of all keys, and what others wrote; nothing here knows loadctl's rules. */

/** A Redis as the oracle sees it. */
export interface Place {
  readonly client: Redis | Cluster;
  readonly nodes: readonly Redis[];
  readonly store: Record<string, unknown>;
}

/** What is under every key, whatever its type and without its time to live. */
export type Dump = ReadonlyMap<string, string>;

const readers: Readonly<Record<string, (client: Redis, key: Buffer) => Promise<unknown>>> = {
  string: (client, key) => client.getBuffer(key).then((value) => value?.toString('latin1')),
  list: (client, key) => client.lrange(key, 0, -1),
  set: async (client, key) => (await client.smembers(key)).sort(),
  zset: (client, key) => client.zrange(key, 0, '-1', 'WITHSCORES'),
  hash: async (client, key) => Object.entries(await client.hgetall(key)).sort(([one], [other]) => (one < other ? -1 : 1)),
  stream: (client, key) => client.xrange(key, '-', '+'),
};

/** Reads every key of every node. */
export async function dump({ nodes }: Place): Promise<Dump> {
  const found = new Map<string, string>();
  for (const node of nodes) {
    for (const key of await node.keysBuffer('*')) {
      const type = await node.type(key);
      const held = await readers[type]?.(node, key);
      if (type !== 'none') found.set(key.toString(), JSON.stringify([type, held]));
    }
  }
  return found;
}

/** Runs commands as a client would. */
export async function write({ client }: Place, writes: readonly Write[]): Promise<void> {
  await Promise.all(writes.map(([key, command, ...words]) => client.call(command, key, ...words)));
}

/** Others at work until the signal: keys of their own, some of which expire. Hands back what has to be there afterwards. */
export async function othersAtWork({ client }: Place, name: string, signal: AbortSignal): Promise<Dump> {
  const wrote = new Map<string, string>();
  for (let n = 0; !signal.aborted; n++) {
    await passes(1); // others are busy, and leave the machine to loadctl all the same
    await client.set(`live:${name}:${n}`, `x${n}`);
    wrote.set(`live:${name}:${n}`, JSON.stringify(['string', `x${n}`]));
    await client.set(`passing:${n}`, 'x', 'PX', 5);
    if (n % 3 === 0) {
      await client.del(`live:${name}:${n}`);
      wrote.delete(`live:${name}:${n}`);
    }
  }
  return wrote;
}

/** What is there without some keys. */
export const without = (found: Dump, keys: Dump): Dump => new Map([...found].filter(([key]) => !keys.has(key)));

/** What stays: keys that live for milliseconds may be seen or not. */
export const plain = (found: Dump) => [...found].filter(([key]) => !key.startsWith('passing:')).sort();
