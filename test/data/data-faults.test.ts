import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { unprivilegedOwner } from '../../examples/servers/postgres.js';
import type { Receipt } from '../../src/core/receipt.js';
import { startPostgres } from '../servers/postgres.js';
import { startRestartablePostgres } from '../servers/restartable-postgres.js';
import { testDatabase } from '../servers/sql.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';
import { type Workplace, workplace } from '../support/loadctl.js';

const schema = `CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, name text NOT NULL);
  CREATE TABLE orders (id serial PRIMARY KEY, user_id text NOT NULL);
  INSERT INTO users SELECT 'real-' || n, 'real' || n, 'Real' FROM generate_series(1, 500) n;
  INSERT INTO orders (user_id) VALUES ('real-1'), ('load-test-userX-1'), ('load_test_user_1'), ('LOAD-TEST-USER-1')`;

const orders = "INSERT INTO orders (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 60000) n";

const rows = 200_000;

function place(stores: string): Workplace {
  return workplace({
    'profiles/dev.yaml': `
target: {url: "http://127.0.0.1:1"}
workload: {script: ../script.js}
stores: {db: {kind: postgres, ${stores}}}
seed: {users: {table: db.users, rows: ${rows}, columns: {id: "user-{n}", email: "user{n}@test.com", name: "Test User {n}"}}}
cleanup: {settle: 20ms, rows: [{table: db.orders, column: user_id}]}
guards: {receipt: full}
`,
    'script.js': '',
  });
}

/** Runs one statement by itself: the connection of before may be gone. */
async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const seeding = ['seed', '--env', 'dev'];
const cleaning = ['cleanup', '--env', 'dev', '--seeded', '--json'];

const seeded = async (urls: readonly string[]) => {
  const counts = await Promise.all(
    urls.map((url) => ask(url, "SELECT count(*)::int FROM users WHERE id LIKE 'user-%' AND name = 'Test User ' || substr(id, 6)")),
  );
  return counts.flat().reduce((sum, { count }) => sum + Number(count), 0);
};

/** Cleans up again, which must prove that nothing is left and that nobody else's row is another one. */
async function cleanAgain(at: Workplace, urls: readonly string[]): Promise<void> {
  const said = await at.loadctl(cleaning);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  const { proven, others } = JSON.parse(said.stdout) as Receipt;
  expect(proven).toBe(true);
  for (const { before, after, sumBefore, sumAfter } of others) expect([after, sumAfter]).toEqual([before, sumBefore]);
  for (const url of urls)
    expect(await ask(url, 'SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM orders) AS orders')).toEqual([
      { users: 500, orders: 4 },
    ]);
}

test('one of two shards is stopped while it is seeded and while it is cleaned up, and comes back', async () => {
  const [stays, goes] = [await startRestartablePostgres(), await startRestartablePostgres()];
  const urls = [stays.url, goes.url];
  await Promise.all(urls.map((url) => ask(url, schema)));
  const at = place(`shards: ${JSON.stringify(urls)}, shardBy: id % 2`);

  const first = at.start(seeding);
  await first.until('users in db shard 1 …');
  await goes.down();
  const refused = await first.said;
  expect(refused.code, refused.stderr).toBe(115);
  expect(refused.stderr).toMatch(/shard 1/);
  const still = await at.loadctl(seeding);
  expect(still.code, still.stderr).toBe(115);
  expect(still.stderr).toMatch(/^error: db shard 1: /m);
  await goes.up();
  expect(await at.loadctl(seeding)).toMatchObject({ code: 0 });
  expect(await seeded(urls)).toBe(rows);

  await Promise.all(urls.map((url) => ask(url, orders)));
  const second = at.start([...cleaning.filter((word) => word !== '--json')]);
  await second.until('orders in db shard 1 …');
  await goes.down();
  const cut = await second.said;
  expect(cut.code, cut.stderr).not.toBe(0);
  await goes.up();
  await cleanAgain(at, urls);
});

test('the connection is cut in the middle of a write: what is left of it is told, and the same command writes the rest', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const { url } = await testDatabase(server, schema);
  const proxy = await startPostgresProxy(server.port);
  const at = place(`url: "${proxy.through(url)}"`);
  const run = at.start(seeding);
  await run.until('users in db …');
  proxy.cutAfter(3000);
  const said = await run.said;
  expect(said.code, said.stderr).toBe(115);
  expect(said.stderr).toMatch(/connection .*(broke|closed|ended|terminated)/i);
  // With the lock's connection cut as well nothing may be deleted any more.
  const [, left = '0'] = /; ([\d,]+) of 200,000 rows are in$/m.exec(said.stderr) ?? [];
  expect(await seeded([url]), said.stderr).toBe(Number(left.replaceAll(',', '')));
  expect(await at.loadctl(seeding)).toMatchObject({ code: 0 });
  expect(await seeded([url])).toBe(rows);
  await cleanAgain(at, [url]);
});

test.runIf(process.getuid?.() === 0)(
  'the disk of a table is full: it is said so, and with more room the same command goes on',
  async () => {
    const server = await startPostgres();
    const at = place(`url: "${server.url}"`);
    const disk = join(at.folder, 'disk');
    mkdirSync(disk);
    const owner = unprivilegedOwner();
    execFileSync('chmod', ['a+rx', at.folder]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=8m,uid=${owner?.uid},gid=${owner?.gid},mode=700`, 'tmpfs', disk]);
    onTestFinished(async () => {
      await server.stop();
      execFileSync('umount', ['-l', disk]);
    });
    await ask(server.url, `CREATE TABLESPACE small LOCATION '${disk}'`);
    await ask(server.url, `SET default_tablespace = small; ${schema}`);
    const full = await at.loadctl(seeding);
    expect(full.code, full.stderr).toBe(115);
    expect(full.stderr).toMatch(/disk|No space left/i);
    expect(full.stderr).toMatch(/after a VACUUM\. Nothing of this seed is in\.$/m);
    expect(await seeded([server.url])).toBe(0);
    execFileSync('mount', ['-o', 'remount,size=200m', disk]);
    expect(await at.loadctl(seeding)).toMatchObject({ code: 0 });
    expect(await seeded([server.url])).toBe(rows);
    await cleanAgain(at, [server.url]);
  },
);
