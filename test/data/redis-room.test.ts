import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { checkCleanup } from '../../src/phases/data/cleanings.js';
import { resetSeeded } from '../../src/phases/data/reset.js';
import { seed } from '../../src/phases/data/seed.js';
import { openPrimaries } from '../../src/stores/redis/watch.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { startRedis, startRedisCluster } from '../servers/redis.js';

/* What a look at a server takes of its memory, before anything is written: keys of others would make room for it. */

const profile = (store: Record<string, unknown>): DataProfile => ({
  stores: { cache: { kind: 'redis', ...store } },
  seed: { users: { key: 'cache/user:{n}', rows: 20, value: 'v{n}' } },
  cleanup: {
    prefix: 'load-test-user-',
    keys: [{ match: 'cache/cart:load-test-user-*' }, { key: 'cache/recent', members: 'load-test-user-*' }],
  },
});

/** From now on a server has so much room, and evicts whatever it likes; before that it forgets what it kept for its connections. */
async function leaveRoom(client: Redis, bytes: number): Promise<void> {
  const [, used] = /used_memory:(\d+)/.exec(await client.info('memory')) ?? [];
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await client.config('SET', 'maxmemory', Number(used) + bytes);
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof LoadctlError ? error : expect.unreachable(String(error))),
  );

const refused = {
  reason: 'refused',
  message: expect.stringMatching(/has room for about .* and looking at it takes about .*: it would evict keys of others/),
};

/** All that looks before a seed. */
const looks: readonly [string, (parts: DataProfile) => Promise<unknown>][] = [
  ['a seed', (parts) => seed(dataContext(parts))],
  ['a seed without what its cleanup needs', ({ cleanup: _, ...parts }) => seed(dataContext(parts))],
  ['the look that a test begins with', (parts) => checkCleanup(dataContext(parts), true)],
  ['a seed --reset', (parts) => resetSeeded(dataContext(parts), () => Promise.resolve())],
];

describe('a cluster whose slots were dealt one by one: its answer where they are is long', () => {
  test.each([
    ['hundreds of ranges, and no room for it', 300, 220_000],
    ['thousands of ranges, and room for all but that', 4000, 700_000],
  ])('%s', { timeout: 60_000 }, async (_, dealt, room) => {
    const cluster = await startRedisCluster({ replicas: false });
    onTestFinished(() => cluster.stop());
    await cluster.patient();
    const nodes = cluster.primaries;
    for (let slot = 0; slot < dealt; slot++) {
      const { id } = nodes[slot % nodes.length] ?? expect.unreachable();
      await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)));
    }
    const parts = profile({ cluster: nodes.map(({ address }) => address) });
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => `sess:${n}`).map((key) => Promise.any(nodes.map(({ client }) => client.call('SET', key, 'x')))),
    );
    const sizes = () => Promise.all(nodes.map(({ client }) => client.dbsize()));
    const before = await sizes();
    for (const [name, look] of looks) {
      for (const { client } of nodes) await leaveRoom(client, room);
      expect(await refusal(look(parts)), name).toMatchObject(refused);
      expect(await sizes(), name).toEqual(before);
    }
    for (const { client } of nodes) await client.config('SET', 'maxmemory', 0);
    const asked = async () => {
      const stats = await Promise.all(nodes.map(({ client }) => client.info('commandstats')));
      return stats.map((text) => Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(text)?.[1] ?? 0)).reduce((sum, calls) => sum + calls);
    };
    const askedBefore = await asked();
    expect(await seed(dataContext(parts))).toMatchObject({ stores: [{ created: 20 }] });
    // Once by the look ahead and once by the seed, as no slot moved.
    expect((await asked()) - askedBefore).toBe(2);
    const [, { id } = expect.unreachable()] = nodes;
    const { profile: read, world } = dataContext(parts);
    const store = read.stores.cache?.kind === 'redis' ? read.stores.cache : expect.unreachable();
    const watching = { label: 'loadctl/test', clock: world.clock, replyMs: 5000, allowsHost: () => true };
    const primaries = await openPrimaries('cache', store, watching);
    onTestFinished(() => primaries.close());
    for (let look = 0; look < 5; look++) expect(await primaries.each((node) => node.ask('PING'))).toHaveLength(3);
    expect((await asked()) - askedBefore).toBe(3);
    const slot = dealt - (dealt % 3);
    await Promise.all(nodes.map((node) => node.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)));
    await expect.poll(async () => (await primaries.each((node) => node.ask('PING'))) && asked()).toBeGreaterThan(askedBefore + 3);
  });
});

test('a single Redis', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const client = new Redis(server.url);
  onTestFinished(() => client.disconnect());
  for (let n = 0; n < 100; n++) await client.set(`sess:${n}`, 'x');
  for (const [name, look] of looks) {
    await leaveRoom(client, 200_000);
    expect(await refusal(look(profile({ url: server.url }))), name).toMatchObject(refused);
    expect(await client.dbsize(), name).toBe(100);
  }
});

test('a replica in a cluster that is full for itself evicts nothing, and keeps no seed back', { timeout: 60_000 }, async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  await cluster.patient();
  for (const { client } of cluster.replicas) await leaveRoom(client, 0);
  const parts = profile({ cluster: [...cluster.replicas, ...cluster.primaries].map(({ address }) => address) });
  for (const [name, look] of looks.filter(([name]) => name !== 'a seed --reset'))
    expect(await refusal(look(parts)), name).not.toBeInstanceOf(LoadctlError);
  expect(await seed(dataContext(parts))).toMatchObject({ stores: [{ created: 0, alreadyThere: 20 }] });
});
