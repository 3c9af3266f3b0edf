import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { k6, runWorkload, workload } from '../support/k6-run.js';

/** When requests came in, and with which headers. */
const seen: { at: number; headers: Record<string, unknown> }[] = [];
const target = createServer((request, response) => {
  seen.push({ at: performance.now(), headers: request.headers });
  request.resume();
  response.end('{"id":"10000000-0000-4000-8000-000000000001"}');
});
let url: string;

beforeAll(
  () =>
    new Promise<void>((resolve) => {
      target.listen(0, '127.0.0.1', () => {
        const address = target.address();
        url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
        resolve();
      });
    }),
);
afterAll(() => {
  target.closeAllConnections();
  target.close();
});

const browseOnly = { LOADCTL_SESSIONS: '{"browse":1}', LOADCTL_RUN: 'r1' };

test('closed model: one session per VU and interval, spread over the interval from the start, and no rest beyond the end', async () => {
  seen.length = 0;

  const { code, samples } = await runWorkload(['--vus', '40', '--duration', '4s'], {
    BASE_URL: url,
    LOADCTL_PACING_MS: '1000',
    ...browseOnly,
  });

  expect(code).toBe(0);
  const ends = samples.filter(({ metric }) => metric === 'iterations').map(({ at }) => at);
  expect(ends.length).toBeGreaterThanOrEqual(150);
  expect(ends.length).toBeLessThanOrEqual(160);
  const first = seen[0]?.at ?? 0;
  const quarters = [0, 1, 2, 3].map((quarter) => seen.filter(({ at }) => Math.floor((at - first) / 250) === quarter).length);
  for (const count of quarters) expect(count).toBeLessThanOrEqual(20);
  const begun = Math.min(...samples.filter(({ metric }) => metric === 'http_reqs').map(({ at }) => at));
  expect(Math.max(...ends) - begun).toBeLessThan(4500);
});

test('open model: k6 starts the sessions, and the script never rests', async () => {
  const { code, samples } = await runWorkload(['--vus', '2', '--iterations', '200'], { BASE_URL: url, ...browseOnly });

  const durations = samples.filter(({ metric }) => metric === 'iteration_duration').map(({ value }) => value);
  expect([code, durations.length]).toEqual([0, 200]);
  expect(durations.sort((a, b) => a - b)[100]).toBeLessThan(100);
});

test('alone, one session a second, for a pool of users, with rows that a cleanup finds', async () => {
  seen.length = 0;

  const { code } = await runWorkload(['--vus', '1', '--iterations', '2'], { BASE_URL: `${url}/` });

  expect(code).toBe(0);
  expect((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(900);
  expect(seen[0]?.headers['x-user-id']).toMatch(/^user-\d+$/);
});

test('other steps, reads, templates and header names than the shipped ones', async () => {
  seen.length = 0;
  const env = {
    BASE_URL: url,
    LOADCTL_RUN: 'r1',
    LOADCTL_ENDPOINTS: '{"home":"GET /home"}',
    LOADCTL_MIX: '{"home":1}',
    LOADCTL_SESSIONS: '{"look":1}',
    LOADCTL_STEPS: '{"look":["GET /first","read"]}',
    LOADCTL_POOL_SIZE: '1',
    LOADCTL_POOL_ID: '{{u}}-{n}',
  };

  const { code, samples } = await runWorkload(['--vus', '1', '--iterations', '3'], env);

  expect(code).toBe(0);
  expect(samples.filter(({ metric }) => metric === 'http_reqs').map(({ tags }) => tags.name)).toEqual(
    Array(3).fill(['GET /first', 'GET /home']).flat(),
  );
  expect(seen[0]?.headers['x-user-id']).toBe('{u}-1');

  seen.length = 0;
  await runWorkload(['--iterations', '1'], {
    ...env,
    LOADCTL_STRATEGY: 'bypass',
    LOADCTL_BYPASS_KEY: 'k'.repeat(32),
    LOADCTL_BYPASS_HEADER: 'X-Signed',
  });
  expect(seen[0]?.headers['x-signed']).toMatch(/^v1\.\d{10}\.[0-9a-f]{64}$/);
});

test.each([
  ['a share of an unknown read', { LOADCTL_MIX: '{"nothing":1}' }, 'LOADCTL_MIX: "nothing" is not in LOADCTL_ENDPOINTS'],
  ['a session without steps', { LOADCTL_SESSIONS: '{"nothing":1}' }, 'LOADCTL_SESSIONS: "nothing" is not in LOADCTL_STEPS'],
  [
    'a step that the script has not',
    { LOADCTL_STEPS: '{"browse":["POST /orders"],"reserve":["read"],"pay":["read"]}' },
    'this script has no step "POST /orders"',
  ],
  ['shares of nothing', { LOADCTL_MIX: '{"events":0}' }, 'LOADCTL_MIX: the shares add up to 0'],
  ['no JSON', { LOADCTL_MIX: 'events' }, 'LOADCTL_MIX is not JSON: events'],
  ['an unknown strategy', { LOADCTL_STRATEGY: 'magic' }, 'LOADCTL_STRATEGY is "magic"; it must be one of pool, bypass'],
  ['bypass without a key', { LOADCTL_STRATEGY: 'bypass' }, 'LOADCTL_BYPASS_KEY is missing'],
  ['an empty pool', { LOADCTL_POOL_SIZE: '0' }, 'LOADCTL_POOL_SIZE is "0"'],
])('%s ends in init', async (_, env: Record<string, string>, says) => {
  const { code, output } = await k6(['inspect', '--include-system-env-vars', workload], env);

  expect(code).toBe(107);
  expect(output.replaceAll('\\"', '"')).toContain(says);
});

test('it leaves scenarios and load to whoever runs it', async () => {
  const { code, output } = await k6(['inspect', workload], {});

  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    scenarios: null,
    vus: null,
    duration: null,
    stages: null,
    setupTimeout: null,
    thresholds: null,
  });
});
