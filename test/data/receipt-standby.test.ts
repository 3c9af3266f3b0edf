import { setTimeout as passes } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PrimaryAndStandby, startPrimaryAndStandby } from '../servers/standby.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';

async function startShop(): Promise<PrimaryAndStandby> {
  const servers = await startPrimaryAndStandby();
  const sql = await connection(servers.primary);
  await sql(`CREATE TABLE users (id text PRIMARY KEY, name text); CREATE TABLE orders (id serial PRIMARY KEY, user_id text);
    INSERT INTO users SELECT 'real-' || n, 'Real' FROM generate_series(1, 1000) n; INSERT INTO orders (user_id) VALUES ('real-1')`);
  return servers;
}

async function connection(url: string) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return async (text: string) => (await client.query(text)).rows;
}

const profile = (url: string, replica: string): DataProfile => ({
  stores: { db: { kind: 'postgres', url, replica } },
  seed: [{ table: 'db.users', rows: 100, columns: { id: 'user-{n}', name: 'Test' } }],
  cleanup: { settle: '20ms', rows: [{ table: 'db.orders', column: 'user_id' }] },
  guards: { receipt: 'full' },
});

const sums = /sha256\(/;

test('rows of others are summed up on the replica, once it has received what the primary wrote', async () => {
  const servers = await startShop();
  const [primary, replica] = [await startPostgresProxy(portOf(servers.primary)), await startPostgresProxy(portOf(servers.standby))];
  const parts = profile(primary.through(servers.primary), replica.through(servers.standby));
  const { before } = await seed(dataContext(parts));
  expect(before?.others).toMatchObject([
    { table: 'orders', rows: 1 },
    { table: 'users', rows: 1000 },
  ]);
  const [onPrimary, onReplica] = [await connection(servers.primary), await connection(servers.standby)];
  await onReplica('SELECT pg_wal_replay_pause()');
  await onPrimary(
    "INSERT INTO orders (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 50) n; INSERT INTO orders (user_id) VALUES ('real-2')",
  );
  const asked = replica.statements.length;
  const cleaning = cleanup(dataContext(parts, before ? { before } : {}), { dryRun: false, seeded: true });
  await expect
    .poll(() => replica.statements.slice(asked).filter((sql) => sql.includes('pg_last_wal_replay_lsn')).length, { timeout: 10_000 })
    .toBeGreaterThan(3);
  expect(replica.statements.slice(asked).filter((sql) => sums.test(sql))).toEqual([]);
  await onReplica('SELECT pg_wal_replay_resume()');
  const { receipt } = await cleaning;
  expect(receipt.proven).toBe(true);
  expect(receipt.others).toMatchObject([
    { table: 'orders', before: 1, after: 2 },
    { table: 'users', before: 1000, after: 1000 },
  ]);
  expect(receipt.others.map(({ sumBefore, sumAfter }) => sumBefore === sumAfter)).toEqual([false, true]);
  expect(replica.statements.some((sql) => sums.test(sql))).toBe(true);
  expect(primary.statements.filter((sql) => sums.test(sql))).toEqual([]);
});

test('a replica that stays behind, or is none, is told in one line', async () => {
  const servers = await startShop();
  await (await connection(servers.standby))('SELECT pg_wal_replay_pause()');
  await (await connection(servers.primary))("INSERT INTO orders (user_id) VALUES ('real-3')");
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
  const counting = seed(dataContext(profile(servers.primary, servers.standby), { clock: hurried }));
  await expect(counting).rejects.toMatchObject({ reason: 'unavailable', message: 'db: its replica is more than 30 s behind' });
  await expect(seed(dataContext(profile(servers.primary, servers.primary)))).rejects.toMatchObject({
    reason: 'invalid-profile',
    message: expect.stringMatching(/^db: 127\.0\.0\.1:\d+ is not a replica$/),
  });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}
