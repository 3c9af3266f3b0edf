import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Reservations, startReservations } from '../servers/reservations.js';
import { type K6Run, runWorkload, type Sample } from '../support/k6-run.js';

const key = 'workload-test-0123456789abcdef-0123456789';
const iterations = 2000;
const steps = { browse: ['read'], reserve: ['read', 'POST /reservations'], pay: ['read', 'POST /reservations', 'POST /payments'] };
const endpoints = { reservations: 'GET /reservations', events: 'GET /events', healthz: 'GET /healthz', queue: 'GET /queue/status' };
const mix = { reservations: 0.4, events: 0.3, healthz: 0.2, queue: 0.1 };
const sessions = { browse: 0.8, reserve: 0.15, pay: 0.05 };

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations({ users: 1000, loadTest: true, bypassKey: key });
});
afterAll(() => reservations.stop());

const strategies: Record<'pool' | 'bypass', Record<string, string>> = {
  pool: { LOADCTL_POOL_SIZE: '1000', LOADCTL_POOL_ID: 'user-{n}' },
  bypass: { LOADCTL_BYPASS_KEY: key, LOADCTL_BYPASS_EXPIRES: String(Math.ceil(Date.now() / 1000) + 600) },
};

describe.each(['pool', 'bypass'] as const)('%s', (strategy) => {
  const run = `20260101T000000Z-${strategy}`;
  const prefix = `load-test-user-${run}-`;
  let before: string;
  let runners: K6Run[];
  let samples: Sample[];

  beforeAll(async () => {
    await reservations.redis.flushdb();
    before = await everything();
    const env = {
      BASE_URL: reservations.service.url,
      LOADCTL_RUN: run,
      LOADCTL_STRATEGY: strategy,
      LOADCTL_VIRTUAL_USER_PREFIX: prefix,
      LOADCTL_ENDPOINTS: JSON.stringify(endpoints),
      LOADCTL_MIX: JSON.stringify(mix),
      LOADCTL_SESSIONS: JSON.stringify(sessions),
      LOADCTL_STEPS: JSON.stringify(steps),
      ...strategies[strategy],
    };
    const fixed = ['--vus', '10', '--iterations', String(iterations), '--execution-segment-sequence', '0,1/2,1'];
    runners = await Promise.all(['0:1/2', '1/2:1'].map((segment) => runWorkload([...fixed, '--execution-segment', segment], env)));
    samples = runners.flatMap((runner) => runner.samples);
  });

  const sum = (metric: string, tags: Record<string, string> = {}) =>
    samples
      .filter((sample) => sample.metric === metric && Object.entries(tags).every(([tag, value]) => sample.tags[tag] === value))
      .reduce((total, { value }) => total + value, 0);
  const requests = (tags: Record<string, string>) => sum('http_reqs', tags);

  test('two runners do the work, and nothing fails: sold out is expected', () => {
    expect(runners.map(({ code }) => code)).toEqual([0, 0]);
    expect(sum('iterations')).toBe(iterations);
    expect(sum('http_req_failed')).toBe(0);
    expect(samples.filter(({ metric, value }) => metric === 'checks' && value !== 1)).toEqual([]);
    expect(requests({ status: '409' })).toBeGreaterThan(0);
  });

  test('every request carries its name, without ids or queries, and its session', () => {
    const named = new Set(samples.filter(({ metric }) => metric === 'http_req_duration').map(({ tags }) => tags.name));
    const sessionsSeen = new Set(samples.filter(({ metric }) => metric === 'http_req_duration').map(({ tags }) => tags.session));

    expect([...named].sort()).toEqual([...Object.values(endpoints), 'POST /payments', 'POST /reservations'].sort());
    expect([...sessionsSeen].sort()).toEqual(['browse', 'pay', 'reserve']);
    expect(requests({ name: 'POST /reservations' })).toBe(
      sum('session_choices', { session: 'reserve' }) + sum('session_choices', { session: 'pay' }),
    );
    for (const [endpoint, name] of Object.entries(endpoints)) expect(requests({ name })).toBe(sum('read_choices', { endpoint }));
  });

  test('sessions and reads are drawn in the shares that were asked for', () => {
    expect(chiSquare(sessions, (session) => sum('session_choices', { session }))).toBeLessThan(billionth.two);
    expect(chiSquare(mix, (endpoint) => sum('read_choices', { endpoint }))).toBeLessThan(billionth.three);
  });

  test('every row that was written carries an id of this run, and no id twice', async () => {
    const reserved = await query<{ n: number; users: number }>(
      `SELECT count(*)::integer n, count(DISTINCT user_id)::integer users FROM reservations WHERE user_id LIKE $1`,
    );
    const queued = await query<{ n: number }>('SELECT count(*)::integer n FROM queue_entries WHERE user_id LIKE $1');
    const paid = await query<{ n: number }>(
      'SELECT count(*)::integer n FROM payments p JOIN reservations r ON r.id = p.reservation_id WHERE r.user_id LIKE $1',
    );
    const all = await query<{ n: number }>(
      `SELECT (SELECT count(*) FROM reservations) + (SELECT count(*) FROM queue_entries) - 5 AS n WHERE $1 <> ''`,
    );

    expect(reserved).toEqual({ n: requests({ name: 'POST /reservations', status: '201' }), users: reserved.n });
    expect(queued.n).toBe(requests({ name: 'POST /reservations', status: '409' }));
    expect(paid.n).toBe(requests({ name: 'POST /payments', status: '201' }));
    expect(Number(all.n)).toBe(reserved.n + queued.n);
  });

  test('only callers of the pool are cached', async () => {
    const keys = await reservations.redis.keys('*');

    expect(keys.filter((name) => !/^user:user-\d+$/.test(name))).toEqual([]);
    expect(keys.length > 0).toBe(strategy === 'pool');
  });

  test('deleting by prefix, payments first, leaves everything as it was', async () => {
    expect(await everything()).not.toBe(before);

    await query('DELETE FROM payments USING reservations r WHERE r.id = reservation_id AND r.user_id LIKE $1');
    await query('DELETE FROM reservations WHERE user_id LIKE $1');
    await query('DELETE FROM queue_entries WHERE user_id LIKE $1');

    expect(await everything()).toBe(before);
  });

  async function query<Row extends object>(sql: string): Promise<Row> {
    const { rows } = await reservations.pool.query(sql, [`${prefix}%`]);
    return rows[0];
  }
});

/** Every row of every table. */
async function everything(): Promise<string> {
  const tables = ['users', 'events', 'reservations', 'payments', 'queue_entries'];
  const texts = tables.map(async (table) => JSON.stringify((await reservations.pool.query(`SELECT * FROM ${table} ORDER BY id`)).rows));
  return (await Promise.all(texts)).join('\n');
}

/** What chi-square stays under but once in a billion times, by degrees of freedom. */
const billionth = { two: 41.45, three: 44.85 };

function chiSquare(shares: Readonly<Record<string, number>>, counted: (name: string) => number): number {
  const counts = Object.entries(shares).map(([name, share]) => ({ share, count: counted(name) }));
  const total = counts.reduce((all, { count }) => all + count, 0);
  expect(total).toBe(iterations);
  return counts.reduce((all, { share, count }) => all + (count - share * total) ** 2 / (share * total), 0);
}
