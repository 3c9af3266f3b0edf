import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Reservations, startReservations } from '../servers/reservations.js';

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations();
});
afterAll(() => reservations.stop());

const json = { 'x-user-id': 'user-1', 'content-type': 'application/json' };
const large = JSON.stringify({ eventId: 'e'.repeat(20_000) });

test.each([
  ['bad JSON', 'POST', '/reservations', json, '{"eventId":', 400],
  ['no body', 'POST', '/reservations', json, '', 400],
  ['JSON null', 'POST', '/payments', json, 'null', 400],
  [
    'a form',
    'POST',
    '/reservations',
    { 'x-user-id': 'user-1', 'content-type': 'application/x-www-form-urlencoded' },
    'eventId=event-1',
    415,
  ],
  ['a body that is too large', 'POST', '/reservations', json, large, 413],
  ['no caller before anything of the body', 'POST', '/reservations', { 'content-type': 'application/json' }, '{', 401],
  ['a path that is not there', 'GET', '/nowhere', json, undefined, 404],
  ['a path named like a method of objects', 'GET', '/constructor', json, undefined, 404],
  ['a method named like a method of objects', 'HEAD', '/events', json, undefined, 405],
] as const)('%s', async (_, method, path, headers, body, status) => {
  const response = await fetch(reservations.service.url + path, { method, headers, ...(body === undefined ? {} : { body }) });

  expect(response.status).toBe(status);
  expect(reservations.logged).toEqual([]);
});

test.each([
  ['DELETE', '/reservations', 'GET, POST'],
  ['POST', '/events', 'GET'],
  ['GET', '/payments', 'POST'],
  ['POST', '/healthz', 'GET'],
])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
  const response = await fetch(reservations.service.url + path, { method, headers: json });

  expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
});

test('a query does not change the path', async () => {
  expect((await fetch(`${reservations.service.url}/events?page=2`, { headers: json })).status).toBe(200);
});

test('a body that grows without end is refused, and its connection closed', async () => {
  const head =
    'POST /reservations HTTP/1.1\r\nHost: x\r\nX-User-Id: user-1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
  const socket = connect(reservations.service.port, '127.0.0.1', () => socket.write(head + chunk.repeat(6)));
  let said = '';
  socket.on('data', (data) => {
    said += data;
  });
  socket.on('error', () => undefined);

  await expect.poll(() => socket.closed || socket.readableEnded, { timeout: 10_000 }).toBe(true);
  expect(said).toMatch(/^HTTP\/1\.1 413 /);
});

test('a client that goes away in the middle of its body is no error of the service', async () => {
  const head =
    'POST /reservations HTTP/1.1\r\nHost: x\r\nX-User-Id: user-1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"event';
  const socket = connect(reservations.service.port, '127.0.0.1', () => socket.write(head, () => socket.destroy()));
  await expect.poll(() => socket.closed).toBe(true);

  expect((await fetch(`${reservations.service.url}/events`, { headers: json })).status).toBe(200);
  expect(reservations.logged).toEqual([]);
});

test('SLOW_MS makes every answer wait', async () => {
  const slow = await reservations.another({ slowMs: 200 });
  const begun = performance.now();

  await fetch(`${slow.url}/healthz`);

  expect(performance.now() - begun).toBeGreaterThan(195);
});

test('what was begun is answered when the service stops, and nothing after it', async () => {
  const stopping = await reservations.another({});
  const holder = await reservations.pool.connect();
  await holder.query("BEGIN; SELECT FROM events WHERE id = 'event-1' FOR UPDATE");
  const answer = fetch(`${stopping.url}/reservations`, { method: 'POST', headers: json, body: '{"eventId":"event-1"}' });
  const waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'reservations' AND wait_event_type = 'Lock'";
  await expect.poll(async () => (await reservations.pool.query(waiting)).rowCount, { timeout: 10_000 }).toBe(1);

  const stopped = stopping.stop();
  await expect(fetch(`${stopping.url}/healthz`)).rejects.toThrow();
  await holder.query('COMMIT');
  holder.release();

  const { status, headers } = await answer;
  expect([status, headers.get('connection')]).toEqual([201, 'close']);
  await stopped;
  await stopping.stop();
});
