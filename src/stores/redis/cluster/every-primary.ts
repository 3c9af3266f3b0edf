import type { Milliseconds } from '../../../core/quantities.js';
import { together } from '../../together.js';
import { addressText } from '../address.js';
import { mayPass, notSettled, replyError, translate } from '../errors.js';
import type { RedisNode } from '../node.js';
import type { Cluster } from './cluster.js';
import type { Patience } from './patience.js';
import { holdingOf } from './slot-map.js';
import type { Primary } from './topology.js';

/**
 * Does something at every primary of a cluster at the same time. What it came to at a node counts only if that node
 * held the same slots before and after, as a primary: where slots moved or a replica took over, it is done again. So
 * every key is seen at least once, whatever happens in the cluster meanwhile.
 */
export async function everyPrimary<T>(
  cluster: Cluster,
  work: (node: RedisNode) => Promise<T>,
  patience: Patience,
  patienceMs: Milliseconds,
): Promise<ReadonlyMap<string, T>> {
  let done = new Map<string, readonly [name: string, result: T]>();
  let suspect = cluster.name;
  const visit = async (primary: Primary) => {
    const name = addressText(primary.address);
    try {
      done.set(holdingOf(primary), [name, await atPrimary(cluster, primary, work)]);
      patience.reset();
    } catch (error) {
      suspect = name;
      throw error;
    }
  };
  for (;;) {
    try {
      if (!(await cluster.refresh()) || !cluster.map().isWhole) throw replyError('CLUSTERDOWN not all slots are served');
      const now = cluster.map().primaries.map((primary) => [primary, holdingOf(primary)] as const);
      done = new Map([...done].filter(([holding]) => now.some(([, current]) => current === holding)));
      const missing = now.flatMap(([primary, holding]) => (done.has(holding) ? [] : [primary]));
      if (missing.length === 0) return new Map(done.values());
      await together(missing, visit);
    } catch (error) {
      if (!mayPass(error)) throw translate(error, cluster.store, suspect);
      if (!(await patience.wait())) throw notSettled(error, cluster.store, suspect, patienceMs);
    }
  }
}

/** A node that was a primary when it was asked may be a replica of another one by now, and lag behind it. */
async function atPrimary<T>(cluster: Cluster, { address }: Primary, work: (node: RedisNode) => Promise<T>): Promise<T> {
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
