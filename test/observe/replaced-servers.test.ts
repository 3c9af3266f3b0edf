import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { MonitorLine } from '../../src/core/monitors.js';
import { judgeServer } from '../../src/metrics/servers/judge-server.js';
import { type JudgedMonitor, linesBySource } from '../../src/metrics/servers/monitor.js';
import { lookOnce } from '../../src/monitors/sampler.js';
import type { PlannedMonitor } from '../../src/plan/monitors.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { promote, startPrimaryAndStandby } from '../servers/standby.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';
import { probeOf } from '../support/probe.js';

const every = 200;

function limit(metric: string, stat: string, more: Partial<Criterion> = {}): Criterion {
  return { name: metric, source: 'server', metric, stat, operator: '<', limit: 1000, unit: '', window: 'steady', ...more };
}

/** Looks as often as a run would, before and after something happens, and judges it all. */
async function judged(planned: PlannedMonitor, gives: readonly string[], between: () => Promise<unknown>) {
  const probe = probeOf(planned);
  const lines: MonitorLine[] = [];
  const look = async () => {
    const looks = await lookOnce(probe, { elapsed: () => performance.now() });
    lines.push(...looks.map(({ look: one, at }) => ({ t: at, monitor: planned.name, ...one })));
  };
  await look();
  const begun = performance.now();
  for (let index = 0; index < 5; index += 1) await look();
  await between();
  for (let index = 0; index < 5; index += 1) await look();
  const window = { from: begun, to: performance.now() };
  const monitor: JudgedMonitor = { name: planned.name, kind: planned.kind, every: 10 * every, required: true, gives };
  const side = { monitors: [monitor], lines: linesBySource(lines), window, load: window, strict: false, endedEarly: false };
  const measuredOf = (metric: string, stat: string) => judgeServer(limit(metric, stat, { unit: '%' }), side).measured?.value;
  return { lines, measuredOf };
}

async function redisWith(work: (client: Redis) => Promise<unknown>) {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  await work(client);
  return redis;
}

test('a replica that is promoted behind the same name brings its own counters: none of them is load of this run', async () => {
  const young = await redisWith(async () => undefined);
  // What it served before is nobody's of this run: evictions, a second of CPU.
  const old = await redisWith(async (client) => {
    await client.eval('local n = 0 for i = 1, 30000000 do n = n + i end return n', 0);
    await client.config('SET', 'maxmemory', '3mb', 'maxmemory-policy', 'allkeys-lru');
    const pipeline = client.pipeline();
    for (let index = 0; index < 4000; index += 1) pipeline.set(`key ${index}`, 'v'.repeat(2000));
    await pipeline.exec();
    expect(Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1])).toBeGreaterThan(100);
    // A full one evicts a few more for each connection: 12 of them, by redis-cli.
    await client.config('SET', 'maxmemory', '0');
  });
  const way = await startPostgresProxy(young.port);
  const url = `redis://127.0.0.1:${way.port}`;
  const planned = { name: 'cache', kind: 'redis', url, every: 1000, timeout: 1000, required: true } as const;
  const { lines, measuredOf } = await judged(planned as PlannedMonitor, ['cpu', 'ops', 'evictions', 'hits'], async () => {
    way.leadTo(old.port);
    way.cutAfter(0);
  });
  expect(lines.filter(({ values }) => values !== undefined).length).toBeGreaterThanOrEqual(9);
  expect(measuredOf('cache.evictions', 'max')).toBe(0);
  for (const stat of ['avg', 'max']) {
    expect(measuredOf('cpu', stat)).toBeGreaterThanOrEqual(0);
    expect(measuredOf('cpu', stat)).toBeLessThan(1);
    expect(measuredOf('cache.ops', stat)).toBeLessThan(2000);
  }
});

test('a standby that is promoted goes on as the source that it was: its lag is over, and its counters are its own', async () => {
  const pair = await startPrimaryAndStandby();
  const planned = { name: 'db', kind: 'postgres', url: pair.standby, every: 1000, timeout: 1000, required: true } as const;
  const gives = ['connections', 'lag', 'commits', 'deadlocks'];
  const { lines, measuredOf } = await judged(planned as PlannedMonitor, gives, () => promote(pair.standby));
  expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(measuredOf('db.deadlocks', 'max')).toBe(0);
  expect(measuredOf('db.commits', 'max') ?? 0).toBeGreaterThanOrEqual(0);
  expect(measuredOf('dbConnections', 'max')).toBeLessThan(0.5);
});

test('a queue whose table is locked is a hole for as long as that lasts, and stalls nothing', async () => {
  const db = await startPostgres({});
  onTestFinished(() => db.stop());
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('CREATE TABLE queue_entries (id int); INSERT INTO queue_entries VALUES (1), (2)');
  const planned = { name: 'jobs', kind: 'queue', store: 'db', table: 'queue_entries', of: { kind: 'postgres', url: db.url } };
  const probe = probeOf({ ...planned, every: 400, timeout: 400, required: true } as PlannedMonitor);
  const look = async () => (await lookOnce(probe, { elapsed: () => performance.now() })).map(({ look: one }) => one)[0];
  expect(await look()).toMatchObject({ values: { depth: 2 } });
  await client.query('BEGIN; LOCK TABLE queue_entries IN ACCESS EXCLUSIVE MODE');
  const asked = performance.now();
  expect(await look()).toMatchObject({ error: expect.stringMatching(/statement timeout/) });
  expect(performance.now() - asked).toBeLessThan(2000);
  // Whoever comes after it waits for nothing of ours.
  const { rows } = await client.query("SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'queue_entries'::regclass");
  expect(rows[0].n).toBe(0);
  await client.query('COMMIT');
  expect(await look()).toMatchObject({ values: { depth: 2 } });
});
