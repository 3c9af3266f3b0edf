import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';

let server: RedisServer;
let postgres: PostgresServer;
let home: Redis;
let testIndex: Redis;
beforeAll(async () => {
  [server, postgres] = await Promise.all([startRedis({ password: true }), startPostgres()]);
  home = new Redis(`${server.url}/0`);
  testIndex = new Redis(`${server.url}/1`);
});
afterAll(async () => {
  home.disconnect();
  testIndex.disconnect();
  await Promise.all([server.stop(), postgres.stop()]);
});
beforeEach(() => home.flushall());

const user = { key: 'cache/user:user-{n}', rows: 1200, value: { id: 'user-{n}', name: 'Test "User" {n}' }, ttl: '1h' };
const flush = { flush: 'cache' };
const real = { dryRun: false, seeded: false };

function profile(parts: { seed?: unknown[]; keys?: unknown[]; store?: Record<string, unknown>; rows?: unknown[] } = {}) {
  const { seed: steps = [user], keys = [flush], store = {}, rows = [] } = parts;
  return {
    stores: { cache: { kind: 'redis', url: server.url, testDatabase: 1, ...store } },
    seed: steps,
    cleanup: { prefix: 'load-test-user-', rows, keys, settle: '10ms' },
  } satisfies DataProfile;
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

describe('seeding', () => {
  test('creates entries with their TTL, and refreshes it when they are there already', async () => {
    expect((await seed(dataContext(profile()))).stores).toMatchObject([
      { store: 'cache', what: 'user:user-{n}', created: 1200, alreadyThere: 0 },
    ]);
    expect(JSON.parse((await home.get('user:user-1200')) ?? '')).toEqual({ id: 'user-1200', name: 'Test "User" 1200' });
    await home.expire('user:user-3', 10);
    await home.del('user:user-4');
    expect((await seed(dataContext(profile()))).stores).toMatchObject([{ created: 1, alreadyThere: 1199 }]);
    expect(await home.ttl('user:user-3')).toBeGreaterThan(3500);
  });

  test('writes a text as it is, with literal braces, for ever', async () => {
    await seed(dataContext(profile({ seed: [{ key: 'cache/{{user-{n}}}:x', rows: 2, value: 'té {n}\n' }] })));
    expect([await home.get('{user-2}:x'), await home.ttl('{user-2}:x')]).toEqual(['té 2\n', -1]);
  });

  test('writes hashes and JSON texts, and gives what is to stay for ever no time to live', async () => {
    const steps = [
      { key: 'cache/h:{n}', rows: 2, value: { id: 'user-{n}', age: 7, tags: ['{n}'] }, as: 'hash', ttl: '1h' },
      { key: 'cache/j:{n}', rows: 2, value: 'a"{n}', as: 'json' },
      { key: 'cache/t:{n}', rows: 2, value: 5, as: 'text' },
    ];
    await seed(dataContext(profile({ seed: steps })));
    expect(await home.hgetall('h:2')).toEqual({ id: 'user-2', age: '7', tags: '["2"]' });
    expect(await home.mget('j:2', 't:2')).toEqual(['"a\\"2"', '5']);
    expect(await home.ttl('h:1')).toBeGreaterThan(3500);
    await home.expire('j:2', 10);
    expect((await seed(dataContext(profile({ seed: steps })))).stores.map(({ created }) => created)).toEqual([0, 0, 0]);
    expect(await home.ttl('j:2')).toBe(-1);
    expect((await cleanup(dataContext(profile({ seed: steps, keys: [] })), { dryRun: false, seeded: true })).receipt.proven).toBe(true);
    expect(await home.dbsize()).toBe(0);
  });

  test('fills every template; what another day wrote for {now} is there already, and is taken out', async () => {
    const session = { at: '{now}', of: 'user-{n}', plan: '{pick:free|paid}', id: '{uuid}', visits: '{int:1..9}' };
    const steps = [
      { key: 'cache/s:{uuid}', rows: 20, value: session },
      { key: 'cache/h:{n}', rows: 20, value: session, as: 'hash' },
    ];
    await seed(dataContext(profile({ seed: steps })));
    const first = await home.hgetall('h:3');
    expect(await home.keys(`s:${first.id}`)).toHaveLength(1);
    expect(JSON.parse((await home.get(`s:${first.id}`)) ?? '')).toMatchObject({ ...first, at: expect.any(String) });
    await home.hset('h:4', 'of', 'user-5');
    const later = { clock: { ...dataContext(profile({})).world.clock, now: () => Date.now() + 86_400_000 } };
    const again = await failure(seed(dataContext(profile({ seed: steps }), later)));
    expect(again.lines).toEqual([
      'cache: keys of entries2 hold something else (1)',
      '  cache: the key "h:4" holds "of: user-5", not "of: user-4"',
    ]);
    await home.hset('h:4', 'of', 'user-4');
    expect((await seed(dataContext(profile({ seed: steps }), later))).stores.map(({ created }) => created)).toEqual([0, 0]);
    expect(await home.hgetall('h:3')).toEqual(first);
    await cleanup(dataContext(profile({ seed: steps, keys: [] }), later), { dryRun: false, seeded: true });
    expect(await home.dbsize()).toBe(0);
  });

  test('writes again what is gone when it is read back, and says so', async () => {
    const context = dataContext(profile());
    let gone: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      context.emit(event);
      if (event.type === 'step-progressed') gone = home.del('user:user-1100', 'user:user-1101');
    };
    expect((await seed({ ...context, emit })).stores).toMatchObject([{ created: 1200, writtenAgain: 2 }]);
    await gone;
    expect(context.events).toContainEqual(expect.objectContaining({ code: 'entries-vanished', key: 'user:user-{n}', count: 2 }));
    expect(await home.dbsize()).toBe(1200);
  });

  test('gives up where entries vanish as soon as they are there', async () => {
    const context = dataContext(profile({ seed: [{ ...user, ttl: '1ms' }] }));
    expect(await failure(seed(context))).toMatchObject({
      reason: 'seeding-failed',
      message: expect.stringMatching(/the ttl of entries \(1ms\) is shorter than seeding takes/),
      hint: expect.stringMatching(/^Give the set a longer `ttl`\./),
    });
  });

  test('takes back what it wrote where the connection broke', async () => {
    const context = dataContext(profile());
    const emit: typeof context.emit = ({ type }) => {
      if (type === 'step-progressed') void home.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    };
    expect(await failure(seed({ ...context, emit }))).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(/connection to .* broke/),
    });
    expect(await home.dbsize()).toBe(0);
    expect((await seed(dataContext(profile()))).stores).toMatchObject([{ created: 1200, alreadyThere: 0 }]);
  });

  test('ends at an interrupt while it only looks', async () => {
    const interrupt = new AbortController();
    const work = seed(dataContext(profile({ seed: [{ ...user, rows: 50_000 }] }), { signal: interrupt.signal }));
    interrupt.abort();
    expect(await failure(work)).toMatchObject({ reason: 'interrupted' });
    expect(await home.dbsize()).toBe(0);
  });

  test('lists entries with another value or type, and writes nothing, in no store', async () => {
    await home.set('user:user-5', 'mine');
    await home.rpush('user:user-6', 'a');
    const database = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY)');
    const both = profile();
    const stores = { ...both.stores, db: { kind: 'postgres', url: database.url } };
    const error = await failure(
      seed(dataContext({ ...both, stores, seed: [...(both.seed ?? []), { table: 'db.users', rows: 3, columns: { id: '{n}' } }] })),
    );
    expect(error).toMatchObject({
      reason: 'seeding-failed',
      lines: [
        'cache: keys of entries hold something else (2)',
        expect.stringMatching(/"user:user-5" holds "mine", not/),
        expect.stringMatching(/"user:user-6" holds no string/),
      ],
    });
    expect(await home.dbsize()).toBe(2);
    expect(await database.sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
  });

  test('is taken back where an entry appears meanwhile, and Postgres stays empty', async () => {
    const database = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY)');
    const both = profile();
    const stores = { ...both.stores, db: { kind: 'postgres', url: database.url } };
    const context = dataContext({
      ...both,
      stores,
      seed: [...(both.seed ?? []), { table: 'db.users', rows: 3, columns: { id: '{n}' } }],
    });
    const rival = new Redis(server.url);
    let set: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      if (event.type === 'step-started' && event.step === 'seed cache 1 entries') set ??= rival.set('user:user-1100', 'theirs');
    };
    const error = await failure(seed({ ...context, emit }));
    await set;
    rival.disconnect();
    expect(error).toMatchObject({ reason: 'seeding-failed', lines: [expect.stringMatching(/user-1100" holds "theirs"/)] });
    expect(await home.keys('*')).toEqual(['user:user-1100']);
    expect(await database.sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
  });
});

describe('cleanup', () => {
  test('flushes the test database, and no other', async () => {
    await home.set('precious', '1');
    await testIndex.mset({ 'user:user-1': 'x', 'session:load-test-user-r1-1': 'x', 'load-test-user-2:cart': 'x' });
    const { receipt, reasons } = await cleanup(dataContext(profile()), real);
    expect(reasons).toEqual([]);
    const place = { store: 'cache', node: `127.0.0.1:${server.port}`, database: 1 };
    expect(receipt.keys).toEqual([{ what: 'keys', ...place, which: 'all that this profile makes', deleted: 3, left: 0 }]);
    expect([await home.dbsize(), await testIndex.dbsize()]).toEqual([1, 0]);
  });

  test('refuses to flush keys of others, unless they are accepted', async () => {
    await testIndex.mset({ 'user:user-1': 'x', 'user:user-bob': 'x', 'reload-test-user-1': 'x', other: 'x' });
    const error = await failure(cleanup(dataContext(profile()), real));
    expect(error).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/database 1 of .* holds 3 keys that this profile does not make/),
    });
    expect([...error.lines].sort()).toEqual(['"other"', '"reload-test-user-1"', '"user:user-bob"']);
    expect(await testIndex.dbsize()).toBe(4);
    const accepted = profile({ keys: [{ flush: 'cache', everything: true }] });
    expect((await cleanup(dataContext(accepted), real)).receipt.keys).toMatchObject([{ deleted: 4, left: 0 }]);
  });

  test('never flushes index 0 or an unnamed one', async () => {
    const without = dataContext(profile());
    const cache = without.profile.stores.cache;
    if (cache?.kind === 'redis') cache.testDatabase = 0;
    expect(await failure(cleanup(without, real))).toMatchObject({ reason: 'refused' });
    if (cache?.kind === 'redis') delete cache.testDatabase;
    expect(await failure(cleanup(without, real))).toMatchObject({ reason: 'refused' });
    if (cache?.kind === 'redis') Object.assign(cache, { testDatabase: 1, cluster: ['127.0.0.1:1'] });
    expect(await failure(cleanup(without, real))).toMatchObject({ reason: 'refused' });
  });

  test('deletes keys by pattern in the index of the URL', async () => {
    await home.mset({
      'user:load-test-user-1': 'x',
      'user:load-test-user-2': 'x',
      'user:load-test-userX': 'x',
      'USER:load-test-user-1': 'x',
    });
    await testIndex.set('user:load-test-user-1', 'x');
    const parts = profile({ keys: [{ match: 'cache/user:load-test-user-*' }] });
    const dry = (await cleanup(dataContext(parts), { dryRun: true, seeded: true })).receipt;
    expect(dry.keys).toMatchObject([{ deleted: 0, left: 2 }, { which: 'seeded: entries (user:user-{n})' }]);
    expect(dry.statements).toEqual([
      { store: 'cache', shard: null, sql: 'SELECT 0; SCAN MATCH user:load-test-user-*, UNLINK what it finds', rows: 2, ms: 0 },
      { store: 'cache', shard: null, sql: 'SELECT 0; UNLINK seeded: entries (user:user-{n})', rows: 0, ms: 0 },
    ]);
    const { receipt } = await cleanup(dataContext(parts), real);
    expect(receipt.keys).toMatchObject([{ database: 0, which: 'user:load-test-user-*', deleted: 2, left: 0 }]);
    expect((await home.keys('*')).sort()).toEqual(['USER:load-test-user-1', 'user:load-test-userX']);
    expect(await testIndex.dbsize()).toBe(1);
  });

  test('counts the keys of everybody else before and after, at each server', async () => {
    const keys = [{ match: 'cache/cart:load-test-user-*' }, { key: 'cache/queue:*', members: 'load-test-user-*' }];
    await home.mset('user:user-12', JSON.stringify({ id: 'user-12', name: 'Test "User" 12' }), 'cart:ann', '1', 'cart:bob', '1');
    await home.rpush('queue:waiting', 'load-test-user-1');
    const { before } = await seed(dataContext(profile({ keys: keys })));
    expect(before?.others).toEqual([{ store: 'cache', shard: null, node: `127.0.0.1:${server.port}`, table: 'keys', rows: 2 }]);
    await home.mset('cart:load-test-user-1', '1', 'cart:carol', '1');
    await home.del('cart:ann', 'cart:bob');
    const { receipt } = await cleanup(dataContext(profile({ keys: keys }), before ? { before } : {}), real);
    expect(receipt.others).toMatchObject([{ table: 'keys', before: 2, after: 1 }]);
    expect(await home.exists('queue:waiting')).toBe(0);
    expect((await cleanup(dataContext(profile({ keys: [{ flush: 'cache', everything: true }] })), real)).receipt.others).toMatchObject([
      { before: null, after: 1 },
    ]);
  });

  test.each(['sample', 'full'])('sums up what the keys of everybody else hold, whatever their order: %s', async (receipt) => {
    const parts = { ...profile({ keys: [{ match: 'cache/cart:load-test-user-*' }] }), guards: { receipt } };
    const members = Array.from({ length: 700 }, (_, n) => `m${n}`);
    const fill = async (names = members) => {
      await home.flushdb();
      const pipeline = home.pipeline();
      for (let n = 0; n < 400; n++) pipeline.set(`text:${n}`, `value ${n}`);
      for (let n = 0; n < 100; n++)
        pipeline.rpush(`list:${n}`, 'a', 'b').zadd(`zset:${n}`, 1, 'a', 2, 'b').xadd(`stream:${n}`, '1-1', 'a', 'b');
      pipeline.sadd('set:large', ...names).hset('hash:large', Object.fromEntries(names.map((name) => [name, `of ${name}`])));
      await pipeline.exec();
    };
    await fill();
    const { before } = await seed(dataContext(parts));
    expect(before?.others).toMatchObject([{ table: 'keys', rows: 702, sum: expect.stringMatching(/^[1-9]\d+$/) }]);
    const compared = async () => {
      const { receipt: told } = await cleanup(dataContext(parts, before ? { before } : {}), real);
      return told.others.map((one) => [one.before, one.after, one.sumBefore === one.sumAfter]);
    };
    expect(await compared()).toEqual([[702, 702, true]]);
    await fill(members.toReversed());
    expect(await compared()).toEqual([[702, 702, true]]);
    const changes = [
      () => home.set('text:7', 'value 8'),
      () => home.lset('list:7', 0, 'b'),
      () => home.zadd('zset:7', 3, 'a'),
      () => home.pipeline().srem('set:large', 'm7').sadd('set:large', 'n7').exec(),
      () => home.hset('hash:large', 'm7', 'of m8', 'm8', 'of m7'),
      () => home.xadd('stream:7', '2-1', 'a', 'c'),
    ];
    for (const change of receipt === 'full' ? changes : []) {
      await fill();
      await change();
      expect(await compared()).toEqual([[702, 702, false]]);
    }
  });

  test('with users takes seeded entries out that nobody changed', async () => {
    await seed(dataContext(profile()));
    await home.set('user:user-7', 'changed');
    await home.set('other', 'x');
    const { receipt, reasons } = await cleanup(dataContext(profile()), { dryRun: false, seeded: true });
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.keys[1]).toMatchObject({ which: 'seeded: entries (user:user-{n})', deleted: 1199, left: 1 });
    expect(receipt.lines).toMatchObject([
      { kind: 'left', what: 'entries (cache/user:user-{n})', count: 1, command: 'loadctl seed --env test --reset' },
    ]);
    expect((await home.keys('*')).sort()).toEqual(['other', 'user:user-7']);
  });
});

describe('what keeps us out says so in one line', () => {
  test.each([
    ['a wrong password', () => ({ url: server.url.replace(/:[^:@]+@/, ':wrong@') }), /refused the login|requires a password/],
    ['no password', () => ({ url: server.url.replace(/\/\/.*@/, '//') }), /refused the login|requires a password/],
    ['a closed port', () => ({ url: 'redis://127.0.0.1:1' }), /nothing listens on 127\.0\.0\.1:1/],
    ['an unknown host', () => ({ url: 'redis://no-such-host.invalid' }), /host of no-such-host\.invalid:6379 is not known/],
    ['TLS where there is none', () => ({ url: server.url.replace('redis:', 'rediss:') }), /./],
    ['an index that is not there', () => ({ testDatabase: 99 }), /has no database 99/],
  ])('%s', async (_name, store, message) => {
    const error = await failure(cleanup(dataContext(profile({ store: store() })), real));
    expect(error).toMatchObject({ reason: 'unavailable', message: expect.stringMatching(message), hint: expect.any(String) });
  });

  test('a user without FLUSHDB, which it takes only for everything', async () => {
    await home.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@all', '-flushdb');
    await testIndex.set('load-test-user-1', 'x');
    const store = { username: 'reader', password: 'pw' };
    const everything = [{ flush: 'cache', everything: true }];
    const { receipt, reasons } = await cleanup(dataContext(profile({ store, keys: everything })), real);
    expect(reasons).toEqual(['cleanup-not-proven', 'unavailable']);
    expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', why: expect.stringMatching(/does not allow this/) }));
    expect((await cleanup(dataContext(profile({ store })), real)).receipt).toMatchObject({ proven: true, keys: [{ deleted: 1 }] });
  });
});
