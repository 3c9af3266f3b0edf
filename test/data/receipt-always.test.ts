import { setTimeout as passes } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed as seeds } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';
import { startPrimaryAndStandby } from '../servers/standby.js';

/* A receipt is made whatever fails, and a count that failed is a line of it. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const settleMs = 20;
const own = { dryRun: false, seeded: false };

function profile(store: Record<string, unknown>, table: string, more: Partial<DataProfile> = {}): DataProfile {
  return {
    stores: { db: { kind: 'postgres', ...store } },
    cleanup: { settle: `${settleMs}ms`, rows: [{ table: `db.${table}`, column: 'user_id' }] },
    ...more,
  };
}

async function connection(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return async (text: string) => (await client.query(text)).rows;
}

test('a replica that lags keeps nothing from the receipt: what is gone is told, the count is not proven', async () => {
  const servers = await startPrimaryAndStandby();
  const [primary, replica] = [await connection(servers.primary), await connection(servers.standby)];
  await primary("CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) VALUES ('load-test-user-1'), ('real')");
  await replica('SELECT pg_wal_replay_pause()');
  await primary("INSERT INTO res (user_id) VALUES ('real2')");
  let now = Date.now();
  const pollMs = 50;
  const hurried = {
    stamp: () => now,
    elapsed: () => now,
    sleep: (ms: number) => {
      if (ms === pollMs) now += 40_000;
      return passes(ms);
    },
  };
  const context = dataContext(profile({ url: servers.primary, replica: servers.standby }, 'res'), { clock: hurried });
  const { receipt, reasons } = await cleanup(context, own);
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.rows).toMatchObject([{ table: 'res', deleted: 1, left: 0 }]);
  expect(receipt.lines).toEqual([
    {
      kind: 'unknown',
      store: null,
      shard: null,
      what: 'rows and keys of others (receipt: count)',
      count: null,
      why: 'db: its replica is more than 30 s behind',
      command: expect.stringMatching(/remove `replica`/),
    },
  ]);
  expect(context.events.filter(({ type }) => type === 'receipt-made')).toHaveLength(1);
});

test('so does a statement that is cancelled while others’ rows are counted', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 10) n;
     INSERT INTO res (user_id) SELECT 'real' FROM generate_series(1, 1000000)`,
  );
  const cleaning = cleanup(dataContext(profile({ url }, 'res', { guards: { receipt: 'full' } })), own);
  const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sha256%' AND pid <> pg_backend_pid() AND state = 'active' AND datname = current_database()`;
  await expect.poll(async () => (await sql(cancel)).length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  const { receipt, reasons } = await cleaning;
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.rows).toMatchObject([{ deleted: 10, left: 0 }]);
  expect(receipt.lines).toMatchObject([
    { kind: 'unknown', what: 'rows and keys of others (receipt: full)', why: expect.stringMatching(/cancel/) },
  ]);
});

test('rows that kept coming while cleanup ran are the reason: how many, in which table, and `settle` is named', async () => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE jobs (id serial PRIMARY KEY, user_id text)');
  await sql("INSERT INTO jobs (user_id) VALUES ('load-test-user-r-0')");
  const context = dataContext(profile({ url }, 'jobs'));
  // The worker writes one row between any two looks.
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === settleMs) await sql("INSERT INTO jobs (user_id) VALUES ('load-test-user-r-1')");
    return context.world.clock.sleep(ms, signal);
  };
  const clock = { ...context.world.clock, sleep };
  const { receipt, reasons } = await cleanup({ ...context, world: { ...context.world, clock } }, own);
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.rows).toMatchObject([{ table: 'jobs', left: 0 }]);
  expect(receipt.lines).toEqual([
    {
      kind: 'unknown',
      store: 'db',
      shard: null,
      what: 'jobs',
      count: expect.any(Number),
      why: expect.stringMatching(/^more kept coming while cleanup removed what was there/),
      command: expect.stringMatching(/cleanup\.settle, now 20ms\); then loadctl cleanup --env test$/),
    },
  ]);
  expect(receipt.lines[0]?.count).toBeGreaterThan(20);
});

test('a database that goes away halfway leaves a receipt of how far it was', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 100) n`,
  );
  const context = dataContext(profile({ url }, 'res'));
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms !== settleMs) return context.world.clock.sleep(ms, signal);
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loadctl/cleanup' AND datname = current_database()",
    );
    return context.world.clock.sleep(ms, signal);
  };
  const clock = { ...context.world.clock, sleep };
  const { receipt, reasons } = await cleanup({ ...context, world: { ...context.world, clock } }, own);
  expect(reasons[0]).toBe('cleanup-not-proven');
  expect(receipt.rows).toMatchObject([{ deleted: 100 }]);
  expect(receipt.lines).toMatchObject([
    { kind: 'unknown', what: 'what is left', command: expect.stringMatching(/\. Then: loadctl cleanup --env test$/) },
  ]);
});

test('so are keys and members that a worker goes on writing', async () => {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  onTestFinished(async () => {
    client.disconnect();
    await redis.stop();
  });
  const keys = [{ match: 'cache/job:load-test-user-*' }, { key: 'cache/queue', members: 'load-test-user-*' }];
  const context = dataContext({ stores: { cache: { kind: 'redis', url: redis.url } }, cleanup: { settle: `${settleMs}ms`, keys } });
  let written = 0;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === settleMs) {
      written += 1;
      await client.set(`job:load-test-user-${written}`, 'x');
      await client.rpush('queue', `load-test-user-${written}`);
    }
    return context.world.clock.sleep(ms, signal);
  };
  const clock = { ...context.world.clock, sleep };
  const { receipt, reasons } = await cleanup({ ...context, world: { ...context.world, clock } }, { dryRun: false, seeded: true });
  expect(reasons).toEqual(['cleanup-not-proven']);
  const why = expect.stringMatching(/^more kept coming/);
  const command = expect.stringMatching(/cleanup\.settle, now 20ms\); then loadctl cleanup --env test --seeded$/);
  const line = { kind: 'unknown', store: 'cache', shard: null, count: expect.any(Number), why, command };
  expect(receipt.lines).toEqual([
    { ...line, what: 'keys job:load-test-user-*' },
    { ...line, what: 'members load-test-user-* of queue' },
  ]);
  expect(receipt.lines[0]?.count).toBeGreaterThan(10);
});

test('a disk that keeps nothing more is no reason to make none', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) VALUES ('load-test-user-1')",
  );
  const seed = { users: { table: 'db.users', rows: 5, columns: { id: 'user-{n}' } } };
  const machine: Machine = {};
  const parts = profile({ url }, 'res', { seed });
  await seeds(dataContext(parts, { machine }));
  await sql("UPDATE users SET id = 'renamed' WHERE id = 'user-3'");
  const full = () => Promise.reject(new LoadctlError('unavailable', 'the disk is full'));
  for (const left of ['renamed', 'nobody']) {
    const context = { ...dataContext(parts, { machine }), keep: full };
    const { receipt } = await cleanup(context, { dryRun: false, seeded: true });
    expect(receipt.proven).toBe(left === 'nobody');
    expect(context.events).toContainEqual({ type: 'receipt-made', receipt });
    expect(context.events).toContainEqual({
      type: 'warned',
      code: 'before-file-not-written',
      file: '.loadctl/before-test.json',
      why: 'the disk is full',
    });
    await sql('DELETE FROM users');
  }
});
