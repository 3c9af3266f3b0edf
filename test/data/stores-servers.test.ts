import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';

test('a Postgres with shards answers, and is gone when it is stopped', async () => {
  const server = await startPostgres({ shards: 2 });
  const client = new pg.Client({ connectionString: server.shards[1] });
  await client.connect();
  expect((await client.query('SELECT current_database() AS name')).rows).toEqual([{ name: 'shard1' }]);
  await client.end();
  await server.stop();
  await server.stop();
  const late = new pg.Client({ connectionString: server.url });
  await expect(late.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a Redis with a password answers, and is gone when it is stopped', async () => {
  const server = await startRedis({ password: true });
  const client = new Redis(`${server.url}/1`, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  expect(await client.ping()).toBe('PONG');
  const ended = new Promise((resolve) => client.once('end', resolve));
  await server.stop();
  await ended;
  await expect(
    new Redis(server.url, { lazyConnect: true, retryStrategy: () => null }).on('error', () => undefined).connect(),
  ).rejects.toThrow();
});
