import { expect } from 'vitest';
import type { RedisCluster } from '../../servers/redis.js';
import type { Draw } from '../../support/keyspace.js';

/** The node that says of itself that it has a slot. */
async function ownerOf(cluster: RedisCluster, slot: number) {
  for (const node of cluster.primaries) {
    const rows = await node.client.cluster('SLOTS');
    if (rows.some(([first, last, owner]) => slot >= first && slot <= last && owner?.[1] === node.port)) return node;
  }
  return undefined;
}

/** The epoch of each node, as one of them knows it. */
async function epochsAt({ client }: RedisCluster['primaries'][number]): Promise<string> {
  const rows = String(await client.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  return rows
    .map((row) => row.split(' '))
    .map(([id, , , , , , epoch]) => `${id} ${epoch}`)
    .sort()
    .join();
}

/**
 * Whether all know the epochs of all. A node that takes a slot, and has not heard of a newer epoch than its own, keeps its own: what the
 * former owner said just before then takes the slot back, and each of the two says for ever that the other one has it.
 */
export async function isSettled(cluster: RedisCluster): Promise<boolean> {
  return new Set(await Promise.all(cluster.primaries.map(epochsAt))).size === 1;
}

/** Moves slots to and fro with the keys in them, one after another, until the signal; ends with none on its way. */
export async function moveSlots(cluster: RedisCluster, draw: Draw, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!(await isSettled(cluster))) continue;
    const slot = draw(16_384);
    const from = await ownerOf(cluster, slot);
    if (from === undefined) continue; // whoever has it now has not heard of it yet
    const to = cluster.primaries.find((node) => node !== from) ?? expect.unreachable();
    await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (;;) {
      const keys = await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (!Array.isArray(keys) || keys.length === 0) break;
      await from.client.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys.map(String));
    }
    for (const node of [to, from, ...cluster.primaries]) await node.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  }
}
