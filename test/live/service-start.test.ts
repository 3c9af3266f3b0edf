import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { installSchema } from '../../examples/reservations/install.js';
import { startService } from '../../examples/reservations/service.js';
import { freePort } from '../../examples/servers/keep.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { type Reservations, startReservations } from '../servers/reservations.js';

const main = fileURLToPath(new URL('../../dist/examples/reservations/main.js', import.meta.url));
const key = 'k'.repeat(32);

let reservations: Reservations;
let nobody: number;
beforeAll(async () => {
  reservations = await startReservations();
  nobody = await freePort();
});
afterAll(() => reservations.stop());

function start(env: Record<string, string>): ChildProcess & { said: Promise<string> } {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return Object.assign(child, { said: text(child.stderr) });
}

test.each<[string, () => Record<string, string>, RegExp]>([
  ['no database', () => ({ DATABASE_URL: '' }), /DATABASE_URL is not set; for example/],
  ['a database that is no URL', () => ({ DATABASE_URL: 'nonsense' }), /DATABASE_URL is not a URL/],
  ['a database that is down', () => ({ DATABASE_URL: `postgres://u:p@127.0.0.1:${nobody}/x` }), /DATABASE_URL: nothing listens there/],
  [
    'a wrong password',
    () => ({ DATABASE_URL: reservations.databaseUrl.replace(/:[^:@]+@/, ':wrong@') }),
    /DATABASE_URL: the server refuses this user or password/,
  ],
  [
    'an unknown database',
    () => ({ DATABASE_URL: reservations.databaseUrl.replace(/\/postgres$/, '/nowhere') }),
    /DATABASE_URL: the server has no such database/,
  ],
  [
    'no tables',
    () => ({ DATABASE_URL: reservations.databaseUrl.replace(/\/postgres$/, '/template1') }),
    /DATABASE_URL: the tables are not there: psql/,
  ],
  ['a Redis that is down', () => ({ REDIS_URL: `redis://127.0.0.1:${nobody}/1` }), /REDIS_URL: cannot use it .*is Redis running/],
  ['a short key', () => ({ BYPASS_KEY: 'short' }), /BYPASS_KEY: .*openssl rand -hex 32/],
  ['a port that is none', () => ({ PORT: 'http' }), /PORT is "http"; it must be a whole number/],
  ['a port in use', () => ({ PORT: String(reservations.service.port) }), /PORT: 127\.0\.0\.1:\d+ is in use/],
])('%s: one clear line, exit 1', async (_, env, line) => {
  const child = start({ DATABASE_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl, ...env() });

  const [code] = await once(child, 'exit');

  const said = await child.said;
  expect(said).toMatch(line);
  expect(said).not.toMatch(/^\s+at /m);
  expect(said).not.toContain('wrong');
  expect(code).toBe(1);
});

test.each(['SIGTERM', 'SIGINT'] as const)('it says its port in one line, and ends with %s', async (signal) => {
  const child = start({ DATABASE_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl, BYPASS_KEY: key });
  const [first] = await once(child.stdout ?? child, 'data');
  const { listening } = JSON.parse(String(first));
  expect((await fetch(`http://127.0.0.1:${listening}/healthz`)).status).toBe(200);

  child.kill(signal);

  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await child.said).toBe('');
});

test('without Redis it is slower, not away; without Postgres it is away', async () => {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  onTestFinished(async () => void (await Promise.all([postgres.stop(), redis.stop()])));
  await installSchema(postgres.url);
  const logged: string[] = [];
  const service = await startService({ databaseUrl: postgres.url, redisUrl: redis.url, log: (line) => void logged.push(line) });
  onTestFinished(() => service.stop());
  const events = async () => (await fetch(`${service.url}/events`, { headers: { 'x-user-id': 'ada' } })).status;
  const health = async () => (await fetch(`${service.url}/healthz`)).json();
  expect(await events()).toBe(200);

  await redis.stop();
  expect(await events()).toBe(200);
  expect(await health()).toEqual({ database: true, redis: false });

  await postgres.stop();
  expect(await events()).toBe(503);
  expect(await health()).toEqual({ database: false, redis: false });
});
