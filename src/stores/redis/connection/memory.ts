import type { RedisNode } from './node.js';

/** How much room a server has, and what it does when that is full. Undefined where its ACL keeps it from us. */
export interface Memory {
  /** Bytes; undefined where there is no limit, and at a replica, which evicts what its primary does and nothing else. */
  readonly room: number | undefined;
  readonly policy: string;
  /** How many keys it has evicted since it was started. */
  readonly evicted: number;
}

/** Asks by INFO, which changes nothing; never by CONFIG. */
export async function memoryOf(node: RedisNode): Promise<Memory | undefined> {
  const answers = await node.send([
    ['INFO', 'memory'],
    ['INFO', 'stats'],
    ['INFO', 'replication'],
  ]);
  if (answers.some(([error]) => error !== null)) return undefined;
  const facts = new Map(
    answers.flatMap(([, value]) =>
      [...String(value).matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', text = '']) => [name, text] as const),
    ),
  );
  const most = facts.get('role') === 'slave' ? 0 : Number(facts.get('maxmemory') ?? 0);
  return {
    room: most > 0 ? Math.max(0, most - Number(facts.get('used_memory') ?? 0)) : undefined,
    policy: facts.get('maxmemory_policy') ?? 'noeviction',
    evicted: Number(facts.get('evicted_keys') ?? 0),
  };
}
