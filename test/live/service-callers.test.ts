import { afterAll, beforeAll, expect, test } from 'vitest';
import { signBypass } from '../../examples/bypass/typescript/bypass.js';
import { type Reservations, startReservations } from '../servers/reservations.js';

const key = 'service-test-0123456789abcdef-0123456789';
const virtualUser = 'load-test-user-r1-a';
const soon = () => Math.floor(Date.now() / 1000) + 600;

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations({ bypassKey: key });
});
afterAll(() => reservations.stop());

const events = (headers: Record<string, string>, url = reservations.service.url) => fetch(`${url}/events`, { headers });

test('a user of the database is looked up once, then cached for an hour', async () => {
  await reservations.redis.flushdb();

  expect((await events({ 'x-user-id': 'user-1' })).status).toBe(200);

  expect(JSON.parse((await reservations.redis.get('user:user-1')) ?? '')).toEqual({
    id: 'user-1',
    email: 'user1@test.com',
    name: 'Test User 1',
  });
  expect(await reservations.redis.ttl('user:user-1')).toBeGreaterThan(3590);
});

test('a user of the cache is not looked up in the database', async () => {
  await reservations.redis.set('user:only-cached', '{}');

  expect((await events({ 'x-user-id': 'only-cached' })).status).toBe(200);

  await reservations.redis.del('user:only-cached');
});

test.each([
  ['nobody', {}],
  ['an empty name', { 'x-user-id': '' }],
  ['an unknown user', { 'x-user-id': 'user-999' }],
  ['a very long name', { 'x-user-id': 'u'.repeat(300) }],
  ['the bare prefix of virtual users', { 'x-user-id': virtualUser }],
  ['a virtual user with nonsense', { 'x-user-id': virtualUser, 'x-load-test-signature': 'true' }],
])('%s gets 401, and leaves nothing in the cache', async (_, headers) => {
  await reservations.redis.flushdb();

  const response = await events(headers);

  expect(response.status).toBe(401);
  expect(await reservations.redis.dbsize()).toBe(0);
});

test('a virtual user passes with a signature, without a look-up or a trace in the cache', async () => {
  await reservations.redis.flushdb();
  const signed = { 'x-user-id': virtualUser, 'x-load-test-signature': signBypass(virtualUser, soon(), key) };

  expect((await events(signed)).status).toBe(200);
  expect(await reservations.redis.dbsize()).toBe(0);

  expect((await events({ ...signed, 'x-user-id': 'load-test-user-r1-b' })).status).toBe(401);
  expect((await events({ ...signed, 'x-load-test-signature': signBypass(virtualUser, soon() - 601, key) })).status).toBe(401);
  expect((await events({ ...signed, 'x-load-test-signature': signBypass(virtualUser, soon(), `${key}!`) })).status).toBe(401);
});

test('a row in users does not make a virtual user known', async () => {
  await reservations.pool.query('INSERT INTO users (id, email, name) VALUES ($1, $1, $1)', [virtualUser]);

  expect((await events({ 'x-user-id': virtualUser })).status).toBe(401);

  await reservations.pool.query('DELETE FROM users WHERE id = $1', [virtualUser]);
});

test('without a key no signature is good', async () => {
  const closed = await reservations.another({});
  const signed = { 'x-user-id': virtualUser, 'x-load-test-signature': signBypass(virtualUser, soon(), key) };

  expect((await events(signed, closed.url)).status).toBe(401);
});

test('health needs no caller', async () => {
  const response = await fetch(`${reservations.service.url}/healthz`);

  expect([response.status, await response.json()]).toEqual([200, { database: true, redis: true }]);
});
