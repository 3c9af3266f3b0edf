import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';

/* What a newcomer found with an ordinary session cache: keys of others that went under a receipt that said CLEAN. */

let server: RedisServer;
let postgres: PostgresServer;
let home: Redis;
let testIndex: Redis;
beforeAll(async () => {
  [server, postgres] = await Promise.all([startRedis(), startPostgres()]);
  home = new Redis(`${server.url}/0`);
  testIndex = new Redis(`${server.url}/1`);
});
afterAll(async () => {
  home.disconnect();
  testIndex.disconnect();
  await Promise.all([server.stop(), postgres.stop()]);
});
beforeEach(() => home.flushall());

const own = { dryRun: false, seeded: false };
const all = { dryRun: false, seeded: true };
const users = { key: 'cache/user:user-{n}', rows: 10, value: 'x' };
const realUuid = '550e8400-e29b-41d4-a716-446655440000';

function profile(index: number, parts: Omit<DataProfile, 'stores'>): DataProfile {
  return {
    stores: { cache: { kind: 'redis', url: `${server.url}/${index}`, testDatabase: 1 } },
    ...parts,
    cleanup: { settle: '10ms', ...parts.cleanup },
  };
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

describe('flush', () => {
  const flush = { keys: [{ flush: 'cache' }] };

  test('refuses and names look-alikes of seeded keys: another number, a random UUID', async () => {
    await testIndex.mset('user:user-500', 'real', `sess:${realUuid}`, 'real', 'user:user-01', 'real');
    const parts = profile(1, { seed: { users, sessions: { key: 'cache/sess:{uuid}', rows: 10, value: 'x' } }, cleanup: flush });
    for (const work of [() => seed(dataContext(parts)), () => cleanup(dataContext(parts), own)]) {
      const error = await failure(work());
      expect(error).toMatchObject({ reason: 'refused', message: expect.stringMatching(/holds 3 keys that this profile does not make/) });
      expect([...error.lines].sort()).toEqual([`"sess:${realUuid}"`, '"user:user-01"', '"user:user-500"']);
    }
    expect(await testIndex.dbsize()).toBe(3);
    await testIndex.flushdb();
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual([]);
    expect(receipt.keys).toMatchObject([{ deleted: 20, left: 0 }]);
  });

  test('leaves a key of others that comes while it is under way, and no FLUSHDB is ever sent', async () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => [`user:load-test-user-${n}`, 'x']).flat();
    await testIndex.mset(...keys);
    const monitor = await watchServer();
    const sent: string[] = [];
    let placed: Promise<unknown> | undefined;
    monitor.on('monitor', (_time: string, [command = '']: string[]) => {
      sent.push(command.toUpperCase());
      if (command.toUpperCase() === 'UNLINK') placed ??= testIndex.set('alice:cart', 'real');
    });
    const { receipt, reasons } = await cleanup(dataContext(profile(1, { cleanup: flush })), own);
    await placed;
    expect(reasons).toEqual([]);
    expect(receipt.keys).toMatchObject([{ deleted: 20_000, left: 0 }]);
    expect(await testIndex.keys('*')).toEqual(['alice:cart']);
    expect(sent.filter((command) => /^FLUSH/.test(command))).toEqual([]);
  });
});

async function watchServer() {
  const monitor = await new Redis(server.url).monitor();
  onTestFinished(() => monitor.disconnect());
  return monitor;
}

describe('keys of others', () => {
  test.each(['count', 'sample', 'full'])('that look like seeded ones are counted among others’: %s', async (receipt) => {
    await home.mset('user:user-500', 'real', 'user:user-501', 'real', 'other', '1');
    const parts = {
      ...profile(0, { seed: { users }, cleanup: { keys: [{ match: 'cache/user:load-test-user-*' }] } }),
      guards: { receipt },
    };
    const machine: Machine = {};
    await seed(dataContext(parts, { machine }));
    await home.set('user:user-500', 'changed');
    const changed = await cleanup(dataContext(parts, { machine }), own);
    expect(changed.reasons).toEqual([]);
    const [first] = changed.receipt.others;
    expect(first).toMatchObject({ before: 3, after: 3 });
    if (receipt === 'full') expect(first?.sumBefore).not.toBe(first?.sumAfter);
    await home.del('user:user-501');
    expect((await cleanup(dataContext(parts, { machine }), own)).receipt.others).toMatchObject([{ before: 3, after: 2 }]);
  });

  test('are not evicted: a seed is refused where there is too little room, and what an application drives out meanwhile is told', async () => {
    const small = await startRedis({ words: ['--maxmemory', '9mb', '--maxmemory-policy', 'allkeys-lru'] });
    onTestFinished(() => small.stop());
    const client = new Redis(small.url);
    onTestFinished(() => client.disconnect());
    for (let i = 0; i < 30; i++) await client.mset(...Array.from({ length: 1000 }, (_, n) => [`sess:${i}-${n}`, 'x'.repeat(150)]).flat());
    const before = await client.dbsize();
    const value = { id: 'user-{n}', name: 'Test User {n} with some more text to fill the room' };
    const parts: DataProfile = {
      stores: { cache: { kind: 'redis', url: small.url } },
      seed: { users: { key: 'cache/user:user-{n}', rows: 20_000, value } },
    };
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/would evict keys of others \(maxmemory-policy allkeys-lru\)/),
    });
    expect(await client.dbsize()).toBe(before);
  });

  test('that were evicted while entries were seeded are told, and nothing is proven', async () => {
    const small = await startRedis({ words: ['--maxmemory', '12mb', '--maxmemory-policy', 'allkeys-lru'] });
    onTestFinished(() => small.stop());
    const client = new Redis(small.url);
    onTestFinished(() => client.disconnect());
    await client.mset(...Array.from({ length: 10_000 }, (_, n) => [`sess:${n}`, 'x'.repeat(150)]).flat());
    const machine: Machine = {};
    const parts: DataProfile = {
      stores: { cache: { kind: 'redis', url: small.url } },
      seed: { users: { key: 'cache/user:user-{n}', rows: 1000, value: 'x' } },
      cleanup: { settle: '10ms', keys: [{ match: 'cache/user:load-test-user-*' }] },
    };
    const context = dataContext(parts, { machine });
    // An application fills the server after all was checked, and gives way before anything is written.
    let isFilled = false;
    const keep: typeof context.keep = async (before) => {
      await context.keep?.(before);
      if (isFilled) return;
      isFilled = true;
      for (let n = 0; n < 150; n++) await client.set(`cart:${n}`, 'y'.repeat(100_000));
      await client.del(...(await client.keys('cart:*')));
    };
    await seed({ ...context, keep });
    expect(context.events.some((event) => event.type === 'warned' && event.code === 'keys-evicted')).toBe(true);
    const told = expect.objectContaining({
      kind: 'unknown',
      what: expect.stringMatching(/^keys evicted by 127/),
      command: expect.stringContaining('loadctl cleanup --env test --seeded'),
    });
    for (const options of [own, all]) {
      const { receipt, reasons } = await cleanup(dataContext(parts, { machine }), options);
      expect([reasons, receipt.lines]).toEqual([['cleanup-not-proven'], expect.arrayContaining([told])]);
    }
    // That was told, and nothing else is left: the next test begins anew.
    expect(await cleanup(dataContext(parts, { machine }), all)).toMatchObject({ reasons: [], receipt: { lines: [] } });
  });
});

describe('seeded entries', () => {
  test('that were changed since stay: 113, how many, and what to type', async () => {
    const parts = profile(0, { seed: { users } });
    await seed(dataContext(parts));
    await home.set('user:user-7', 'changed');
    await home.set('user:user-70', 'real');
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.keys).toMatchObject([{ deleted: 9, left: 1 }]);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', count: 1, why: 'changed since the seed', command: 'loadctl seed --env test --reset' },
    ]);
    expect((await home.keys('*')).sort()).toEqual(['user:user-7', 'user:user-70']);
  });

  test('under a key that is the same for everybody stay, and a seed says so beforehand', async () => {
    const parts = profile(0, { seed: { one: { key: 'cache/config', rows: 1, value: 'x' } } });
    await home.set('config', 'x');
    const context = dataContext(parts);
    await seed(context);
    expect(context.events).toContainEqual(
      expect.objectContaining({
        type: 'warned',
        code: 'seeded-rows-uncertain',
        table: 'one (cache/config)',
        fix: 'give the set a key with {n} or {uuid}',
      }),
    );
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', count: 1, command: expect.stringContaining('give the set a key with {n} or {uuid}') },
    ]);
    expect(await home.get('config')).toBe('x');
  });

  test('are told as kept by a cleanup that leaves them', async () => {
    const parts = profile(0, { seed: { users }, cleanup: { keys: [{ match: 'cache/user:load-test-user-*' }] } });
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual([]);
    expect(receipt.lines).toEqual([{ kind: 'kept', store: 'cache', shard: null, what: 'users (cache/user:user-{n})', count: 10 }]);
  });

  test('seeded 60 and cleaned with 50: 113 with the command', async () => {
    const seeding = (rows: number) => profile(0, { seed: { users: { ...users, rows } } });
    const machine: Machine = {};
    await seed(dataContext(seeding(60), { machine }));
    const { receipt, reasons } = await cleanup(dataContext(seeding(50), { machine }), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', count: 10, command: 'loadctl cleanup --env test --seeded --set seed.users.rows=60' },
    ]);
    expect((await cleanup(dataContext(seeding(60), { machine }), all)).reasons).toEqual([]);
    expect(await home.dbsize()).toBe(0);
  });

  test('whole lists, sets, sorted sets and hashes are seeded, found again and taken out; a shared one is never added to', async () => {
    const parts = profile(0, {
      seed: {
        carts: { key: 'cache/cart:{n}:items', rows: 5, value: ['a-{n}', 'b'], as: 'list' },
        tags: { key: 'cache/tags:u-{n}', rows: 5, value: ['a-{n}', 'b'], as: 'set' },
        scores: { key: 'cache/score:u-{n}', rows: 5, value: { 'm-{n}': 1, b: 2.5 }, as: 'zset' },
        flags: { key: 'cache/flag:u-{n}', rows: 5, value: { a: '{n}', b: 'x' }, as: 'hash' },
      },
    });
    await seed(dataContext(parts));
    expect([await home.lrange('cart:3:items', 0, -1), (await home.smembers('tags:u-3')).sort()]).toEqual([
      ['a-3', 'b'],
      ['a-3', 'b'],
    ]);
    expect(await home.zrange('score:u-3', 0, '-1', 'WITHSCORES')).toEqual(['m-3', '1', 'b', '2.5']);
    expect(await home.hgetall('flag:u-3')).toEqual({ a: '3', b: 'x' });
    expect((await seed(dataContext(parts))).stores.map(({ created, alreadyThere }) => [created, alreadyThere])).toEqual(
      Array.from({ length: 4 }, () => [0, 5]),
    );
    await home.rpush('cart:2:items', 'someone’s');
    expect(await failure(seed(dataContext(parts)))).toMatchObject({ reason: 'seeding-failed' });
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.keys.map(({ deleted, left }) => [deleted, left])).toEqual([
      [4, 1],
      [5, 0],
      [5, 0],
      [5, 0],
    ]);
    expect(await home.lrange('cart:2:items', 0, -1)).toEqual(['a-2', 'b', 'someone’s']);
  });
});

describe('members and patterns of a set', () => {
  test('members that begin with an id of a set go, and those of others stay', async () => {
    const { url, sql } = await testDatabase(postgres, 'CREATE TABLE customers (id uuid PRIMARY KEY)');
    const parts: DataProfile = {
      stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: `${server.url}/0` } },
      seed: { customers: { table: 'db.customers', rows: 174, columns: { id: '{uuid}' } } },
      cleanup: { settle: '10ms', keys: [{ key: 'cache/jobs:pending', members: '{customers.id}:*' }] },
    };
    await seed(dataContext(parts));
    const ids = (await sql('SELECT id FROM customers')).map(({ id }) => String(id));
    await home.rpush('jobs:pending', ...ids.map((id) => `${id}:job`), `${realUuid}:job`, `${ids[0]?.toUpperCase()}:job`);
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual([]);
    expect(receipt.keys).toMatchObject([{ what: 'members', which: '{customers.id}:* of jobs:pending', deleted: 174, left: 0 }]);
    expect(await home.lrange('jobs:pending', 0, -1)).toEqual([`${realUuid}:job`, `${ids[0]?.toUpperCase()}:job`]);
  });

  test('a pattern that hits a stream or a string is told, and nothing is proven', async () => {
    await home.set('queue:a', 'load-test-user-1');
    await home.xadd('queue:b', '*', 'id', 'load-test-user-1');
    await home.rpush('queue:c', 'load-test-user-1', 'real');
    const parts = profile(0, { cleanup: { keys: [{ key: 'cache/queue:*', members: 'load-test-user-*' }] } });
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([
      { kind: 'unknown', what: 'cache/queue:*', count: 2, why: expect.stringMatching(/queue:a is a string|queue:b is a stream/) },
    ]);
    expect(await home.lrange('queue:c', 0, -1)).toEqual(['real']);
    expect(await home.dbsize()).toBe(3);
  });

  test('sessions with random keys go by what they hold, compared as they are deleted; what is too long to read is told', async () => {
    const { url } = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY)');
    const parts: DataProfile = {
      stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: `${server.url}/0` } },
      seed: { users: { table: 'db.users', rows: 20, columns: { id: 'user-{n}' } } },
      cleanup: { settle: '10ms', keys: [{ match: 'cache/sess:*', where: { json: 'customer', in: 'users.id' } }] },
    };
    await seed(dataContext(parts));
    const session = (customer: unknown, more = {}) => JSON.stringify({ customer, ...more });
    await home.mset('sess:a', session('user-1'), 'sess:b', session('user-20'), 'sess:c', session('user-21'), 'sess:d', session('USER-1'));
    await home.mset('sess:e', 'no JSON', 'sess:f', session({ id: 'user-1' }), 'other', session('user-1'));
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual([]);
    expect(receipt.keys).toMatchObject([{ deleted: 2, left: 0 }]);
    expect((await home.keys('*')).sort()).toEqual(['other', 'sess:c', 'sess:d', 'sess:e', 'sess:f']);
    await home.set('sess:long', session('user-1', { more: 'x'.repeat(70_000) }));
    const long = await cleanup(dataContext(parts), own);
    expect(long.reasons).toEqual(['cleanup-not-proven']);
    expect(long.receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', count: 1, why: expect.stringMatching(/64 kB/) }));
    expect(await home.exists('sess:long')).toBe(1);
  });

  test('sessions are read a few at a time where they are long: a server that is nearly full evicts nothing for them', async () => {
    const full = await startRedis({ words: ['--maxmemory-policy', 'allkeys-lru'] });
    onTestFinished(() => full.stop());
    const client = new Redis(full.url);
    onTestFinished(() => client.disconnect());
    const { url } = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY)');
    const parts: DataProfile = {
      stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: `${full.url}/0` } },
      seed: { users: { table: 'db.users', rows: 20, columns: { id: 'user-{n}' } } },
      cleanup: { settle: '10ms', keys: [{ match: 'cache/sess:*', where: { json: 'customer', in: 'users.id' } }] },
    };
    for (let n = 0; n < 200; n++) await client.set(`sess:${n}`, JSON.stringify({ customer: `user-${n}`, more: 'x'.repeat(60_000) }));
    const [, used] = /used_memory:(\d+)/.exec(await client.info('memory')) ?? [];
    await client.config('SET', 'maxmemory', Number(used) + 500_000);
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(await client.info('stats')).toMatch(/evicted_keys:0\r/);
    expect([reasons, receipt.keys.map(({ deleted }) => deleted), await client.dbsize()]).toEqual([[], [20], 180]);
  });

  test('sessions that are hashes or lists are told, and nothing is proven', async () => {
    const { url } = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY)');
    const parts: DataProfile = {
      stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: `${server.url}/0` } },
      seed: { users: { table: 'db.users', rows: 20, columns: { id: 'user-{n}' } } },
      cleanup: { settle: '10ms', keys: [{ match: 'cache/sess:*', where: { json: 'customer', in: 'users.id' } }] },
    };
    await seed(dataContext(parts));
    await home.hset('sess:a', 'customer', 'user-1');
    await home.rpush('sess:b', '{"customer":"user-2"}');
    await home.set('sess:c', '{"customer":"user-3"}');
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect([reasons, receipt.keys]).toMatchObject([['cleanup-not-proven'], [{ deleted: 1, left: 0 }]]);
    expect(receipt.lines).toContainEqual({
      kind: 'unknown',
      store: 'cache',
      shard: null,
      what: 'cache/sess:*',
      count: 2,
      why: expect.stringMatching(/^they hold no text with a field to compare: sess:[ab], sess:[ab]$/),
      command: expect.stringMatching(/^narrow the pattern/),
    });
    expect((await home.keys('*')).sort()).toEqual(['sess:a', 'sess:b']);
  });
});
