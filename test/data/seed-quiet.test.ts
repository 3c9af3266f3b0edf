import { setTimeout as passes } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { seed } from '../../src/phases/data/seed.js';
import { storeContext } from '../../src/phases/data/store-context.js';
import { inOrder } from '../../src/profile/templates/sets.js';
import { storeKind, storeTask } from '../../src/stores/index.js';
import { dataContext } from '../servers/data-context.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { asRole, type TestDatabase, testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';

/* What an application at work notices of a seed, and what is left of one that is stopped, frozen or killed. */

let server: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  [server, redis] = await Promise.all([startPostgres(), startRedis({})]);
});
afterAll(() => Promise.all([server.stop(), redis.stop()]));

const usersTable = 'CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE NOT NULL, name text)';
const columns = '{id: "user-{n}", email: "user{n}@test.com", name: "Test User {n}"}';
const ours = `FROM pg_stat_activity WHERE application_name LIKE 'loadctl/%' AND datname = current_database()`;

function place(url: string, rows: number, more = ''): Workplace {
  return workplace({
    'profiles/dev.yaml': `
target: {url: "http://127.0.0.1:1"}
workload: {script: ../script.js}
stores: {db: {kind: postgres, url: "${url}"}${more === '' ? '' : `, cache: {kind: redis, url: "${redis.url}/0"}`}}
seed:
  users: {table: db.users, rows: ${rows}, columns: ${columns}}
${more}`,
    'script.js': '',
  });
}

const seeding = ['seed', '--env', 'dev'];

async function countOf({ sql }: TestDatabase): Promise<number> {
  return Number((await sql("SELECT count(*)::int FROM users WHERE id LIKE 'user-%'"))[0]?.count);
}

/** Does the same over and over until it is told to stop; hands back how long the slowest took. */
function atWork(url: string, text: string): () => Promise<number> {
  let slowest = 0;
  let going = true;
  const work = (async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    while (going) {
      const begun = performance.now();
      await client.query(text);
      slowest = Math.max(slowest, performance.now() - begun);
    }
    await client.end();
  })();
  return async () => {
    going = false;
    await work;
    return slowest;
  };
}

test('an application hardly waits for a row that seeded ones reference, and nothing of ours is idle in a transaction', async () => {
  const database = await testDatabase(
    server,
    'CREATE TABLE events (id int PRIMARY KEY, sold int); INSERT INTO events VALUES (1, 0); CREATE TABLE others (LIKE events INCLUDING ALL); INSERT INTO others VALUES (1, 0); CREATE TABLE users (id text PRIMARY KEY, event int REFERENCES events)',
  );
  const context = dataContext({
    stores: { cache: { kind: 'redis', url: `${redis.url}/0` }, db: { kind: 'postgres', url: database.url } },
    seed: {
      users: { table: 'db.users', rows: 1000, columns: { id: 'user-{n}', event: 1 } },
      logins: { key: 'cache/user:{users.id}', rows: 150_000, value: { id: '{users.id}', text: 'x'.repeat(50) } },
    },
  });
  const buying = (table: string) =>
    `BEGIN; SELECT FROM ${table} WHERE id = 1 FOR UPDATE; UPDATE ${table} SET sold = sold + 1 WHERE id = 1; COMMIT`;
  const application = atWork(database.url, buying('events'));
  // The same on a row that nobody references: what this machine keeps everybody waiting for.
  const control = atWork(database.url, buying('others'));
  let longest = 0;
  let going = true;
  const watching = (async () => {
    while (going) {
      const [row] = await database.sql(
        `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float AS idle ${ours} AND state LIKE 'idle in%'`,
      );
      longest = Math.max(longest, Number(row?.idle) * 1000);
      await passes(5);
    }
  })();
  const begun = performance.now();
  await seed(context);
  const tookMs = performance.now() - begun;
  going = false;
  await watching;
  const [waited, anyway] = [await application(), await control()];
  expect(waited - anyway).toBeLessThan(500);
  expect(longest).toBeLessThan(2000);
  expect(tookMs).toBeGreaterThan(1000); // else nothing could have been waited for
});

test('Ctrl-C ends within 5 s, and what it says is in, is in; the same command goes on from there', async () => {
  const database = await testDatabase(server, `${usersTable}; INSERT INTO users VALUES ('user-7', 'user7@test.com', 'Test User 7')`);
  const at = place(database.url, 400_000);
  const run = at.start(seeding);
  await run.until('users in db …');
  await expect.poll(() => countOf(database), { interval: 10, timeout: 20_000 }).toBeGreaterThan(1);
  const begun = performance.now();
  run.process.kill('SIGINT');
  const { code, stderr } = await run.said;
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(code).toBe(105);
  const [, said = ''] = /seeding was interrupted; ([\d,]+) of 400,000 rows are in/.exec(stderr) ?? [];
  expect(Number(said.replaceAll(',', '')), stderr).toBe(await countOf(database));
  expect(Number(said.replaceAll(',', ''))).toBeLessThan(400_000);
  expect(await at.loadctl(seeding)).toMatchObject({ code: 0 });
  expect(await countOf(database)).toBe(400_000);
});

test('a loadctl that is frozen holds nothing for long: neither a transaction nor, after 10 s, the lock', async () => {
  const database = await testDatabase(server, usersTable);
  const at = place(database.url, 600_000);
  const run = at.start(seeding);
  await run.until('users in db …');
  await expect.poll(() => countOf(database), { interval: 10, timeout: 20_000 }).toBeGreaterThan(1);
  run.process.kill('SIGSTOP');
  try {
    await expect.poll(() => database.sql(`SELECT 1 ${ours} AND state <> 'idle'`), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => database.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), { timeout: 15_000 }).toEqual([]);
  } finally {
    run.process.kill('SIGCONT');
  }
  const { code, stderr } = await run.said;
  expect(code, stderr).toBe(115);
  expect(stderr).toMatch(/lost the lock/);
  const [, said = ''] = /; ([\d,]+) of 600,000 rows are in/.exec(stderr) ?? [];
  expect(Number(said.replaceAll(',', '')), stderr).toBe(await countOf(database));
  expect(await at.loadctl(seeding)).toMatchObject({ code: 0 });
  expect(await countOf(database)).toBe(600_000);
}, 120_000);

test('a statement of a loadctl that was killed ends within 10 s', async () => {
  const database = await testDatabase(
    server,
    `${usersTable}; CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM generate_series(1, 2000000000); RETURN NEW; END $$;
     CREATE TRIGGER slow BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION slow()`,
  );
  const run = place(database.url, 100).start(seeding);
  await expect
    .poll(() => database.sql(`SELECT 1 ${ours} AND state = 'active' AND query LIKE 'INSERT%'`), { interval: 20, timeout: 20_000 })
    .toEqual([{ '?column?': 1 }]);
  run.process.kill('SIGKILL');
  await run.said;
  await expect.poll(() => database.sql(`SELECT 1 ${ours}`), { interval: 100, timeout: 10_000 }).toEqual([]);
  expect(await countOf(database)).toBe(0);
});

test.each([
  ['while the cache is filled: all of it is in', 'seed cache 2 logins', true],
  ['while rows are written: it is told, and nothing is in anywhere', 'seed db shard 0 1 users', false],
])('the session of one shard ends %s', async (_, step, isDone) => {
  const shards = [await testDatabase(server, usersTable), await testDatabase(server, usersTable)];
  const context = dataContext({
    stores: {
      db: { kind: 'postgres', shards: shards.map(({ url }) => url), shardBy: 'id % 2' },
      cache: { kind: 'redis', url: `${redis.url}/3` },
    },
    seed: {
      users: { table: 'db.users', rows: 100_000, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'x' } },
      logins: { key: 'cache/user:{users.id}', rows: 20_000, value: { id: '{users.id}' } },
    },
  });
  let killed: Promise<unknown> | undefined;
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    const isMoment = event.type === 'step-progressed' && (event.step === step || (isDone && event.unit === 'entries'));
    if (isMoment) killed ??= shards[1]?.sql(`SELECT pg_terminate_backend(pid) ${ours} AND application_name = 'loadctl/seed'`);
  };
  const outcome = await seed({ ...context, emit }).catch((error: LoadctlError) => error);
  await killed;
  expect(killed).toBeDefined();
  const counts = await Promise.all(shards.map(countOf));
  if (isDone) {
    expect(outcome).toMatchObject({ stores: [{ created: 50_000 }, { created: 50_000 }, { created: 20_000 }] });
    expect(counts).toEqual([50_000, 50_000]);
    return;
  }
  expect(outcome).toMatchObject({
    reason: 'unavailable',
    message: expect.stringMatching(/^db shard 1 /),
    hint: expect.stringMatching(/Nothing of this seed is in\.$/),
  });
  expect(counts).toEqual([0, 0]);
});

test('a Redis that is full: what was written is taken back everywhere, and its application can write again', async () => {
  const database = await testDatabase(server, usersTable);
  const cache = new Redis(`${redis.url}/4`);
  const used = Number(/used_memory:(\d+)/.exec(await cache.info('memory'))?.[1]);
  try {
    const context = dataContext({
      stores: { db: { kind: 'postgres', url: database.url }, cache: { kind: 'redis', url: `${redis.url}/4` } },
      seed: {
        users: { table: 'db.users', rows: 8000, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'x' } },
        logins: { key: 'cache/user:{users.id}', rows: 20_000, value: { id: '{users.id}', text: 'x'.repeat(300) } },
      },
    });
    // There is room when it is looked for, and none any more once the rows before the entries go in.
    const emit: typeof context.emit = (event) => {
      context.emit(event);
      if (event.type === 'step-started' && event.step.endsWith(' users')) void cache.config('SET', 'maxmemory', String(used + 3_000_000));
    };
    await expect(seed({ ...context, emit })).rejects.toMatchObject({
      hint: expect.stringMatching(/raise its maxmemory\. Nothing of this seed is in\.$/),
    });
    expect([await cache.dbsize(), await countOf(database)]).toEqual([0, 0]);
    expect(await cache.set('precious', 'x')).toBe('OK');
  } finally {
    await cache.config('SET', 'maxmemory', '0');
    cache.disconnect();
  }
});

test('two stores in one database: rows that reference the other store’s go in after them, whatever the stores’ order', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${usersTable}; CREATE TABLE orders (id text PRIMARY KEY, user_id text REFERENCES users)`,
  );
  const stores = { a: { kind: 'postgres', url }, b: { kind: 'postgres', url } };
  for (const rows of [100, 6000]) {
    const sets = {
      users: { table: 'b.users', rows, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'x' } },
      orders: { table: 'a.orders', rows, columns: { id: 'o{n}', user_id: '{users.id}' } },
    };
    await seed(dataContext({ stores, seed: sets }));
    expect(await sql('SELECT count(*)::int FROM orders JOIN users ON users.id = user_id')).toEqual([{ count: rows }]);
  }
});

test('two stores that seed one table are refused, and nobody waits for himself', async () => {
  const { url, sql } = await testDatabase(server, usersTable);
  const set = (store: string) => ({ table: `${store}.users`, rows: 10, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'x' } });
  const outcome = seed(dataContext({ stores: { a: { kind: 'postgres', url }, b: { kind: 'postgres', url } }, seed: [set('a'), set('b')] }));
  await expect(outcome).rejects.toMatchObject({ reason: 'refused', message: 'the stores a and b reach one table, users' });
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
});

test('rows that another session writes meanwhile are looked at again', async () => {
  const database = await testDatabase(server, usersTable);
  const rival = new pg.Client({ connectionString: database.url });
  await rival.connect();
  for (const [name, isEqual] of [
    ['Test User 3000', true],
    ['Bob', false],
  ] as const) {
    await rival.query(`BEGIN; INSERT INTO users VALUES ('user-3000', 'user3000@test.com', '${name}')`);
    const set = { table: 'db.users', rows: 30_000, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'Test User {n}' } };
    const context = dataContext({ stores: { db: { kind: 'postgres', url: database.url } }, seed: [set] });
    const outcome = seed(context).catch((error: LoadctlError) => error);
    await expect
      .poll(() => database.sql(`SELECT 1 ${ours} AND wait_event = 'transactionid'`), { interval: 5, timeout: 20_000 })
      .toHaveLength(1);
    await rival.query('COMMIT');
    if (isEqual) expect(await outcome).toMatchObject({ stores: [{ created: 29_999, alreadyThere: 1 }] });
    else {
      expect(await outcome).toMatchObject({
        reason: 'seeding-failed',
        lines: [expect.stringMatching(/name differs/), expect.stringMatching(/row 3000 .*"Bob"/)],
      });
      expect(await countOf(database)).toBe(1);
    }
    await rival.query('DELETE FROM users');
  }
  await rival.end();
});

test.runIf(hasPgBouncer())('who asks through a pooler without the lock leaves no setting behind in its sessions', async () => {
  const { url, sql } = await testDatabase(server, `${usersTable}; INSERT INTO users VALUES ('user-1', 'user1@test.com', 'Test User 1')`);
  const through = await startPgBouncer(url, { mode: 'transaction', size: 2 });
  const application = new pg.Client({ connectionString: through });
  await application.connect();
  const settings = async () =>
    (await application.query("SELECT name, setting FROM pg_settings WHERE source = 'session' AND name <> 'application_name' ORDER BY 1"))
      .rows;
  const untouched = await settings();
  const set = { table: 'db.users', rows: 1, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'Test User {n}' } };
  const asking = dataContext({ stores: { db: { kind: 'postgres', url: through } }, seed: { users: set } });
  const { profile } = asking;
  const [users] = inOrder(profile.seed);
  const store = profile.stores.db;
  if (users === undefined || !('table' in users) || store === undefined) throw new Error('the profile has a set and a store');
  const samples = await (await storeKind(store)).sampleRows?.(
    store,
    storeTask(profile, 'db', { now: 0 }),
    { set: users, which: 'ends' },
    storeContext(asking, 'db', 'loadctl/doctor'),
  );
  expect(samples).toMatchObject([{ there: true }]);
  expect(await settings()).toEqual(untouched);
  // A replica that is asked, and is no database of its own behind its address.
  const beside = dataContext({
    stores: { db: { kind: 'postgres', url, replica: through } },
    seed: { users: set },
    guards: { receipt: 'count' },
  });
  await expect(seed(beside)).rejects.toMatchObject({ reason: 'refused' });
  expect(await settings()).toEqual(untouched);
  expect(await sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).toEqual([]);
  await application.end();
});

test('a table that takes long to find a row in keeps a migration waiting for half a second, not for all of it', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE TABLE users (id text PRIMARY KEY, tenant text); INSERT INTO users SELECT 'x' || n, 'others' FROM generate_series(1, 1000) n; ALTER TABLE users ENABLE ROW LEVEL SECURITY;
     CREATE FUNCTION is_test(tenant text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN tenant = 'test'; END $$; CREATE POLICY mine ON users USING (is_test(tenant));
     CREATE ROLE tenant LOGIN PASSWORD 'pw'; GRANT ALL ON users TO tenant;`,
  );
  const migration = atWork(url, 'BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; COMMIT; SELECT pg_sleep(0.02)');
  const columns = { id: 'user-{n}', tenant: 'test' };
  const parts = { stores: { db: { kind: 'postgres', url: asRole(url, 'tenant', 'pw') } }, seed: [{ table: 'db.users', rows: 3, columns }] };
  expect(await seed(dataContext(parts))).toMatchObject({ stores: [{ created: 3 }] });
  expect(await migration()).toBeLessThan(2500);
});
