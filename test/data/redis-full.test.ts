import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { startRedis } from '../servers/redis.js';

/* A server that takes no more writes: what a seed wrote until then is removed again, or told. */

async function server(...words: string[]) {
  const redis = await startRedis({ words });
  const client = new Redis(redis.url);
  onTestFinished(async () => {
    // A server that is to save and cannot does not end.
    await client.config('SET', 'save', '');
    client.disconnect();
    await redis.stop();
  });
  return { redis, client };
}

function profileOf(url: string, rows: number): DataProfile {
  const few = { key: 'cache/few:{n}', rows: 10, value: 'x' };
  const many = { key: 'cache/user:user-{n}', rows, value: { id: 'user-{n}', name: 'Test User {n}' } };
  return { stores: { cache: { kind: 'redis', url } }, seed: { few, many } };
}

/** Does something once, when everything was checked and nothing is written. */
function checked(then: () => Promise<unknown>) {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await then();
  };
}

test('without eviction, and with too little room: refused before anything is written', async () => {
  const { redis, client } = await server('--maxmemory', '6mb');
  const failed = seed(dataContext(profileOf(redis.url, 50_000)));
  await expect(failed).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/room for about .* takes about .*: it would refuse writes of others \(maxmemory-policy noeviction\)/),
  });
  expect(await client.dbsize()).toBe(0);
});

/** A server that evicts, with keys of others, and with so much room. */
async function nearlyFull(room: number) {
  const { redis, client } = await server('--maxmemory-policy', 'allkeys-lru');
  for (let from = 0; from < 20_000; from += 1000)
    await client.mset(...Array.from({ length: 1000 }, (_, n) => [`others:${from + n}`, 'x'.repeat(100)]).flat());
  const fill = async (mine: readonly [string, string][]) => {
    for (let from = 0; from < mine.length; from += 100) await client.mset(...mine.slice(from, from + 100).flat());
    // What the server holds of a connection that was busy a moment ago it gives back after some seconds.
    await expect
      .poll(async () => Number(/qbuf=(\d+)/.exec(String(await client.client('LIST')))?.[1]), { timeout: 10_000 })
      .toBeLessThan(1000);
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', used + room);
  };
  const evicted = async () => Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1]);
  return { redis, client, fill, evicted };
}

test('that would evict keys for our own connections and messages: refused, and none is', async () => {
  const { redis, fill, evicted } = await nearlyFull(150_000);
  await fill([]);
  const failed = seed(dataContext(profileOf(redis.url, 1)));
  await expect(failed).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/room for about .* and looking at it takes about 256 kB: it would evict keys of others/),
  });
  expect(await evicted()).toBe(0);
});

test('that is nearly full evicts nothing for what is looked at and removed, however much it is', async () => {
  const { redis, client, fill, evicted } = await nearlyFull(500_000);
  const long = 'y'.repeat(4000);
  await fill([
    ...Array.from({ length: 2000 }, (_, n): [string, string] => [`user:user-${n + 1}`, long]),
    ...Array.from({ length: 5000 }, (_, n): [string, string] => [`cart:load-test-user-a-${n}`, 'z']),
  ]);
  const profile: DataProfile = {
    stores: { cache: { kind: 'redis', url: redis.url } },
    seed: { many: { key: 'cache/user:user-{n}', rows: 2000, value: long } },
    cleanup: { settle: '10ms', keys: [{ match: 'cache/cart:load-test-user-*' }] },
  };
  await seed(dataContext(profile));
  expect(await evicted()).toBe(0);
  const { reasons } = await cleanup(dataContext(profile), { dryRun: false, seeded: true });
  expect([reasons, await evicted(), await client.dbsize()]).toEqual([[], 0, 20_000]);
});

const megabyte = 'y'.repeat(1_000_000);

const longProfile = (url: string, rows: number, value: string): DataProfile => ({
  stores: { cache: { kind: 'redis', url } },
  seed: { many: { key: 'cache/user:user-{n}', rows, value } },
  cleanup: { settle: '10ms' },
});

test('that is nearly full evicts nothing for values of a megabyte each, which are seeded, found again and removed', async () => {
  const { redis, client, fill, evicted } = await nearlyFull(500_000);
  await fill(Array.from({ length: 40 }, (_, n) => [`user:user-${n + 1}`, megabyte]));
  const parts = longProfile(redis.url, 40, megabyte);
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ alreadyThere: 40 }]);
  const { reasons } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect([reasons, await evicted(), await client.dbsize()]).toEqual([[], 0, 20_000]);
});

test('that is nearly full evicts nothing where an application keeps a megabyte under each of our keys', async () => {
  const { redis, client, fill, evicted } = await nearlyFull(500_000);
  await fill(Array.from({ length: 40 }, (_, n) => [`user:user-${n + 1}`, megabyte]));
  const parts = longProfile(redis.url, 40, 'short');
  await expect(seed(dataContext(parts))).rejects.toMatchObject({
    reason: 'seeding-failed',
    lines: expect.arrayContaining([expect.stringMatching(/"user:user-1" holds "y{60}…", not "short"/)]),
  });
  const { reasons } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect([reasons, await evicted(), await client.dbsize()]).toEqual([['cleanup-not-proven'], 0, 20_040]);
});

test('that has just enough room for long values, as it says itself, evicts nothing for them', async () => {
  const { redis, client, fill, evicted } = await nearlyFull(10_000_000);
  await fill([]);
  const parts = longProfile(redis.url, 20, megabyte);
  const { message } = await seed(dataContext(parts)).then(
    () => expect.unreachable('it has too little room'),
    (error: Error) => error,
  );
  const [, takes] = /takes about ([\d.]+) MB/.exec(message) ?? [];
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', Math.ceil(used + (Number(takes) + 0.1) * 1_000_000));
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 20, writtenAgain: 0 }]);
  expect([await evicted(), await client.dbsize()]).toEqual([0, 20_020]);
});

test('at maxmemory because an application filled it meanwhile: what was written is removed again, and others can write', async () => {
  const { redis, client } = await server('--maxmemory', '20mb');
  const context = dataContext(profileOf(redis.url, 40_000));
  let filled: Promise<unknown> | undefined;
  const carts = Array.from({ length: 165 }, (_, n) => [`cart:${n}`, 'y'.repeat(100_000)]);
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed' && event.total === 40_000) filled ??= client.mset(...carts.flat());
  };
  const failed = seed({ ...context, emit });
  await expect(failed).rejects.toMatchObject({
    reason: 'seeding-failed',
    message: expect.stringContaining('has no memory left'),
    hint: expect.stringMatching(/Nothing of this seed is in\.$/),
  });
  await filled;
  expect((await client.keys('*')).filter((key) => !key.startsWith('cart:'))).toEqual([]);
  expect(await client.set('cart:new', 'z')).toBe('OK');
});

test('that evicts, and that an application filled after it was looked at: refused, and no key is evicted for what is seeded', async () => {
  const { redis, client, fill, evicted } = await nearlyFull(30_000_000);
  await fill([]);
  const context = dataContext(profileOf(redis.url, 40_000));
  const keep = checked(async () => {
    for (let n = 0; n < 240; n++) await client.set(`cart:${n}`, 'y'.repeat(100_000));
  });
  await expect(seed({ ...context, keep })).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/has room for about .* and what is seeded takes about .*: it would evict keys of others/),
    hint: expect.stringMatching(/Nothing of this seed is in\.$/),
  });
  expect([await evicted(), await client.dbsize()]).toEqual([0, 20_240]);
});

test('that cannot save to its disk refuses deletes too: what is there is told, with the command', async () => {
  const { redis, client } = await server();
  const context = dataContext(profileOf(redis.url, 100_000));
  let broken: Promise<void> | undefined;
  const breakDisk = async () => {
    rmSync(String((await client.config('GET', 'dir'))[1]), { recursive: true });
    await client.config('SET', 'save', '3600 1');
    await client.bgsave();
  };
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed' && event.done < 50_000) broken ??= breakDisk();
  };
  const failed = seed({ ...context, emit });
  await expect(failed).rejects.toMatchObject({
    reason: 'seeding-failed',
    message: expect.stringMatching(/takes no writes: .*; [\d,]+ of 100,010 entries are in$/),
    hint: expect.stringContaining('loadctl cleanup --env test --seeded'),
    lines: expect.arrayContaining(['few in cache: 10 of 10 entries']),
  });
  await broken;
  expect(context.events).toContainEqual(expect.objectContaining({ type: 'warned', code: 'seed-not-taken-back', what: 'user:user-{n}' }));
  const said = String(await failed.catch((error: Error) => error.message));
  const written = Number(/; ([\d,]+) of/.exec(said)?.[1]?.replaceAll(',', ''));
  expect(await client.dbsize()).toBe(written);
});
