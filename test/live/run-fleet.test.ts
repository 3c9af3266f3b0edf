import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const profile = (url: string, more = '') => `
environment: dev
target: {url: "${url}", health: /healthz}
workload:
  script: ../script.js
${more}
runners: {backend: local, count: 3}
`;

const countedScript = `
import http from 'k6/http';
import exec from 'k6/execution';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const seen = new Counter('setup_seen'), size = new Gauge('cart_size'), won = new Rate('won'), wait = new Trend('wait_time', true);
export const options = {
  scenarios: { shop: { executor: 'per-vu-iterations', vus: 6, iterations: 10, exec: 'shop' } },
  tags: { team: 'checkout' },
  thresholds: { 'http_req_duration{name:GET /a}': ['p(99)<5000'], won: ['rate>=0'], setup_seen: ['count==60'] },
};
export function setup() {
  http.get(__ENV.BASE_URL + '/setup');
  return { token: 'from-setup', n: 7 };
}
export function shop(data) {
  if (data.token === 'from-setup' && data.n === 7) seen.add(1);
  group('reads', () => {
    const answer = http.get(__ENV.BASE_URL + '/a', { tags: { name: 'GET /a' } });
    check(answer, { 'is 200': (r) => r.status === 200, 'is json': (r) => r.json().ok === true });
  });
  size.add(exec.vu.idInTest);
  won.add(exec.vu.idInTest % 2 === 0);
  wait.add(5);
}
export function teardown(data) {
  http.get(__ENV.BASE_URL + '/teardown?token=' + data.token);
}
export function handleSummary(data) {
  return { 'handed.json': JSON.stringify(data), stdout: 'handled ' + data.metrics.iterations.values.count + '\\n' };
}
`;

function json(place: Workplace, name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(place.latestRun(), name), 'utf8')) as Record<string, unknown>;
}

test('three runners are one test: setup, teardown and handleSummary once, and every VU sees the setup data', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': countedScript });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.stderr + said.stdout).toContain('handled 60');
  expect(said.code).toBe(0);
  expect(target.hits.get('GET /setup')).toBe(1);
  expect(target.hits.get('GET /teardown')).toBe(1);
  expect(target.hits.get('GET /a')).toBe(60);
  const summary = json(place, 'summary.json') as { runners: number; metrics: Record<string, { values: Record<string, number> }> };
  expect(summary.runners).toBe(3);
  expect(summary.metrics.setup_seen?.values.count).toBe(60);
  expect(summary.metrics.iterations?.values.count).toBe(60);
  expect(summary.metrics.won?.values).toMatchObject({ passes: 30, fails: 30 });
  expect(readdirSync(join(place.latestRun(), 'runners')).sort()).toEqual(['1', '2', '3']);
});

test('what a handleSummary is handed is what one k6 hands over: keys, types, counts, groups, checks', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': countedScript });
  await place.loadctl(['run', '--env', 'dev']);
  const merged = JSON.parse(place.read('handed.json')) as Handed;
  await place.loadctl(['run', '--env', 'dev', '--set', 'runners.count=1']);
  const single = JSON.parse(place.read('handed.json')) as Handed;

  expect(shape(merged)).toEqual(shape(single));
  expect(merged.root_group).toEqual(single.root_group);
  expect(merged.setup_data).toEqual({ token: 'from-setup', n: 7 });
});

interface Handed {
  readonly metrics: Record<string, { type: string; contains: string; values: Record<string, number>; thresholds?: unknown }>;
  readonly root_group: unknown;
  readonly setup_data: unknown;
}

/** Everything that does not depend on time: k6 counts VUs once a second, so what is over before has no count of them. */
function shape({ metrics }: Handed): unknown {
  const untimed = Object.entries(metrics).filter(([name]) => !['vus', 'vus_max'].includes(name));
  return Object.fromEntries(
    untimed.map(([name, { type, contains, values, thresholds }]) => {
      const exact = type === 'counter' && !name.startsWith('data_') ? values.count : type === 'rate' ? values : undefined;
      return [name, { type, contains, keys: Object.keys(values).sort(), exact, thresholds }];
    }),
  );
}

test('K6_ variables of the shell change nothing and are named in a warning', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': countedScript });

  const said = await place.loadctl(['run', '--env', 'dev'], { K6_VUS: '1', K6_ITERATIONS: '1', K6_SUMMARY_MODE: 'disabled' });

  expect(said.code).toBe(0);
  expect(said.stderr).toContain('K6_ITERATIONS, K6_SUMMARY_MODE, K6_VUS');
  expect(target.hits.get('GET /a')).toBe(60);
});

test('a slow target fails the SLA with 99, the table shows which criterion, and verify says the same', async () => {
  const target = await startTarget();
  target.delays.set('/', 120);
  const place = workplace({
    'profiles/dev.yaml': `${profile(target.url, '  vus: 4\n  duration: 3s')}sla: {p95: < 50ms, errors: < 1%, availability: 99%}\n`,
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/'); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);
  expect(said.code).toBe(99);
  expect(said.stdout + said.stderr).toMatch(/p95.*< 50 ms.*fail/);

  const verified = await place.loadctl(['verify', '--json']);
  expect(verified.code).toBe(99);
  const verdict = JSON.parse(verified.stdout) as { verdict: string; criteria: { name: string; outcome: string }[] };
  expect(verdict.verdict).toBe('fail');
  expect(verdict.criteria.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['p95', 'fail'],
    ['errors', 'pass'],
    ['availability', 'pass'],
  ]);
  expect(JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8'))).toEqual(verdict);
});

test('ramp: the SLA is judged on what lies between, with rates over the seconds of the window', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `${profile(target.url, '  rate: 50/s\n  vus: 20\n  duration: 6s\n  ramp: 2s')}sla: {throughput: 30/s}\n`,
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/'); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  const verdict = json(place, 'verdict.json') as { criteria: { actual: number; window: string }[] };
  expect(verdict.criteria[0]?.window).toBe('steady 2s–4s');
  expect(verdict.criteria[0]?.actual).toBeGreaterThan(42);
  expect(verdict.criteria[0]?.actual).toBeLessThan(58);
  expect(said.code).toBe(0);
});

test('credentials in the target URL reach the target and appear nowhere', async () => {
  const seen = new Set<string>();
  const target = await startTarget((request) => {
    seen.add(request.headers.authorization ?? 'none');
    return false;
  });
  const url = target.url.replace('http://', 'http://ann:s3cret-word@');
  const place = workplace({
    'profiles/dev.yaml': profile(url, '  vus: 1\n  duration: 1s'),
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/'); console.log(__ENV.BASE_URL); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev', '--set', 'runners.count=1']);

  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect([...seen]).toEqual([`Basic ${Buffer.from('ann:s3cret-word').toString('base64')}`]);
  expect(said.stdout + said.stderr).not.toContain('s3cret-word');
  const files = spawnSync('grep', ['-rl', 's3cret-word', place.latestRun()], { encoding: 'utf8' }).stdout;
  expect(files).toBe('');
});
