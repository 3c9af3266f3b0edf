import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { RedisStore } from '../../profile/sections/schema.js';
import { checkLearntHosts } from './cluster/learnt-hosts.js';
import { type TopologyReader, topologyReader } from './cluster/topology-reader.js';
import { type Address, addressText, listedNodes } from './connection/address.js';
import { contact } from './connection/contact.js';
import { readLogin, storeUrl } from './connection/login.js';
import type { RedisNode } from './connection/node.js';

/** A Redis that is only looked at: a server, or the primaries of a cluster as they are at each look. */
export interface Primaries {
  /** Does something at each of them, all at once; one that fails keeps no other from it. */
  each<T>(work: (node: RedisNode) => Promise<T>): Promise<readonly Settled<T>[]>;
  close(): void;
}

interface Settled<T> {
  readonly address: Address;
  readonly result: PromiseSettledResult<T>;
}

/** How the servers are looked at. */
export interface WatchOptions {
  readonly label: string;
  readonly clock: Clock;
  readonly replyMs: Milliseconds;
  readonly allowsHost: (host: string) => boolean;
}

/** Opens what is to be looked at, by the first server that answers. Throws `unavailable` with its fix where none does. */
export async function openPrimaries(store: string, config: RedisStore, options: WatchOptions): Promise<Primaries> {
  const login = await readLogin(store, config);
  const nodes = new Map<string, RedisNode>();
  const nodeAt = async (address: Address): Promise<RedisNode> => {
    const known = nodes.get(addressText(address));
    if (known?.isOpen()) return known;
    const node = await contact(store, address, login, options);
    nodes.set(addressText(address), node);
    return node;
  };
  const listed = config.cluster === undefined ? [singleAddress(storeUrl(store, config))] : listedNodes(config);
  const check = checkLearntHosts(store, listed, options.allowsHost);
  const read = topologyReader();
  let known: readonly Address[] = listed;
  const primaries = async (): Promise<readonly Address[]> => {
    if (config.cluster === undefined) return listed;
    const { addresses, all, answered } = await askAny([...known, ...listed], async (address) => read(await nodeAt(address)));
    await check(addresses);
    // One that hangs is not asked first again.
    known = [answered, ...all];
    return addresses;
  };
  if (config.cluster === undefined) await nodeAt(listed[0] ?? { host: 'localhost', port: 6379 });
  return {
    async each(work) {
      const addresses = await primaries();
      const ask = async (address: Address) => work(await nodeAt(address));
      const results = await Promise.allSettled(addresses.map((address) => inTime(ask(address), options)));
      return results.flatMap((result, index) => (addresses[index] === undefined ? [] : [{ address: addresses[index], result }]));
    },
    close: () => {
      for (const node of nodes.values()) node.close();
    },
  };
}

function singleAddress({ hostname, port }: URL): Address {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
}

/** One that hangs keeps the others from nothing. */
async function inTime<T>(work: Promise<T>, { clock, replyMs }: WatchOptions): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(replyMs, done.signal).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => undefined);
    done.abort();
  }
}

/** The primaries by the first node that answers; throws what kept the first of them from it. */
async function askAny(nodes: readonly Address[], topologyBy: (address: Address) => ReturnType<TopologyReader>) {
  let failure: unknown;
  for (const address of nodes) {
    try {
      const topology = await topologyBy(address);
      return { addresses: topology.primaries.map((primary) => primary.address), all: topology.nodes, answered: address };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
