import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { probeOf } from '../support/probe.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

/** A database with a table that entries wait in, and who puts them there. */
async function entries(): Promise<{ readonly url: string; readonly client: pg.Client; add(count: number): Promise<unknown> }> {
  const db = await startPostgres({});
  onTestFinished(() => db.stop());
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('CREATE TABLE queue_entries (id serial PRIMARY KEY, user_id text NOT NULL, status text NOT NULL)');
  const add = (count: number) =>
    client.query("INSERT INTO queue_entries (user_id, status) SELECT 'load-test-user-' || n, 'waiting' FROM generate_series(1, $1) n", [
      count,
    ]);
  return { url: db.url, client, add };
}

const jobs = (url: string) => `stores: {db: {kind: postgres, url: "${url}"}}
monitors: {jobs: {kind: queue, store: db, table: queue_entries, where: "status = 'waiting'", every: 500ms, timeout: 500ms}}`;

test('2,000 entries fail exactly queueDepth; breach and end are told once each, within 15 s', async () => {
  const { url, client, add } = await entries();
  await add(5);
  const at = await watchedPlace(`${jobs(url)}\ncritical: {queueDepth: < 1000, jobs.drain: < 30s}`, '36s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  const released = await at.event(({ type }) => type === 'fleet-released');
  await add(1995);
  const breached = await at.event(({ type }) => type === 'limit-breached');
  const { rows } = await client.query("SELECT count(*)::int AS n FROM queue_entries WHERE status = 'waiting'");
  await client.query("UPDATE queue_entries SET status = 'done' WHERE id > 5");
  const recovered = await at.event(({ type }) => type === 'limit-recovered');
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(outcomesOf(at.judged())).toEqual({ queueDepth: 'fail', 'jobs.drain': 'pass' });
  expect(rowOf(at.judged(), 'queueDepth')).toMatchObject({ actual: rows[0].n, monitored: { monitor: 'jobs' } });
  expect(rows[0].n).toBe(2000);
  expect(breached.t - released.t).toBeLessThan(15_000);
  expect(recovered.t - breached.t).toBeLessThan(15_000);
  expect([at.told('limit-breached').length, at.told('limit-recovered').length]).toEqual([1, 1]);
  expect(said.stderr).toMatch(/queueDepth < 1,000 is broken: 2,000, jobs/);
});

test('what a count reads, not what its condition leaves, says how often rows are counted; a queue that grew is counted less often, too', async () => {
  const { url, client, add } = await entries();
  await add(5);
  const jobs = () =>
    probeOf({
      ...{ name: 'jobs', kind: 'queue', store: 'db', table: 'queue_entries', where: "status = 'waiting'" },
      ...{ of: { kind: 'postgres', url }, every: 1000, timeout: 1000, required: true },
    });
  const probe = jobs();
  expect(await probe.look()).toEqual([{ source: expect.any(String), values: { depth: 5 } }]);
  await add(12_000);
  expect(await probe.look()).toMatchObject([{ values: { depth: 12_005 }, everyMs: 5000 }]);
  await client.query("UPDATE queue_entries SET status = 'done' WHERE id > 3");
  await client.query('VACUUM ANALYZE queue_entries');
  const later = jobs();
  expect(await later.look()).toMatchObject([{ values: { depth: 3 }, everyMs: 5000 }]);
  expect(later.remarks?.().join()).toMatch(/EXPLAIN expects 12005 rows to be read/);
  // Nothing is left open in between.
  const { rows } = await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'");
  expect(rows[0].n).toBe(0);
});

test('an abort rule about a queue ends the fleet and says where', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  const at = await watchedPlace(
    `stores: {cache: {kind: redis, url: "${redis.url}"}}
monitors: {jobs: {kind: queue, store: cache, list: jobs}}
critical: {queueDepth: < 1000}
abort: [{when: queueDepth > 1000, for: 3s}]`,
    '60s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  await client.rpush('jobs', ...Array.from({ length: 2000 }, (_, index) => `job ${index}`));
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(at.judged().reasons[0]).toMatch(/The abort rule queueDepth > 1,000 held for 3s: it was 2,000 \(jobs, 127\.0\.0\.1:\d+\)/);
  expect(outcomesOf(at.judged())).toEqual({ queueDepth: 'fail' });
  expect(at.summary().durationMs).toBeLessThan(20_000);
});

test('a whole test watches a queue drain before it cleans up', async () => {
  const { url, client, add } = await entries();
  const at = await watchedPlace(
    `${jobs(url)}
critical: {jobs.drain: < 15s}
cleanup: {settle: 20ms, rows: [{table: db.queue_entries, column: user_id}]}`,
    '5s',
  );
  const running = at.start(['test', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  await add(400);
  const ended = await at.event(({ type }) => type === 'load-ended');
  const waiting = () => at.lines().filter(({ t, values }) => t > ended.t && values?.depth === 400).length;
  await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThan(3);
  await client.query("UPDATE queue_entries SET status = 'done'");
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const { actual, monitored } = rowOf(at.judged(), 'jobs.drain');
  expect(monitored).toMatchObject({ stat: 'time to drain' });
  expect(actual).toBeGreaterThan(1000);
  expect(actual).toBeLessThan(15_000);
  const { rows } = await client.query('SELECT count(*)::int AS n FROM queue_entries');
  expect(rows[0].n).toBe(0);
});
