import type { Milliseconds } from '../../../core/quantities.js';
import { together } from '../../kind/together.js';
import { type Address, addressText } from '../connection/address.js';
import { mayPass, notSettled, replyError, translate } from '../connection/errors.js';
import type { RedisNode } from '../connection/node.js';
import type { Patience } from './patience.js';
import type { SlotMap } from './slot-map.js';
import { slotCount } from './slots.js';
import { importedSlots, type Primary } from './topology.js';
import type { Cluster } from './types.js';

/**
 * Does something at every primary of a cluster at the same time, and once more at nodes that slots are on their way to: a key that
 * left the one before it was looked for there has come to the other one by then. A slot counts as seen when one node held it before
 * and after, as a primary, and it was on its way to the same node or to none. Where slots moved or a replica took over meanwhile,
 * their new nodes are visited as well, until all slots have been seen: so every key is seen at least once, and one whose slot moves
 * perhaps twice.
 */
export async function everyPrimary<T>(
  cluster: Cluster,
  work: (node: RedisNode) => Promise<T>,
  patience: Patience,
  patienceMs: Milliseconds,
): Promise<ReadonlyMap<string, T>> {
  const results = new Map<string, T>();
  const seen = new Uint8Array(slotCount);
  let suspect = cluster.name;
  const visit = async ({ address }: Primary) => {
    const name = addressText(address);
    try {
      results.set(name, await atPrimary(cluster, address, work));
    } catch (error) {
      suspect = name;
      throw error;
    }
  };
  for (;;) {
    try {
      const before = await wholeMap(cluster);
      const missing = before.primaries.filter((primary) => hasUnseen(primary, seen, results));
      if (missing.length === 0) return ofPrimaries(results, before);
      const moving = await slotsOnTheirWay(cluster, before);
      await together(missing, visit);
      await together(
        before.primaries.filter(({ address }) => [...moving.values()].includes(addressText(address))),
        visit,
      );
      const after = await wholeMap(cluster);
      const stillMoving = await slotsOnTheirWay(cluster, after);
      const holds = (slot: number, address: Address) => isSame(after.holderOf(slot), address) && moving.get(slot) === stillMoving.get(slot);
      if (markSeen(seen, missing, holds) === 0) throw replyError('TRYAGAIN slots move faster than they are looked at');
      patience.reset();
    } catch (error) {
      if (!mayPass(error)) throw translate(error, cluster.store, suspect);
      if (!(await patience.wait())) throw notSettled(error, cluster.store, suspect, patienceMs);
    }
  }
}

async function wholeMap(cluster: Cluster): Promise<SlotMap> {
  if (!(await cluster.refresh()) || !cluster.map().isWhole) throw replyError('CLUSTERDOWN not all slots are served');
  return cluster.map();
}

/** The slots that are on their way, each with the node that it goes to; none where an ACL keeps that from us. */
async function slotsOnTheirWay(cluster: Cluster, { primaries }: SlotMap): Promise<ReadonlyMap<number, string>> {
  const answers = await together(primaries, async ({ address }) => {
    const node = await cluster.node(address);
    const [[error, nodes] = [null, undefined]] = await node.send([['CLUSTER', 'NODES']]);
    if (error !== null && mayPass(error)) throw error;
    return error === null ? importedSlots(nodes).map((slot) => [slot, addressText(address)] as const) : [];
  });
  return new Map(answers.flat());
}

/** A primary without slots may hold keys of one that is on its way to it: it is visited once. */
function hasUnseen({ address, ranges }: Primary, seen: Uint8Array, results: ReadonlyMap<string, unknown>): boolean {
  if (ranges.length === 0) return !results.has(addressText(address));
  return ranges.some(([from, to]) => seen.subarray(from, to + 1).includes(0));
}

/** Marks the slots that visited nodes hold, before and after; hands back how many are new, each node without slots as one. */
function markSeen(seen: Uint8Array, visited: readonly Primary[], holds: (slot: number, address: Address) => boolean): number {
  let fresh = 0;
  for (const { address, ranges } of visited) {
    if (ranges.length === 0) fresh++;
    for (const [from, to] of ranges) {
      for (let slot = from; slot <= to; slot++) {
        if (seen[slot] === 1 || !holds(slot, address)) continue;
        seen[slot] = 1;
        fresh++;
      }
    }
  }
  return fresh;
}

function isSame(one: Address | undefined, other: Address): boolean {
  return one?.port === other.port && one.host === other.host;
}

/** What is counted at a node that is not a primary any more is another one's, and counted there. */
function ofPrimaries<T>(results: ReadonlyMap<string, T>, { primaries }: SlotMap): ReadonlyMap<string, T> {
  const names = new Set(primaries.map(({ address }) => addressText(address)));
  return new Map([...results].filter(([name]) => names.has(name)));
}

/** A node that was a primary when it was asked may be a replica of another one by now, and lag behind it. */
async function atPrimary<T>(cluster: Cluster, address: Address, work: (node: RedisNode) => Promise<T>): Promise<T> {
  const node = await cluster.node(address);
  try {
    const result = await work(node);
    const { isReplica } = await node.greet();
    if (isReplica) throw replyError('READONLY it is a replica by now');
    return result;
  } catch (error) {
    if (!node.isOpen()) cluster.drop(node.name);
    throw error;
  }
}
