import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../servers/redis.js';
import { type Draw, drawing, type Keyspace, keyspace } from '../support/keyspace.js';
import { commandsHere, struckCommands } from './generated-keys/commands.js';
import { evictSome, leaveAllRoom, leaveRoom } from './generated-keys/eviction.js';
import { type Dump, dump, othersAtWork, type Place, plain, without, write } from './generated-keys/place.js';
import { moveSlots } from './generated-keys/slots.js';

/*
 * Random keyspaces, at a single Redis and at a cluster whose slots move: types, look-alikes, keys that expire or are evicted, too little
 * memory, others who write meanwhile; in a third a command is killed or interrupted, and run again. What should be there is told by plain
 * dumps of all keys and by what others wrote; nothing here knows loadctl's rules.
 *
 *     LOADCTL_KEYSPACES=300        so many (20)
 *     LOADCTL_KEYSPACE=17          from this one on (1); by itself, this one alone
 */

const only = process.env.LOADCTL_KEYSPACE;
const count = Number(process.env.LOADCTL_KEYSPACES ?? (only === undefined ? 20 : 1));
const seeds = Array.from({ length: count }, (_, index) => Number(only ?? 1) + index);

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

/** Runs something while others write, and slots move. */
async function besides<T>(place: Place, name: string, move: Draw | undefined, work: () => Promise<T>): Promise<{ result: T; wrote: Dump }> {
  const over = new AbortController();
  const writing = othersAtWork(place, name, over.signal);
  const moving = move === undefined ? Promise.resolve() : moveSlots(cluster, move, over.signal);
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
  if (space.hazard === 'full') await leaveRoom(place, 800_000);
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
  await leaveAllRoom(place);
  await Promise.all(place.nodes.map((node) => node.flushall()));
  await write(place, space.others);
  if (['conflict', 'stranger', 'full'].includes(space.hazard)) {
    await expectRefused(space, place);
    return false;
  }
  return expectGone(space, place, isCluster ? draw : undefined);
}

/** A keyspace that is seeded and cleaned up; without a hazard nothing of it is left, and nothing else is gone. */
async function expectGone(space: Keyspace, place: Place, move: Draw | undefined): Promise<boolean> {
  const others = await dump(place);
  const parts = profileOf(space, place);
  if (space.room !== undefined && !(await fits(space.room, parts, place))) return true;
  const commands = space.strike === undefined ? commandsHere(parts) : struckCommands(parts, space.strike);
  const seeding = await besides(place, 'seed', move, () => commands.seed());
  const seeded = without(without(await dump(place), others), seeding.wrote);
  const rows = Object.values(space.sets).reduce((sum, set) => sum + set.rows, 0);
  expect([...seeded.keys()].filter((key) => !key.startsWith('passing:'))).toHaveLength(rows);
  await write(place, space.left);
  const keys = [...seeded.keys()].filter((key) => !key.startsWith('passing:'));
  for (const key of keys.slice(1, 1 + space.expiring)) await place.client.pexpire(key, 1);
  const evicted: Dump = space.evicting ? await evictSome(place) : new Map();
  const changed: Dump = space.hazard === 'changed' ? await changeValue(place, keys[0] ?? '') : new Map();
  const cleaning = await besides(place, 'cleanup', move, () => commands.cleanup());
  const live = new Map([...seeding.wrote, ...cleaning.wrote]);
  const found = await dump(place);
  expect([...live].filter(([key, value]) => found.get(key) !== value)).toEqual([]);
  expect(plain(without(found, live))).toEqual(plain(new Map([...without(others, evicted), ...changed])));
  const { proven, lines } = cleaning.result;
  expect(proven).toBe(space.hazard === 'none');
  if (space.hazard === 'no-members') expect(lines).toContainEqual(expect.objectContaining({ kind: 'unknown', what: 'cache/queue:*' }));
  if (space.hazard === 'changed') expect(lines).toContainEqual(expect.objectContaining({ kind: 'left', count: 1 }));
  return proven;
}

/** With little room a seed goes in or is refused; either way no key of others makes room for it. */
async function fits(room: number, parts: DataProfile, place: Place): Promise<boolean> {
  const before = await dump(place);
  await leaveRoom(place, room);
  const reason = await refusal(seed(dataContext(parts)));
  await leaveAllRoom(place);
  const after = await dump(place);
  expect([undefined, 'refused']).toContain(reason);
  if (reason === undefined) for (const key of without(after, before).keys()) await place.client.del(key);
  expect(plain(await dump(place))).toEqual(plain(before));
  return reason === undefined;
}

/** Gives a key another value, and hands back how that looks. */
async function changeValue({ client }: Place, key: string): Promise<Dump> {
  await client.del(key);
  await client.rpush(key, 'changed by the application');
  return new Map([[key, JSON.stringify(['list', ['changed by the application']])]]);
}

test('whatever is there: what is not the test’s stays as it was, and CLEAN leaves nothing of it', {
  timeout: 60_000 + seeds.length * 30_000,
}, async () => {
  const clean: number[] = [];
  for (const number of seeds) {
    try {
      if (await suffer(number)) clean.push(number);
    } catch (error) {
      throw new Error(`keyspace ${number}: LOADCTL_KEYSPACE=${number} npx vitest run --project data test/data/generated-keys.test.ts`, {
        cause: error,
      });
    }
  }
  console.log(`keyspaces: ${clean.length} of ${seeds.length} came out CLEAN`);
  if (only === undefined) expect(clean.length).toBeGreaterThan(0.6 * seeds.length);
});
