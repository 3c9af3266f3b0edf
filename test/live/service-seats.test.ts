import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Reservations, startReservations } from '../servers/reservations.js';

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations({ loadTest: true });
});
afterAll(() => reservations.stop());
beforeEach(() => forget());

const forget = async () => {
  await reservations.pool.query(`DELETE FROM payments WHERE reservation_id IN (SELECT id FROM reservations WHERE user_id LIKE '%user-%')`);
  await reservations.pool.query(`DELETE FROM reservations WHERE user_id LIKE '%user-%'`);
  await reservations.pool.query(`DELETE FROM queue_entries WHERE user_id LIKE '%user-%'`);
};

async function post(path: string, body: unknown, { user = 'user-1', url = reservations.service.url } = {}) {
  const headers = { 'x-user-id': user, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { id: string; error?: string; amountCents?: number } };
}

async function get<Body>(path: string, user = 'user-1'): Promise<Body> {
  const response = await fetch(reservations.service.url + path, { headers: { 'x-user-id': user } });
  expect(response.status).toBe(200);
  return (await response.json()) as Body;
}

const seatsLeft = async (event: string) =>
  (await get<{ id: string; seatsLeft: number }[]>('/events')).find(({ id }) => id === event)?.seatsLeft;

async function rows(sql: string, values: unknown[] = []): Promise<unknown[]> {
  return (await reservations.pool.query(sql, values)).rows;
}

test('a reservation is the caller’s own, takes a seat, and is listed', async () => {
  const before = await seatsLeft('event-1');

  const made = await post('/reservations', { eventId: 'event-1' });

  expect(made.status).toBe(201);
  expect(await rows('SELECT user_id, event_id FROM reservations WHERE id = $1', [made.body.id])).toEqual([
    { user_id: 'user-1', event_id: 'event-1' },
  ]);
  expect(await seatsLeft('event-1')).toBe((before ?? 0) - 1);
  expect(await get('/reservations')).toEqual([{ id: made.body.id, eventId: 'event-1', createdAt: expect.any(String), paid: false }]);
});

test('no seat is sold twice, however many want it; the others are queued; deleted rows give seats back', async () => {
  const free = (await seatsLeft('event-10')) ?? 0;
  const wishes = 3 * free;

  const answers = await Promise.all(
    Array.from({ length: wishes }, (_, n) => post('/reservations', { eventId: 'event-10', userId: `load-test-user-r1-${n}` })),
  );

  expect(free).toBe(23);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(free);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(wishes - free);
  expect(await rows(`SELECT count(*)::integer AS n FROM reservations WHERE event_id = 'event-10'`)).toEqual([{ n: 25 }]);
  expect(await rows(`SELECT count(*)::integer AS n FROM queue_entries WHERE user_id LIKE 'load-test-user-r1-%'`)).toEqual([
    { n: wishes - free },
  ]);
  expect(await seatsLeft('event-10')).toBe(0);

  await forget();
  expect(await seatsLeft('event-10')).toBe(free);
});

test('sold out: 409, and one place in the queue however often one asks', async () => {
  await reservations.pool.query(
    `INSERT INTO reservations (event_id, user_id) SELECT 'event-10', 'load-test-user-' || n FROM generate_series(1, 23) n`,
  );

  for (let time = 0; time < 3; time++) expect((await post('/reservations', { eventId: 'event-10' })).status).toBe(409);

  // Ada of the demo data has been waiting for longer.
  expect(await get('/queue/status')).toEqual({ waiting: 2, entries: [{ eventId: 'event-10', position: 2 }] });
});

test('a caller of the pool writes rows for virtual users, and for nobody else', async () => {
  const made = await post('/reservations', { eventId: 'event-2', userId: 'load-test-user-r1-x' });
  const paid = await post('/payments', { reservationId: made.body.id, userId: 'load-test-user-r1-x' });

  expect([made.status, paid.status]).toEqual([201, 201]);
  expect(await rows('SELECT user_id FROM reservations WHERE id = $1', [made.body.id])).toEqual([{ user_id: 'load-test-user-r1-x' }]);
  expect((await post('/reservations', { eventId: 'event-2', userId: 'user-2' })).status).toBe(403);
  expect((await post('/reservations', { eventId: 'event-2', userId: 'ada' })).status).toBe(403);
  expect((await post('/reservations', { eventId: 'event-2', userId: 7 })).status).toBe(403);
  expect((await post('/reservations', { eventId: 'event-2', userId: 'load-test-user-' })).status).toBe(400);
});

test('where no load test is allowed, nobody writes for virtual users', async () => {
  const { url } = await reservations.another({ loadTest: false });

  expect((await post('/reservations', { eventId: 'event-2', userId: 'load-test-user-r1-x' }, { url })).status).toBe(403);
  expect((await post('/reservations', { eventId: 'event-2', userId: 'user-1' }, { url })).status).toBe(201);
});

test('a payment is for one’s own reservation, once, at the event’s price', async () => {
  const { body } = await post('/reservations', { eventId: 'event-2' });

  expect((await post('/payments', { reservationId: body.id }, { user: 'user-2' })).status).toBe(404);
  expect(await post('/payments', { reservationId: body.id })).toEqual({ status: 201, body: { id: expect.any(String), amountCents: 2800 } });
  expect((await post('/payments', { reservationId: body.id })).status).toBe(409);
  expect((await post('/payments', { reservationId: '00000000-0000-4000-8000-000000000000' })).status).toBe(404);
});

test('what one asks for is what one gets told', async () => {
  expect((await post('/reservations', { eventId: 'event-999' })).status).toBe(404);
  expect((await post('/reservations', {})).status).toBe(400);
  expect((await post('/reservations', { eventId: "x'; DROP TABLE events; --" })).status).toBe(400);
  expect((await post('/reservations', { eventId: 'event-1\u0000' })).status).toBe(400);
  expect((await post('/payments', { reservationId: 'not-a-uuid' })).status).toBe(400);
  expect((await post('/reservations', [1])).status).toBe(400);
  expect(reservations.logged).toEqual([]);
});
