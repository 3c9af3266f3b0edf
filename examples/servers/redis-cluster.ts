import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisOptions, type RedisServer, startRedis } from './redis.js';

/** One server of a cluster, with a connection of the test's own to it. */
export interface ClusterNode {
  /** 127.0.0.1:PORT */
  readonly address: string;
  readonly port: number;
  readonly id: string;
  readonly pid: number;
  readonly client: Redis;
  /** Sends a signal to the server's process. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
}

/** A Redis Cluster of our own on loopback, with all slots served. */
export interface RedisCluster {
  /** In the order of their slots. */
  readonly primaries: readonly ClusterNode[];
  /** replicas[i] follows primaries[i] at first. */
  readonly replicas: readonly ClusterNode[];
  /** Primaries without slots. */
  readonly spares: readonly ClusterNode[];
  /** The primary that a slot belongs to at first. */
  primaryOf(slot: number): ClusterNode;
  /** All nodes that live. */
  nodes(): readonly ClusterNode[];
  /** What the nodes that live are asked, each by itself. */
  ask(...words: (string | number)[]): Promise<unknown[]>;
  /** From now on no node is taken for dead because the machine is busy: there are no failovers. */
  patient(): Promise<void>;
  /** Waits until every node that lives serves all slots again, with `primaries` of them. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions extends Pick<RedisOptions, 'password' | 'tls' | 'words'> {
  readonly primaries?: number;
  /** Whether each primary has a replica; true. */
  readonly replicas?: boolean;
  readonly spares?: number;
}

const slots = 16_384;
const busOffset = 10_000;

/** Starts a cluster whose failovers take two or three seconds. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { primaries: count = 3, replicas: replicated = true, spares = 0 } = options;
  const password = options.password === true ? 'cluster' : options.password || undefined;
  const servers = await startAll((replicated ? 2 * count : count) + spares, { ...options, ...(password ? { password } : {}) });
  const nodes = await Promise.all(servers.map((server) => connectTo(server, password, options.tls !== undefined)));
  const cluster = clusterOf(servers, nodes, count, replicated ? count : 0);
  try {
    await joinAll(cluster);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startAll(count: number, options: ClusterOptions): Promise<RedisServer[]> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startNode(options)));
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}

/** A port may be taken between being looked at and being listened on: another one is tried then. */
async function startNode({ password, tls, words = [] }: ClusterOptions, tries = 5): Promise<RedisServer> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': '2000',
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
    'repl-ping-replica-period': '1',
    ...(password ? { masterauth: String(password) } : {}),
    ...(tls ? { 'tls-cluster': 'yes', 'tls-replication': 'yes', 'tls-auth-clients': 'no' } : {}),
  };
  const all = [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), ...words];
  try {
    const secured = { ...(password ? { password } : {}), ...(tls ? { tls } : {}) };
    return await startRedis({ ...secured, port: await freePortWithBus(), words: all });
  } catch (error) {
    if (tries === 1) throw error;
    return startNode({ ...(password ? { password } : {}), ...(tls ? { tls } : {}), words }, tries - 1);
  }
}

/** A port that is free together with the one 10,000 above it, which the cluster's nodes speak to each other on. */
async function freePortWithBus(): Promise<number> {
  for (;;) {
    const port = randomInt(11_000, 32_000);
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

async function connectTo({ port }: RedisServer, password: string | undefined, tls: boolean): Promise<ClusterNode> {
  const secured = { ...(password ? { password } : {}), ...(tls ? { tls: { rejectUnauthorized: false } } : {}) };
  const client = new Redis({ host: '127.0.0.1', port, ...secured, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  const id = String(await client.call('CLUSTER', 'MYID'));
  const pid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
  return { address: `127.0.0.1:${port}`, port, id, pid, client, signal: (name) => process.kill(pid, name) };
}

function clusterOf(servers: readonly RedisServer[], all: readonly ClusterNode[], count: number, replicas: number): RedisCluster {
  const dead = new Set<number>();
  const watched = all.map(
    (node): ClusterNode => ({
      ...node,
      signal(name) {
        if (name === 'SIGKILL') dead.add(node.port);
        node.signal(name);
      },
    }),
  );
  const nodes = () => watched.filter(({ port }) => !dead.has(port));
  const ask = (...words: (string | number)[]) =>
    Promise.all(nodes().map(({ client }) => client.call(String(words[0]), ...words.slice(1).map(String))));
  const isSettled = async () => {
    const states = await ask('CLUSTER', 'INFO');
    return states.every(
      (state) => /cluster_state:ok.*cluster_slots_ok:16384/s.test(String(state)) && String(state).includes(`cluster_size:${count}`),
    );
  };
  return {
    primaries: watched.slice(0, count),
    replicas: watched.slice(count, count + replicas),
    spares: watched.slice(count + replicas),
    primaryOf(slot) {
      const owner = watched.find((_, index) => slot < edgeOf(index + 1, count));
      if (owner === undefined) throw new Error(`there is no slot ${slot}`);
      return owner;
    },
    nodes,
    ask,
    async patient() {
      await ask('CONFIG', 'SET', 'cluster-node-timeout', 30_000);
    },
    settled: () => until(isSettled),
    async stop() {
      for (const node of nodes()) node.signal('SIGCONT');
      for (const { client } of all) client.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** The first slot of a primary by its number. */
function edgeOf(index: number, primaries: number): number {
  return Math.round((index * slots) / primaries);
}

async function joinAll({ primaries, replicas, spares, ask, settled }: RedisCluster): Promise<void> {
  const [first, ...others] = [...primaries, ...replicas, ...spares];
  if (first === undefined) return;
  for (const [index, { client }] of primaries.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    const [from, to] = [edgeOf(index, primaries.length), edgeOf(index + 1, primaries.length)];
    await client.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => slot + from));
  }
  for (const { port } of others) await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port);
  await until(async () =>
    (await ask('CLUSTER', 'INFO')).every((info) => String(info).includes(`cluster_known_nodes:${others.length + 1}`)),
  );
  await until(async () => (await ask('CLUSTER', 'NODES')).every((lines) => !String(lines).includes('handshake')));
  for (const [index, { client }] of replicas.entries()) await client.call('CLUSTER', 'REPLICATE', primaries[index]?.id ?? '');
  await settled();
  await until(async () => {
    const links = await Promise.all(replicas.map(({ client }) => client.info('replication')));
    return links.every((link) => link.includes('role:slave') && link.includes('master_link_status:up'));
  });
  await until(async () => (await ask('CLUSTER', 'SLOTS')).every((ranges) => rowLength(ranges) === (replicas.length > 0 ? 4 : 3)));
}

/** From, to, a primary, and a replica where everybody knows of it. */
function rowLength(ranges: unknown): number {
  return Array.isArray(ranges) ? Math.min(...ranges.map((range) => (Array.isArray(range) ? range.length : 0))) : 0;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('the cluster did not settle within 30 s');
    await sleep(25);
  }
}
