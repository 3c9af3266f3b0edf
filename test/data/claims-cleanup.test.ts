import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';

/* What docs/data.md claims of a cleanup and its receipt, where no other test is about it. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const own = { dryRun: false, seeded: false };
const parts = (url: string, rows: unknown[], more: Partial<DataProfile> = {}): DataProfile => ({
  stores: { db: { kind: 'postgres', url } },
  cleanup: { settle: '1ms', rows },
  ...more,
});
const byUser = (table: string) => ({ table: `db.${table}`, column: 'user_id' });

test('a cleanup deletes in transactions that are ended after 300 ms, or 1.5 s where an index is missing, and rests after each', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE seen (name text, ms text); CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO seen VALUES (TG_TABLE_NAME, current_setting('statement_timeout')); RETURN NULL; END $$;
     CREATE TABLE jobs (id int PRIMARY KEY, user_id text); CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (order_id int REFERENCES orders, user_id text);
     INSERT INTO jobs SELECT n, 'load-test-user-' || n FROM generate_series(1, 60000) n; INSERT INTO orders SELECT n, 'load-test-user-' || n FROM generate_series(1, 100) n;
     CREATE TRIGGER look AFTER DELETE ON jobs FOR EACH STATEMENT EXECUTE FUNCTION look(); CREATE TRIGGER look AFTER DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION look();`,
  );
  for (const pause of [undefined, '9ms']) {
    const rested: number[] = [];
    const given = parts(url, [byUser('jobs'), byUser('orders'), byUser('notes')]);
    const context = dataContext({ ...given, cleanup: { ...given.cleanup, ...(pause === undefined ? {} : { pause }) } });
    const sleep = (ms: number, signal?: AbortSignal) => {
      rested.push(ms);
      return context.world.clock.sleep(ms, signal);
    };
    const begun = performance.now();
    const { reasons } = await cleanup({ ...context, world: { ...context.world, clock: { ...context.world.clock, sleep } } }, own);
    const tookMs = performance.now() - begun;
    expect(reasons).toEqual([]);
    const rests = rested.filter((ms) => ms > 0 && ms !== 1 && ms < 500);
    if (pause === undefined) expect(rests.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(0.08 * tookMs);
    else expect(rests.filter((ms) => ms === 9).length).toBe(rests.length);
    expect(rests.length).toBeGreaterThan(2);
    if (pause === undefined) await sql("INSERT INTO jobs SELECT n, 'load-test-user-' || n FROM generate_series(1, 60000) n");
  }
  expect(await sql('SELECT DISTINCT name, ms FROM seen ORDER BY name')).toEqual([
    { name: 'jobs', ms: '300ms' },
    { name: 'orders', ms: '1500ms' },
  ]);
});

test('rows that reference each other go together; a ring of more than 5,000 stays, which is told', async () => {
  for (const [rows, isOut] of [
    [1000, true],
    [5001, false],
  ] as const) {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE ring (id int PRIMARY KEY, user_id text, next int REFERENCES ring DEFERRABLE INITIALLY DEFERRED); CREATE INDEX ON ring (next);
       INSERT INTO ring SELECT n, 'load-test-user-' || n, 1 + n % ${rows} FROM generate_series(1, ${rows}) n`,
    );
    const { receipt, reasons } = await cleanup(dataContext(parts(url, [byUser('ring')])), own);
    expect([reasons, receipt.rows]).toMatchObject([isOut ? [] : ['cleanup-not-proven'], [{ left: isOut ? 0 : rows }]]);
    expect(receipt.lines).toMatchObject(isOut ? [] : [{ kind: 'left', what: 'db.ring', count: rows }]);
    expect(await sql('SELECT count(*)::int FROM ring')).toEqual([{ count: isOut ? 0 : rows }]);
  }
});

test('receipt: off counts nobody’s rows and keys, and says so by having none', async () => {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  onTestFinished(async () => {
    client.disconnect();
    await redis.stop();
  });
  const { url } = await testDatabase(server, "CREATE TABLE jobs (user_id text); INSERT INTO jobs VALUES ('real')");
  await client.set('real', 'x');
  const given: DataProfile = {
    stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: redis.url } },
    seed: { logins: { key: 'cache/login:{n}', rows: 3, value: 'x' } },
    cleanup: { settle: '1ms', rows: [byUser('jobs')], keys: [{ match: 'cache/job:load-test-user-*' }] },
  };
  for (const receipt of ['off', 'count']) {
    const machine: Machine = {};
    const { before } = await seed(dataContext({ ...given, guards: { receipt } }, { machine }));
    await client.config('RESETSTAT');
    const cleaned = await cleanup(dataContext({ ...given, guards: { receipt } }, { machine }), own);
    const counted = receipt === 'off' ? [] : ['jobs', 'keys'];
    expect([
      cleaned.reasons,
      (before.others ?? []).map(({ table }) => table),
      cleaned.receipt.others.map(({ table }) => table).sort(),
    ]).toEqual([[], counted, counted]);
    expect((await client.info('commandstats')).includes('cmdstat_dbsize')).toBe(receipt === 'count');
  }
});

test('receipt: sample sums up every hundredth page, and no other', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE jobs (id int, user_id text) WITH (fillfactor = 10); INSERT INTO jobs SELECT n, 'real' FROM generate_series(1, 20000) n",
  );
  const sum = async () => (await seed(dataContext(parts(url, [byUser('jobs')], { guards: { receipt: 'sample' } })))).before.others?.[0];
  const first = await sum();
  expect(first).toMatchObject({ rows: 20_000, sum: expect.any(String) });
  // As text, so that the row stays where it is: a page is read where its number ends in 00.
  const pages = await sql('SELECT DISTINCT (ctid::text::point)[0]::int AS page FROM jobs ORDER BY 1');
  const changeOn = async (page: number) => {
    await sql("UPDATE jobs SET user_id = CASE user_id WHEN 'real' THEN 'list' ELSE 'real' END WHERE (ctid::text::point)[0]::int = $1", [
      page,
    ]);
    const now = await sum();
    return now?.sum !== first?.sum;
  };
  expect(pages.length).toBeGreaterThan(300);
  expect([await changeOn(150), await changeOn(201)]).toEqual([false, false]);
  expect(await changeOn(200)).toBe(true);
});
