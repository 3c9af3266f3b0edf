import { together } from '../../kind/together.js';
import type { Cluster } from './types.js';

const patienceMs = 1000;

/**
 * Asks each primary that has a replica to answer when one of them has what was written by this connection. That one is
 * dead, or that an ACL forbids WAIT, is not an error: what a failover loses is found when it is read back.
 */
export async function replicateEverywhere(cluster: Cluster): Promise<void> {
  const followed = cluster.map().primaries.filter(({ hasReplica }) => hasReplica);
  await together(followed, async ({ address }) => {
    const node = await cluster.node(address).catch(() => undefined);
    await node?.send([['WAIT', 1, patienceMs]]);
  });
}
