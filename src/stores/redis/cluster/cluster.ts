import { LoadctlError } from '../../../core/errors.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { RedisStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { type Address, addressText, listedNodes } from '../connection/address.js';
import { contact } from '../connection/contact.js';
import { mayPass, replyError, translate } from '../connection/errors.js';
import { readLogin } from '../connection/login.js';
import { type FirstLook, interruptible, type NodeOptions, openNode, type RedisNode } from '../connection/node.js';
import { sealable } from '../connection/sealable.js';
import type { Servers } from '../connection/servers.js';
import { everyPrimary } from './every-primary.js';
import { checkLearntHosts } from './learnt-hosts.js';
import { type NodePool, nodePool } from './node-pool.js';
import { patienceFor } from './patience.js';
import { replicateEverywhere } from './replicate.js';
import { runRouted } from './routing.js';
import { slotMap } from './slot-map.js';
import type { Topology } from './topology.js';
import { type TopologyReader, topologyReader } from './topology-reader.js';
import type { Cluster } from './types.js';

/** How long a failover or a resharding may take. A cluster notices a dead node after 15 s, as Redis is delivered. */
const defaultPatienceMs = 60_000;

const nodeReplyMs = 5000;

/** How a cluster is followed. */
interface Following {
  readonly firstLook: FirstLook;
  readonly patienceMs?: Milliseconds;
}

/** Connects to a cluster by the nodes that the profile lists, and follows it from there. */
export async function openCluster(
  config: RedisStore,
  context: StoreContext,
  { firstLook, patienceMs = defaultPatienceMs }: Following,
): Promise<Servers> {
  const { store, clock, label } = context;
  const signal = sealable(context);
  const login = await readLogin(store, config);
  const options: NodeOptions = { label, replyMs: nodeReplyMs, clock, late: signal.late };
  const listed = listedNodes(config);
  const checkHosts = checkLearntHosts(store, listed, context.allowsHost);
  const looked = async (node: RedisNode) => {
    try {
      await firstLook(node, 0);
      return node;
    } catch (error) {
      node.close();
      throw error;
    }
  };
  const pool = nodePool(async (address) => {
    await checkHosts([address]);
    return looked(await openNode(address, login, options));
  });
  try {
    pool.add(await firstNode(store, listed, async (address) => looked(await contact(store, address, login, options))));
    const cluster = await clusterOf({ store, pool, listed, read: topologyReader(firstLook) }, ({ nodes }) => checkHosts(nodes));
    const patience = () => patienceFor(patienceMs, clock, signal);
    return {
      store,
      index: 0,
      isCluster: true,
      width: () => cluster.map().primaries.length,
      answerBytes: () => cluster.map().answerBytes,
      async run(commands) {
        signal.throwIfAborted();
        return runRouted(cluster, commands, patience(), patienceMs);
      },
      everywhere: (work) => everyPrimary(cluster, (node) => work(interruptible(node, signal)), patience(), patienceMs),
      replicate: () => replicateEverywhere(cluster),
      async holders() {
        await cluster.refresh();
        const names = cluster.map().primaries.map(({ address }) => addressText(address));
        return names.sort().join(' ');
      },
      seal: signal.seal,
      close() {
        signal.over();
        pool.close();
      },
    };
  } catch (error) {
    signal.over();
    pool.close();
    throw error;
  }
}

/** The first of the listed nodes that answers; where none does, what keeps us from the first. */
async function firstNode(store: string, listed: readonly Address[], open: (address: Address) => Promise<RedisNode>): Promise<RedisNode> {
  const failures: unknown[] = [];
  for (const address of listed) {
    try {
      const node = await open(address);
      const { isCluster = true } = await node.greet();
      if (isCluster) return node;
      node.close();
      failures.push(noCluster(store, node));
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

function noCluster(store: string, { name }: RedisNode): LoadctlError {
  return new LoadctlError('unavailable', `${store}: ${name} is not part of a Redis Cluster`, {
    hint: `Write \`url: redis://${name}\` in place of \`cluster\`.`,
  });
}

interface Reached {
  readonly store: string;
  readonly pool: NodePool;
  readonly listed: readonly Address[];
  readonly read: TopologyReader;
}

async function clusterOf(reached: Reached, check: (topology: Topology) => Promise<void>): Promise<Cluster> {
  const { store, pool, listed } = reached;
  let turn = 0;
  /** No node is asked twice in a row: one that is cut off from the others goes on believing what it knew. */
  const inTurn = (known: readonly Address[]) => {
    const all = [...new Map([...known, ...listed].map((address) => [addressText(address), address])).values()];
    const first = turn++ % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  };
  const ask = async (nodes: readonly Address[]): Promise<Topology | undefined> => {
    for (const address of nodes) {
      const topology = await askTopology(reached, address);
      if (topology !== undefined && topology.primaries.length > 0) return topology;
    }
    return undefined;
  };
  const name = listed.map(addressText)[0] ?? store;
  const first = await ask(listed);
  if (first === undefined) throw translate(replyError('CLUSTERDOWN a slot is not served'), store, name);
  await check(first);
  let map = slotMap(first);
  return {
    store,
    name,
    map: () => map,
    async refresh() {
      const topology = await ask(inTurn(map.nodes));
      if (topology === undefined) return false;
      await check(topology);
      map = slotMap(topology);
      return true;
    },
    node: pool.get,
    drop: pool.drop,
  };
}

/** What a node says of the cluster; undefined where it is out of reach for now. */
async function askTopology({ store, pool, read }: Reached, address: Address): Promise<Topology | undefined> {
  try {
    return await read(await pool.get(address));
  } catch (error) {
    if (mayPass(error)) return undefined;
    throw translate(error, store, addressText(address));
  }
}
