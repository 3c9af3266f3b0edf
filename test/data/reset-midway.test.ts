import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { resetSeeded } from '../../src/phases/data/reset.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';

/* seed --reset that ends in the middle: what it says is gone, is gone, and the same command goes on from there. */

let postgres: PostgresServer;
let redis: RedisServer;
let client: Redis;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  client = new Redis(redis.url);
});
afterAll(async () => {
  client.disconnect();
  await Promise.all([postgres.stop(), redis.stop()]);
});
beforeEach(() => client.flushall());

const agreed = () => Promise.resolve();

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => (error instanceof LoadctlError ? error : expect.unreachable(String(error))),
  );

const removal = (removed: number, kept = 0) => ({ type: 'noted', code: 'changed-seed-removed', removed, kept });

test('entries of any kind that lack something, hold more or something longer go, and are seeded as they were', async () => {
  const parts: DataProfile = {
    stores: { cache: { kind: 'redis', url: redis.url } },
    seed: {
      hashes: { key: 'cache/h:h-{n}', rows: 5, as: 'hash', value: { a: '1', b: '2' } },
      texts: { key: 'cache/t:t-{n}', rows: 5, value: 'x{n}' },
      lists: { key: 'cache/l:l-{n}', rows: 5, as: 'list', value: ['a', 'b'] },
      zsets: { key: 'cache/z:z-{n}', rows: 5, as: 'zset', value: { a: '1', b: '2' } },
    },
  };
  await seed(dataContext(parts));
  const dumps = async () => Promise.all((await client.keys('*')).sort().map((key) => client.dump(key)));
  const seeded = await dumps();
  await client.hdel('h:h-1', 'a');
  await client.hset('h:h-2', 'c', '1');
  await client.hset('h:h-3', 'a', 'x'.repeat(100_000));
  await client.set('t:t-1', 'x'.repeat(1_000_000));
  await client.set('t:t-2', '');
  await client.multi().del('t:t-3').rpush('t:t-3', 'x').exec();
  await client.lset('l:l-1', 0, 'x'.repeat(5000));
  await client.multi().zrem('z:z-1', 'a').zadd('z:z-1', 1, 'c').exec();
  const context = dataContext(parts);
  await resetSeeded(context, agreed);
  expect(context.events).toContainEqual(removal(8));
  expect((await seed(dataContext(parts))).stores.map(({ created }) => created)).toEqual([3, 3, 1, 1]);
  expect(await dumps()).toEqual(seeded);
});

test('where one store refuses, what went from the others is told', async () => {
  await client.call('ACL', 'SETUSER', 'loadctl', 'reset', 'on', '>pw', '~*', '+@all', '-unlink', '(+unlink ~t:t-1*)');
  const { url, sql } = await testDatabase(postgres, 'CREATE TABLE users (id text PRIMARY KEY, name text)');
  const parts: DataProfile = {
    stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: redis.url, username: 'loadctl', password: 'pw' } },
    seed: {
      users: { table: 'db.users', rows: 80, columns: { id: 'user-{n}', name: 'Test' } },
      texts: { key: 'cache/t:t-{n}', rows: 20, value: 'x' },
    },
  };
  await seed(dataContext(parts));
  await sql("UPDATE users SET name = 'Bob'");
  for (const key of await client.keys('*')) await client.set(key, 'changed');
  const { reason, message } = await failure(resetSeeded(dataContext(parts), agreed));
  expect(reason).toBe('unavailable');
  // The keys 1 and 10 to 19.
  expect([await client.dbsize(), await sql('SELECT count(*)::int FROM users')]).toEqual([9, [{ count: 0 }]]);
  expect(message).toMatch(/; at least 91 of 100 changed rows were removed$/);
  await client.call('ACL', 'SETUSER', 'loadctl', '+unlink');
  const context = dataContext(parts);
  await resetSeeded(context, agreed);
  expect(context.events).toContainEqual(removal(9));
  expect((await seed(dataContext(parts))).stores.map(({ created }) => created)).toEqual([80, 20]);
});

test('an interrupt: it says how many are gone, and the same command goes on from there', async () => {
  const { url, sql } = await testDatabase(
    postgres,
    `CREATE TABLE users (id text PRIMARY KEY, name text); INSERT INTO users VALUES ('real-1', 'Bob');
     CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN OLD; END $$;
     CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow()`,
  );
  const rows = 3000;
  const parts: DataProfile = {
    stores: { db: { kind: 'postgres', url } },
    seed: { users: { table: 'db.users', rows, columns: { id: 'user-{n}', name: 'Test' } } },
  };
  await seed(dataContext(parts));
  await sql("UPDATE users SET name = 'Bob'");
  const count = async () => Number((await sql("SELECT count(*)::int AS rows FROM users WHERE name = 'Bob'"))[0]?.rows) - 1;
  const interrupt = new AbortController();
  const early = await failure(
    resetSeeded(dataContext(parts, { signal: interrupt.signal }), () => {
      interrupt.abort();
      return Promise.resolve();
    }),
  );
  expect(early).toMatchObject({ reason: 'interrupted', message: 'seed --reset was interrupted; nothing was removed' });
  const second = new AbortController();
  const work = failure(resetSeeded(dataContext(parts, { signal: second.signal }), agreed));
  await expect.poll(count, { interval: 5, timeout: 30_000 }).toBeLessThan(rows);
  second.abort();
  const { reason, message } = await work;
  const gone = rows - (await count());
  expect(gone).toBeLessThan(rows);
  expect([reason, message]).toEqual([
    'interrupted',
    `seed --reset was interrupted; ${gone.toLocaleString('en-US')} of 3,000 changed rows were removed`,
  ]);
  await sql('ALTER TABLE users DISABLE TRIGGER slow');
  const context = dataContext(parts);
  await resetSeeded(context, agreed);
  expect(context.events).toContainEqual(removal(rows - gone));
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: rows }]);
  expect(await sql("SELECT id FROM users WHERE name = 'Bob'")).toEqual([{ id: 'real-1' }]);
});
