import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import type { LoadctlEvent } from '../../src/core/events.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { takeLock } from '../../src/phases/data/lock.js';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startRestartablePostgres } from '../servers/restartable-postgres.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';
import { runId } from '../support/ids.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const stores = (url: string, more: Record<string, unknown> = {}) => ({ stores: { db: { kind: 'postgres', url, ...more } } });

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

test('one at a time works on a database; the second is told who', async () => {
  const { url } = await testDatabase(server);
  const lock = await takeLock(dataContext(stores(url), { run: runId('20261123-1') }), 'run');
  const seconds = [
    () => takeLock(dataContext(stores(url)), 'run'),
    () => seed(dataContext(stores(url))),
    () => cleanup(dataContext(stores(url)), { dryRun: true, seeded: false }),
  ];
  for (const second of seconds) {
    expect(await failure(second())).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(
        /another loadctl works on the database test\d+: loadctl\/20261123-1 by ann@laptop from 127\.0\.0\.1 as postgres since \d{4}-\d\d-\d\dT/,
      ),
      hint: expect.stringMatching(/pg_terminate_backend\(\d+\)/),
    });
  }
  await lock.release();
  await lock.release();
  const again = await takeLock(dataContext(stores(url)), 'run');
  await again.release();
});

test('who holds it is a stranger to another role', async () => {
  const { url } = await testDatabase(server, "CREATE ROLE guest LOGIN PASSWORD 'pw'");
  const lock = await takeLock(dataContext(stores(url)), 'run');
  expect(await failure(takeLock(dataContext(stores(asRole(url, 'guest', 'pw'))), 'run'))).toMatchObject({ reason: 'refused' });
  await lock.release();
});

test('is taken in every shard, and in none when one is taken', async () => {
  const [one, two] = [await testDatabase(server), await testDatabase(server)];
  const held = await takeLock(dataContext(stores(two.url)), 'run');
  const sharded = { stores: { db: { kind: 'postgres', shards: [one.url, two.url], shardBy: 'id % 2' } } };
  expect(await failure(takeLock(dataContext(sharded), 'run'))).toMatchObject({ reason: 'refused' });
  const free = await takeLock(dataContext(stores(one.url)), 'run');
  await Promise.all([free.release(), held.release()]);
  const both = await takeLock(dataContext(sharded), 'run');
  expect(both.databases).toBe(2);
  await both.release();
});

test('two stores in one database do not shut each other out', async () => {
  const { url } = await testDatabase(server);
  const lock = await takeLock(dataContext({ stores: { a: { kind: 'postgres', url }, b: { kind: 'postgres', url } } }), 'run');
  expect(lock.databases).toBe(1);
  await lock.release();
});

test('nor a second role of ours, to which the start of the first one’s session is hidden', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE carts (id text PRIMARY KEY); CREATE ROLE carter LOGIN PASSWORD 'pw'; GRANT ALL ON carts TO carter",
  );
  const profile = {
    stores: { db: { kind: 'postgres', url }, shop: { kind: 'postgres', url: asRole(url, 'carter', 'pw') } },
    seed: [
      { table: 'db.users', rows: 5, columns: { id: 'user-{n}' } },
      { table: 'shop.carts', rows: 5, columns: { id: 'cart-{n}' } },
    ],
  };
  await seed(dataContext(profile));
  expect(await sql('SELECT count(*)::int AS carts FROM carts')).toEqual([{ carts: 5 }]);
  expect((await cleanup(dataContext(profile), { dryRun: false, seeded: true })).reasons).toEqual([]);
  expect(await sql('SELECT count(*)::int AS carts FROM carts')).toEqual([{ carts: 0 }]);
});

test('two shards in one database are told to be none', async () => {
  const { url } = await testDatabase(server);
  const shards = { stores: { db: { kind: 'postgres', shards: [url, `${url}?application_name=x`], shardBy: 'id % 2' } } };
  expect(await failure(takeLock(dataContext(shards), 'seed'))).toMatchObject({
    reason: 'invalid-profile',
    message: expect.stringMatching(/^db shard \d: 127\.0\.0\.1:\d+\/test\d+ is already used by another shard$/),
  });
});

test('a profile without Postgres has nothing to lock', async () => {
  const lock = await takeLock(dataContext({ stores: {} }), 'run');
  expect(lock.databases).toBe(0);
  await lock.release();
});

describe('that is lost', () => {
  const holders = "application_name LIKE 'loadctl/% by %' AND datname = current_database()";
  const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${holders}`;

  test('with its session ends a seed, which says what is in: nobody writes while another may', async () => {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)');
    const parts = { ...stores(url), seed: [{ table: 'db.users', rows: 300_000, columns: { id: '{n}' } }] };
    // With a lock of its own, and within a test, whose run may go on without one for a while.
    for (const isTest of [false, true]) {
      const context = dataContext(parts);
      let killed: Promise<unknown> | undefined;
      const emit: typeof context.emit = (event) => {
        context.emit(event);
        if (event.type === 'step-progressed') killed ??= sql(kill);
      };
      const lock = isTest ? await takeLock({ ...context, emit }, 'test') : undefined;
      const error = await failure(seed({ ...context, emit, ...(lock === undefined ? {} : { lock }) }));
      await killed;
      const [{ count } = {}] = await sql('SELECT count(*)::int FROM users');
      const there = Number(count).toLocaleString('en-US');
      expect(error.reason).toBe('unavailable');
      expect(error.message).toMatch(new RegExp(`^lost the lock that keeps other runs out: db: .*; ${there} of 300,000 rows are in$`));
      expect(Number(count)).toBeLessThan(300_000);
      if (isTest) await expect.poll(() => regained(context.events), { timeout: 5000 }).toBe(1);
      expect(regained(context.events)).toBe(isTest ? 1 : 0);
      await lock?.release();
      await sql('TRUNCATE users');
    }
  });

  test('with its session ends a cleanup, whose receipt proves nothing and says why', async () => {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE orders (id serial PRIMARY KEY, user_id text)');
    await sql("INSERT INTO orders (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 300000) n");
    const cleaning = { prefix: 'load-test-user-', rows: [{ table: 'db.orders', column: 'user_id' }], pause: '20ms' };
    const context = dataContext({ ...stores(url), cleanup: cleaning });
    let killed: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      if (event.type === 'step-progressed') killed ??= sql(kill);
    };
    const { receipt, reasons } = await cleanup({ ...context, emit }, { dryRun: false, seeded: false });
    await killed;
    expect(reasons).toEqual(['cleanup-not-proven', 'unavailable']);
    expect(receipt.lines).toContainEqual(
      expect.objectContaining({ why: expect.stringMatching(/^lost the lock that keeps other runs out: db: /) }),
    );
    expect(Number((await sql('SELECT count(*)::int FROM orders'))[0]?.count)).toBeGreaterThan(0);
    expect((await cleanup(dataContext({ ...stores(url), cleanup: cleaning }), { dryRun: false, seeded: false })).reasons).toEqual([]);
  });

  test('is held again as before: others are refused, and are not when it is released', async () => {
    const { url, sql } = await testDatabase(server);
    const context = dataContext(stores(url));
    const lock = await takeLock(context, 'run');
    for (const times of [1, 2, 3]) {
      await sql(kill);
      await expect.poll(() => regained(context.events)).toBe(times);
    }
    expect(await failure(takeLock(dataContext(stores(url)), 'run'))).toMatchObject({ reason: 'refused' });
    await lock.release();
    await (await takeLock(dataContext(stores(url)), 'run')).release();
    expect(await sql(`SELECT count(*)::int FROM pg_stat_activity WHERE ${holders}`)).toEqual([{ count: 0 }]);
  });

  test('in silence is taken back from the session that the server still believes in', async () => {
    const { url, sql } = await testDatabase(server);
    const proxy = await startPostgresProxy(server.port);
    const context = dataContext(stores(proxy.through(url)), { clock: fastClock });
    const lock = await takeLock(context, 'run');
    const [before] = await sql(`SELECT pid FROM pg_stat_activity WHERE ${holders}`);
    proxy.freeze();
    proxy.thaw();
    await expect.poll(() => regained(context.events), { timeout: 15_000 }).toBe(1);
    expect(context.events).toContainEqual(expect.objectContaining({ type: 'warned', code: 'lock-lost', why: 'no answer for 10 s' }));
    const now = await sql(`SELECT pid FROM pg_stat_activity WHERE ${holders}`);
    expect(now).toHaveLength(1);
    expect(now).not.toEqual([before]);
    await lock.release();
  });

  test('and taken by somebody else meanwhile is lost at once, with who', async () => {
    const { url, sql } = await testDatabase(server);
    const proxy = await startPostgresProxy(server.port);
    const context = dataContext(stores(proxy.through(url)), { clock: fastClock });
    const lock = await takeLock(context, 'run');
    proxy.freeze();
    await sql(kill);
    const other = await takeLock(dataContext(stores(url), { who: { user: 'bob', host: 'ci' } }), 'seed');
    proxy.thaw();
    expect(await lock.lost).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(
        /^lost the lock .*: db: .*; meanwhile it was taken by loadctl\/seed by bob@ci from 127\.0\.0\.1 as postgres since/,
      ),
    });
    await Promise.all([lock.release(), other.release()]);
  });

  test('while the database is away for too long stays lost, and ends the work', async () => {
    const away = await startRestartablePostgres();
    const context = dataContext(stores(away.url), { clock: fastClock });
    const lock = await takeLock(context, 'run');
    await away.down();
    expect(await lock.lost).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(
        /^lost the lock .*: db: .*; it could not be taken again within 10 s: db: nothing listens on 127\.0\.0\.1:\d+/,
      ),
    });
    await lock.release();
    await away.up();
    await (await takeLock(dataContext(stores(away.url)), 'run')).release();
  });

  test('while the database is away for a moment is held when it is back', async () => {
    const away = await startRestartablePostgres();
    const context = dataContext(stores(away.url));
    const lock = await takeLock(context, 'run');
    await away.down();
    await away.up();
    await expect.poll(() => regained(context.events), { timeout: 10_000 }).toBe(1);
    expect(await failure(takeLock(dataContext(stores(away.url)), 'run'))).toMatchObject({ reason: 'refused' });
    await lock.release();
  });
});

/** A clock on which a second takes 200 ms: what waits long for a database that is silent need not be waited for. */
const fastClock = {
  stamp: () => Date.now() * 5,
  elapsed: () => performance.now() * 5,
  sleep: (ms: number, signal?: AbortSignal) => dataContext({ stores: {} }).world.clock.sleep(ms / 5, signal),
};

function regained(events: readonly LoadctlEvent[]): number {
  return events.filter(({ type }) => type === 'lock-regained').length;
}

test('an interrupt ends the work, not the lock', async () => {
  const { url } = await testDatabase(server);
  const controller = new AbortController();
  const lock = await takeLock(dataContext(stores(url), { signal: controller.signal }), 'test');
  controller.abort();
  expect(await failure(takeLock(dataContext(stores(url)), 'run'))).toMatchObject({ reason: 'refused' });
  await cleanup(dataContext(stores(url), { lock }), { dryRun: false, seeded: false });
  await lock.release();
});

test('what keeps us out says so in one line', async () => {
  const { url } = await testDatabase(server);
  const wrong = new URL(url);
  wrong.password = 'wrong';
  const cases: [string, Record<string, unknown>, RegExp][] = [
    [wrong.toString(), {}, /wrong password for the role postgres/],
    [asRole(url, 'nobody-here', 'x'), {}, /wrong password for the role nobody-here/],
    [url.replace(/test\d+$/, 'nowhere'), {}, /database nowhere does not exist on 127\.0\.0\.1:\d+/],
    ['postgres://u:p@127.0.0.1:1/x', {}, /nothing listens on 127\.0\.0\.1:1/],
    ['postgres://u:p@no-such-host.invalid/x', {}, /host no-such-host\.invalid is not known/],
    [url, { tls: { mode: 'require' } }, /does not speak TLS/],
    [`${url}?sslmode=verify-full`, {}, /does not speak TLS/],
  ];
  for (const [at, more, message] of cases) {
    expect(await failure(takeLock(dataContext(stores(at, more)), 'run'))).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  }
});

test('too many connections, and a read-only database', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE ROLE lonely LOGIN PASSWORD 'pw' CONNECTION LIMIT 1; CREATE TABLE users (id text PRIMARY KEY)",
  );
  const only = new pg.Client({ connectionString: asRole(url, 'lonely', 'pw') });
  await only.connect();
  expect(await failure(takeLock(dataContext(stores(asRole(url, 'lonely', 'pw'))), 'run'))).toMatchObject({
    reason: 'unavailable',
    message: expect.stringMatching(/no free connection/),
  });
  await only.end();
  await sql(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`);
  const step = { table: 'db.users', rows: 1, columns: { id: 'x' } };
  expect(await failure(seed(dataContext({ ...stores(url), seed: [step] })))).toMatchObject({
    reason: 'unavailable',
    message: expect.stringMatching(/read-only/),
  });
});
