import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../servers/redis.js';
import { type Draw, drawing, type Keyspace, keyspace, type Write } from '../support/keyspace.js';

/*
 * Random keyspaces, at a single Redis and at a cluster whose slots move: types, look-alikes, keys that expire, too little memory, others
 * who write meanwhile. What should be there is told by plain dumps of all keys and by what others wrote; nothing here knows loadctl's rules.
 *
 *     LOADCTL_KEYSPACES=300        so many (20)
 *     LOADCTL_KEYSPACE=17          this one alone
 */

const only = process.env.LOADCTL_KEYSPACE;
const count = Number(process.env.LOADCTL_KEYSPACES ?? 20);
const seeds = only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];

let single: RedisServer;
let cluster: RedisCluster;
let alone: Redis;
let together: Cluster;
beforeAll(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster({ replicas: false })]);
  await cluster.patient();
  alone = new Redis(`${single.url}/1`);
  // For a moment after a slot has moved each of two nodes may say that the other one has it.
  const patient = { maxRedirections: 500, retryDelayOnMoved: 20 };
  together = new Cluster(
    cluster.primaries.map(({ port }) => ({ host: '127.0.0.1', port })),
    patient,
  );
});
afterAll(async () => {
  alone.disconnect();
  together.disconnect();
  await Promise.all([single.stop(), cluster.stop()]);
});

/** A Redis as the oracle sees it. */
interface Place {
  readonly client: Redis | Cluster;
  readonly nodes: readonly Redis[];
  readonly store: Record<string, unknown>;
}

/** What is under every key, whatever its type and without its time to live. */
type Dump = ReadonlyMap<string, string>;

const readers: Readonly<Record<string, (client: Redis, key: Buffer) => Promise<unknown>>> = {
  string: (client, key) => client.getBuffer(key).then((value) => value?.toString('latin1')),
  list: (client, key) => client.lrange(key, 0, -1),
  set: async (client, key) => (await client.smembers(key)).sort(),
  zset: (client, key) => client.zrange(key, 0, '-1', 'WITHSCORES'),
  hash: async (client, key) => Object.entries(await client.hgetall(key)).sort(([one], [other]) => (one < other ? -1 : 1)),
  stream: (client, key) => client.xrange(key, '-', '+'),
};

async function dump({ nodes }: Place): Promise<Dump> {
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

async function write({ client }: Place, writes: readonly Write[]): Promise<void> {
  await Promise.all(writes.map(([key, command, ...words]) => client.call(command, key, ...words)));
}

/** Others at work until the signal: keys of their own, some of which expire. Hands back what has to be there afterwards. */
async function othersAtWork({ client }: Place, name: string, signal: AbortSignal): Promise<Dump> {
  const wrote = new Map<string, string>();
  for (let n = 0; !signal.aborted; n++) {
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

/** The node that says of itself that it has a slot. */
async function ownerOf(slot: number) {
  for (const node of cluster.primaries) {
    const rows = await node.client.cluster('SLOTS');
    if (rows.some(([first, last, owner]) => slot >= first && slot <= last && owner?.[1] === node.port)) return node;
  }
  return undefined;
}

/** Moves slots to and fro with the keys in them, one after another, until the signal; ends with none on its way. */
async function moveSlots(draw: Draw, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const slot = draw(16_384);
    const from = await ownerOf(slot);
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

/** Runs something while others write, and slots move. */
async function besides<T>(place: Place, name: string, move: Draw | undefined, work: () => Promise<T>): Promise<{ result: T; wrote: Dump }> {
  const over = new AbortController();
  const writing = othersAtWork(place, name, over.signal);
  const moving = move === undefined ? Promise.resolve() : moveSlots(move, over.signal);
  try {
    const result = await work();
    over.abort();
    return { result, wrote: await writing };
  } finally {
    over.abort();
    await Promise.all([writing, moving]);
  }
}

function profileOf(space: Keyspace, place: Place): DataProfile {
  return {
    stores: { cache: { kind: 'redis', ...place.store } },
    seed: space.sets,
    cleanup: { prefix: 'load-test-user-', keys: space.entries, settle: '5ms' },
    guards: { receipt: space.receipt },
  };
}

const plain = (found: Dump) => [...found].filter(([key]) => !key.startsWith('passing:')).sort();
const without = (found: Dump, keys: Dump): Dump => new Map([...found].filter(([key]) => !keys.has(key)));

/** Why a seed was refused. */
async function refusal(work: Promise<unknown>): Promise<LoadctlError['reason'] | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof LoadctlError) return error.reason;
      throw error;
    },
  );
}

/** A keyspace of a hazard that is there before anything is seeded: refused, and nothing of it changed. */
async function expectRefused(space: Keyspace, place: Place): Promise<void> {
  const parts = profileOf(space, place);
  if (space.hazard === 'conflict') {
    const machine: Machine = {};
    await seed(dataContext(parts, { machine }));
    await Promise.all(
      [...(await dump(place)).keys()]
        .filter((key) => !space.others.some(([other]) => other === key))
        .map((key, index) => (index === 0 ? place.client.set(key, 'theirs') : place.client.del(key))),
    );
  }
  if (space.hazard === 'full') {
    const used = Number(/used_memory:(\d+)/.exec(await alone.info('memory'))?.[1]);
    await alone.config('SET', 'maxmemory', used + 800_000);
  }
  const before = await dump(place);
  expect(await refusal(seed(dataContext(parts)))).toBe(space.hazard === 'conflict' ? 'seeding-failed' : 'refused');
  expect(plain(await dump(place))).toEqual(plain(before));
}

async function suffer(number: number): Promise<boolean> {
  const draw = drawing(number);
  const isCluster = number % 3 === 0;
  const space = keyspace(draw, isCluster);
  const place: Place = isCluster
    ? {
        client: together,
        nodes: cluster.primaries.map(({ client }) => client),
        store: { cluster: cluster.primaries.map(({ address }) => address) },
      }
    : { client: alone, nodes: [alone], store: { url: `${single.url}/1`, testDatabase: 1 } };
  await alone.config('SET', 'maxmemory', 0);
  await alone.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await Promise.all(place.nodes.map((node) => node.flushall()));
  await write(place, space.others);
  if (['conflict', 'stranger', 'full'].includes(space.hazard)) {
    await expectRefused(space, place);
    return false;
  }
  return expectGone(space, place, isCluster ? draw : undefined);
}

async function expectGone(space: Keyspace, place: Place, move: Draw | undefined): Promise<boolean> {
  const others = await dump(place);
  const machine: Machine = {};
  const parts = profileOf(space, place);
  const seeding = await besides(place, 'seed', move, () => seed(dataContext(parts, { machine })));
  const seeded = without(without(await dump(place), others), seeding.wrote);
  const rows = Object.values(space.sets).reduce((sum, set) => sum + set.rows, 0);
  expect([...seeded.keys()].filter((key) => !key.startsWith('passing:'))).toHaveLength(rows);
  await write(place, space.left);
  const [first = '', ...more] = [...seeded.keys()].filter((key) => !key.startsWith('passing:'));
  for (const key of more.slice(0, space.expiring)) await place.client.pexpire(key, 1);
  if (space.hazard === 'changed') await changeValue(place, first);
  const cleaning = await besides(place, 'cleanup', move, () => cleanup(dataContext(parts, { machine }), { dryRun: false, seeded: true }));
  const { receipt, reasons } = cleaning.result;
  const live = new Map([...seeding.wrote, ...cleaning.wrote]);
  const found = await dump(place);
  expect([...live].filter(([key, value]) => found.get(key) !== value)).toEqual([]);
  const changed = space.hazard === 'changed' ? new Map([[first, JSON.stringify(['list', ['changed by the application']])]]) : new Map();
  expect(plain(without(found, live))).toEqual(plain(new Map([...others, ...changed])));
  expect(reasons).toEqual(space.hazard === 'none' ? [] : ['cleanup-not-proven']);
  if (space.hazard === 'no-members')
    expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', what: 'cache/queue:*' }));
  if (space.hazard === 'changed') expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'left', count: 1 }));
  return receipt.proven;
}

async function changeValue({ client }: Place, key: string): Promise<void> {
  await client.del(key);
  await client.rpush(key, 'changed by the application');
}

test('whatever is there: what is not the test’s stays as it was, and CLEAN leaves nothing of it', {
  timeout: 60_000 + seeds.length * 15_000,
}, async () => {
  const clean: number[] = [];
  for (const number of seeds) {
    try {
      if (await suffer(number)) clean.push(number);
    } catch (error) {
      throw new Error(`keyspace ${number}: LOADCTL_KEYSPACE=${number} npx vitest run test/data/generated-keys.test.ts`, { cause: error });
    }
  }
  console.log(`keyspaces: ${clean.length} of ${seeds.length} came out CLEAN`);
  if (only === undefined) expect(clean.length).toBeGreaterThan(0.6 * seeds.length);
});
