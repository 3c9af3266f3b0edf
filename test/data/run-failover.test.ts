import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startRestartablePostgres } from '../servers/restartable-postgres.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;

function place(target: Target, database: string, duration: string, more = ''): Workplace {
  const profile = `target: {url: "${target.url}"}
workload: {script: ../script.js, vus: 4, duration: ${duration}}
stores: {db: {kind: postgres, url: "${database}"}}
sla: {errors: < 1%}
${more}`;
  return workplace({ 'profiles/dev.yaml': profile, 'script.js': script });
}

const cleanup = 'cleanup: {prefix: load-test-user-, settle: 20ms, rows: [{table: db.orders, column: user_id}]}\n';

async function underLoad({ hits }: Target): Promise<void> {
  await expect.poll(() => hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
}

interface Logged {
  readonly type: string;
  readonly elapsedMs?: number;
}

const events = (at: Workplace) =>
  readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Logged);

async function makeOrders(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE TABLE orders (user_id text); INSERT INTO orders VALUES ('load-test-user-1'), ('ann')");
  await client.end();
}

test('a database that fails over while the load is on: the lock comes back, the test goes on to its verdict and its cleanup', async () => {
  const [target, database] = [await startTarget(), await startRestartablePostgres()];
  await makeOrders(database.url);
  const at = place(target, database.url, '8s', cleanup);
  const run = at.start(['test', '--env', 'dev']);
  await underLoad(target);

  await database.down();
  await run.until('lost the lock');
  await database.up();
  await run.until('got the lock back');
  const second = await at.loadctl(['run', '--env', 'dev']);
  const then = target.hits.get('GET /work') ?? 0;
  const said = await run.said;

  expect(second.code).toBe(112);
  expect(second.stderr).toContain('another loadctl works on the database postgres: loadctl/');
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(said.stdout).toContain('CLEAN  nothing of the test is left');
  expect(target.hits.get('GET /work')).toBeGreaterThan(then + 40);
  const back = events(at).find(({ type }) => type === 'lock-regained');
  console.log(`the lock was held again ${back?.elapsedMs} ms after it was lost`);
  expect(back?.elapsedMs).toBeLessThan(10_000);
});

test('a database that stays away: the load is ended after 10 s, torn down, the result is invalid, and 113 says what is to be cleaned up', async () => {
  const [target, database] = [await startTarget(), await startRestartablePostgres()];
  await makeOrders(database.url);
  const at = place(target, database.url, '60s', cleanup);
  const run = at.start(['test', '--env', 'dev']);
  await underLoad(target);

  const begun = Date.now();
  await database.down();
  await run.until('ending early');
  const endedMs = Date.now() - begun;
  const said = await run.said;

  expect(endedMs).toBeGreaterThan(9_000);
  expect(endedMs).toBeLessThan(13_000);
  expect(said.code).toBe(113);
  expect(said.stdout).toMatch(/^INVALID/m);
  expect(said.stderr).toMatch(/error: the test data was not removed: .*\nhint: .* Then remove it: loadctl cleanup --env dev\n/);
  expect(said.stdout).toMatch(/lost the lock that keeps other runs out: .*; it could not be taken again within 10 s/);
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(events(at)).toContainEqual(expect.objectContaining({ type: 'fleet-stopped', cause: 'lock-lost' }));
});

test('a database that comes back after the test was given up: its data is taken out under a new lock', async () => {
  const database = await startRestartablePostgres();
  let tornDown = () => {};
  const target = await startTarget((request, response) => {
    if (request.url === '/torn-down') tornDown = () => response.end();
    return request.url === '/torn-down';
  });
  await makeOrders(database.url);
  const at = place(target, database.url, '60s', cleanup);
  const run = at.start(['test', '--env', 'dev']);
  await underLoad(target);
  await database.down();
  await run.until('ending early');
  await expect.poll(() => target.hits.get('GET /torn-down'), { timeout: 10_000 }).toBe(1);
  await database.up();
  tornDown();
  const said = await run.said;
  expect(said.code).toBe(111);
  expect(said.stdout).toContain('CLEAN  nothing of the test is left');
});

test('the lock of a whole test is told in its run, too', async () => {
  const [target, database] = [await startTarget(), await startRestartablePostgres()];
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('CREATE TABLE orders (user_id text)');
  const at = place(target, database.url, '5s', cleanup);
  const run = at.start(['test', '--env', 'dev']);
  await underLoad(target);
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'loadctl/% by %'");
  await client.end();
  await run.until('got the lock back');
  const said = await run.said;
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(events(at).filter(({ type }) => type === 'lock-regained')).toHaveLength(1);
});
