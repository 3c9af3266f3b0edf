import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { PlannedMonitor } from '../../src/plan/monitors.js';
import { listening } from '../servers/depth-server.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { probeOf } from '../support/probe.js';
import { watchedPlace } from '../support/watched-run.js';

const setup = `
  CREATE TABLE busy (id int, status text, created_at timestamptz);
  INSERT INTO busy VALUES (1, 'waiting', now()), (2, 'done', now() + '1 hour');
  CREATE TABLE quiet (id int, status text);
  CREATE TABLE hidden (id int, status text);
  INSERT INTO hidden VALUES (1, 'waiting');
  ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
  DO $$ BEGIN CREATE ROLE mon LOGIN PASSWORD 'right-pass'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
  GRANT SELECT ON busy, quiet, hidden TO mon;`;

test('a queue that looks empty because it is none is told at the first look, and by doctor; one that is there is not', async () => {
  const server = await startPostgres({});
  onTestFinished(() => server.stop());
  const { url } = await testDatabase(server, setup);
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  await client.rpush('jobs', 'a');
  await client.zadd('later', 1, 'a');
  await client.xgroup('CREATE', 'orders', 'billing', '$', 'MKSTREAM');
  const json = createServer((_, response) => response.end('{"depth": 5, "oldest": null}'));
  const page = { url: `http://127.0.0.1:${await listening(json)}/`, jsonPath: ['depth'] };
  const cache = { store: 'cache', of: { kind: 'redis', url: redis.url } };
  const db = { store: 'db', of: { kind: 'postgres', url: asRole(url, 'mon', 'right-pass') } };
  const queues: readonly (readonly [words: object, remark: RegExp])[] = [
    [{ ...cache, list: ['jobs'] }, /^$/],
    [{ ...cache, list: ['jobs', 'jbos'] }, /^there is no key jbos in database 0: an empty queue has none either/],
    [{ ...cache, zset: ['latr'] }, /^there is no key latr in database 0/],
    [{ ...cache, list: ['jobs'], zset: ['later'] }, /^$/],
    [{ ...cache, stream: 'orders', group: 'billing' }, /^$/],
    [page, /^$/],
    [{ ...page, age: '$.oldset' }, /there is no number at \$\.oldset: `age` has no data/],
    [{ ...db, table: 'busy', where: "status = 'waiting'" }, /^$/],
    [{ ...db, table: 'busy', where: "status = 'waitng'" }, /no row of "busy" fits `where` now/],
    [{ ...db, table: 'quiet' }, /"quiet" has no rows now\. Correct `table`/],
    [{ ...db, table: 'hidden' }, /row-level security may hide rows of "hidden"/],
  ];
  for (const [words, remark] of queues) {
    const probe = probeOf({ name: 'jobs', kind: 'queue', ...words, every: 10_000, timeout: 10_000, required: true } as PlannedMonitor);
    await probe.look();
    expect(probe.remarks?.().join(' ') ?? '', JSON.stringify(words)).toMatch(remark);
  }
  const at = await watchedPlace(
    `stores: {cache: {kind: redis, url: "${redis.url}"}}\nmonitors: {jobs: {kind: queue, store: cache, list: jbos}}`,
  );
  const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors', '--json'], at.env);
  expect(looked, looked.stdout + looked.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(looked.stdout).monitors).toMatchObject([{ what: 'jobs', state: 'low', more: expect.stringContaining('no key jbos') }]);
});
