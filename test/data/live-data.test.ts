import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LoggedEvent } from '../../src/core/events.js';
import type { Verdict } from '../../src/core/verdict.js';
import type { Summary } from '../../src/metrics/summary.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

type Sample = Extract<LoggedEvent, { type: 'fleet-sampled' }>;

function profile(url: string, load: string, more = ''): string {
  return `target: {url: "${url}"}\nworkload: {script: ../script.js${load}}\nrunners: {count: 2}\n${more}`;
}

function lines<T>(place: Workplace, name: string): T[] {
  return readFileSync(join(place.latestRun(), name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

const events = (place: Workplace) => lines<LoggedEvent>(place, 'events.ndjson');
const samples = (place: Workplace) => events(place).filter((event): event is Sample & LoggedEvent => event.type === 'fleet-sampled');
const stopped = (place: Workplace) => events(place).find((event) => event.type === 'fleet-stopped');

function json<T>(place: Workplace, name: string): T {
  return JSON.parse(readFileSync(join(place.latestRun(), name), 'utf8')) as T;
}

/** Runs to the end; the answer to a failed expectation about the exit code is what loadctl said. */
async function runs(place: Workplace, code: number): Promise<Said> {
  const said = await place.loadctl(['run', '--env', 'dev']);
  expect(said.code, said.stderr).toBe(code);
  return said;
}

test('what was received is, after the run, exactly what the summary counts; the live p95 is near the final one', async () => {
  const target = await startTarget();
  target.delays.set('/a', 20);
  target.delays.set('/b', 40);
  target.statuses.set('/b', 500);
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ', vus: 8, duration: 8s'),
    'script.js': `import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
const orders = new Counter('orders'), wait = new Trend('wait_time', true);
export default () => {
  http.get(__ENV.BASE_URL + '/a', { tags: { name: 'GET /a' } });
  if (__ITER % 10 === 0) http.get(__ENV.BASE_URL + '/b', { tags: { name: 'GET /b' } });
  orders.add(3);
  wait.add(5);
};`,
  });

  await runs(place, 0);

  const { metrics } = json<Summary>(place, 'summary.json');
  const last = samples(place).at(-1);
  expect(last).toMatchObject({
    requests: metrics.http_reqs?.values.count,
    failedRequests: metrics.http_req_failed?.values.passes,
    iterations: metrics.iterations?.values.count,
    runnersReporting: 2,
  });
  expect(last?.endpoints?.map(({ name }) => name)).toEqual(['GET /a', 'GET /b']);
  const final = metrics.http_req_duration?.values['p(95)'] ?? Number.NaN;
  for (const { latency } of samples(place).slice(3)) {
    expect(Math.abs((latency?.p95.value ?? 0) - final) / final).toBeLessThan(0.25); // a bucket is 9% wide, and one second is not the whole test
  }
  expect(Math.abs((last?.latency?.p95.value ?? 0) - final) / final).toBeLessThan(0.05);
  expect(last?.latency?.p95.low).toBeLessThanOrEqual(final);
  expect(last?.latency?.p95.high).toBeGreaterThanOrEqual(final);

  type Line = {
    requests: number;
    endpoints: Record<string, { requests: number }>;
    scenarios: Record<string, { requests: number }>;
    latency?: unknown;
  };
  const series = lines<Line>(place, 'timeseries.ndjson');
  expect(series.length).toBeGreaterThanOrEqual(8);
  const sumOf = (pick: (line: Line) => number) => series.reduce((sum, line) => sum + pick(line), 0);
  expect(sumOf((line) => line.endpoints['GET /a']?.requests ?? 0)).toBe(metrics.iterations?.values.count);
  expect(sumOf((line) => line.scenarios.default?.requests ?? 0)).toBe(last?.requests);
});

/** Runner 2 is bad at a tenth of the requests that the fleet makes. */
const oneBadRunner = (threshold: string) => `import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 2, duration: '8s', thresholds: { http_req_failed: [{ threshold: '${threshold}', abortOnFail: true, delayAbortEval: '1s' }] } };
const bad = __ENV.LOADCTL_RUNNER === '2';
export default () => {
  http.get(__ENV.BASE_URL + (bad ? '/bad' : '/good'));
  sleep(bad ? 0.2 : 0.02);
};`;

test('every endpoint has a row of the judged window, whoever names it', async () => {
  const target = await startTarget();
  target.statuses.set('/orders', 500);
  const load = ', vus: 4, ramp: 2s, duration: 7s, endpoints: {a: GET /a}';
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, load, 'sla: {errors: < 90%}'),
    'script.js': `import http from 'k6/http';
import { sleep } from 'k6';
export const options = { thresholds: { 'http_req_duration{name:POST /orders}': ['p(95)<5000'] } };
export default () => {
  http.get(__ENV.BASE_URL + '/a', { tags: { name: 'GET /a' } });
  http.post(__ENV.BASE_URL + '/orders', '', { tags: { name: 'POST /orders' } });
  http.get(__ENV.BASE_URL + '/unnamed', { tags: { name: 'GET /unnamed' } });
  sleep(0.05);
};`,
  });

  const { stdout } = await runs(place, 0);

  const rowOf = (name: string) => new RegExp(`${name} +([\\d,]+) +\\S+ +(\\S+)`).exec(stdout)?.slice(1);
  const [all, ...rows] = ['all requests', 'GET /a', 'POST /orders', 'GET /unnamed'].map(rowOf);
  expect(
    rows.map((row) => row?.[1]),
    stdout,
  ).toEqual(['0%', '100%', '0%']);
  const number = (text = '') => Number(text.replaceAll(',', ''));
  expect(rows.reduce((sum, row) => sum + number(row?.[0]), 0)).toBe(number(all?.[0]));
  expect(number(all?.[0])).toBeLessThan(json<Summary>(place, 'summary.json').metrics.http_reqs?.values.count ?? 0);
});

test('a single runner that crosses a threshold alone does not end the test', async () => {
  const target = await startTarget();
  target.statuses.set('/bad', 500);
  const place = workplace({ 'profiles/dev.yaml': profile(target.url, ''), 'script.js': oneBadRunner('rate<0.5') });

  await runs(place, 0);

  expect(stopped(place)).toBeUndefined();
  expect(json<Verdict>(place, 'verdict.json').verdict).toBe('pass');
});

test('a threshold that the fleet crosses ends it within 3 s, though no runner alone would have', async () => {
  const target = await startTarget();
  target.statuses.set('/bad', 500);
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ''),
    // Each runner makes fewer than 60 requests at any time before the end; together they reach it.
    'script.js': `import http from 'k6/http';
import { sleep } from 'k6';
export const options = { scenarios: { slow: { executor: 'constant-arrival-rate', rate: 20, duration: '9s', preAllocatedVUs: 10 } },
  thresholds: { http_reqs: [{ threshold: 'count<100', abortOnFail: true }] } };
export default () => { http.get(__ENV.BASE_URL + '/a'); };`,
  });

  const said = await runs(place, 99);

  const stop = stopped(place);
  expect(stop).toMatchObject({ cause: 'threshold' });
  expect(said.stderr + said.stdout).toContain("The script's threshold http_reqs count < 100 was crossed");
  const verdict = json<Verdict>(place, 'verdict.json');
  expect(verdict.verdict).toBe('fail');
  expect(verdict.reasons[0]).toContain('http_reqs count < 100 was crossed');
  const { metrics } = json<Summary>(place, 'summary.json');
  expect(metrics.http_reqs?.values.count).toBeLessThan(170);
  const crossed = samples(place).find(({ requests }) => requests >= 100)?.at ?? Number.NaN;
  const gone = Math.max(...events(place).flatMap((event) => (event.type === 'runner-ended' ? [event.at] : [])));
  expect(gone - crossed).toBeLessThan(3000);
});

test('a threshold with abortOnFail on a sub-metric, by tag, with its delay', async () => {
  const target = await startTarget();
  target.delays.set('/slow', 300);
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ''),
    'script.js': `import http from 'k6/http';
export const options = { vus: 4, duration: '12s', thresholds: {
  'http_req_duration{name:GET /slow}': [{ threshold: 'p(95)<200', abortOnFail: true, delayAbortEval: '3s' }],
  'http_req_duration{name:GET /fast}': [{ threshold: 'p(95)<200', abortOnFail: true }] } };
export default () => {
  http.get(__ENV.BASE_URL + '/fast', { tags: { name: 'GET /fast' } });
  http.get(__ENV.BASE_URL + '/slow', { tags: { name: 'GET /slow' } });
};`,
  });

  await runs(place, 99);

  const stop = stopped(place);
  expect(stop).toMatchObject({
    cause: 'threshold',
    criterion: { name: 'http_req_duration{name:GET /slow} p(95)', operator: '<', limit: 200 },
  });
  const released = events(place).find(({ type }) => type === 'fleet-released')?.at ?? 0;
  expect((stop?.at ?? 0) - released).toBeGreaterThan(3000);
  expect((stop?.at ?? 0) - released).toBeLessThan(6000);
});

test('an abort rule ends the fleet when it held for its time, counted from after on', async () => {
  const target = await startTarget();
  target.statuses.set('/a', 500);
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ', vus: 4, duration: 30s', 'abort: [{when: errors > 5%, for: 3s, after: 2s}]\n'),
    'script.js': `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/a'); sleep(0.05); };`,
  });

  const said = await runs(place, 99);

  const stop = stopped(place);
  expect(stop).toMatchObject({
    cause: 'rule',
    rule: { when: { name: 'errors', limit: 0.05 }, for: 3000 },
    actual: { value: 1, low: 1, high: 1 },
  });
  const released = events(place).find(({ type }) => type === 'fleet-released')?.at ?? 0;
  expect((stop?.at ?? 0) - released).toBeGreaterThan(4900);
  expect((stop?.at ?? 0) - released).toBeLessThan(8000);
  expect(said.stderr + said.stdout).toContain('The abort rule errors > 5% held for 3s');
  expect(json<Verdict>(place, 'verdict.json')).toMatchObject({ verdict: 'fail' });
});

test('an abort rule does not end a test whose errors came before after, or were over within its time', async () => {
  const begun = { at: 0 };
  const target = await startTarget((_, response) => {
    begun.at ||= Date.now();
    const since = Date.now() - begun.at;
    if (since > 2500 && !(since > 7500 && since < 8500)) return false;
    response.writeHead(500).end();
    return true;
  });
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ', vus: 2, duration: 11s', 'abort: [{when: errors > 5%, for: 4s, after: 3s}]\n'),
    'script.js': `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/a'); sleep(0.05); };`,
  });

  await runs(place, 0);

  expect(stopped(place)).toBeUndefined();
});

test('foreign and malformed pushes are turned away, told once each kind, and change nothing', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ', vus: 2, duration: 4s'),
    // The script is handed the address of its own receiver, as it is in k6's environment.
    'script.js': `import http from 'k6/http';
import { sleep } from 'k6';
export function setup() { http.get(__ENV.BASE_URL + '/told?url=' + encodeURIComponent(__ENV.K6_PROMETHEUS_RW_SERVER_URL) + '&token=' + __ENV.K6_PROMETHEUS_RW_BEARER_TOKEN); }
export default () => { http.get(__ENV.BASE_URL + '/a'); sleep(0.1); };`,
  });
  const answers: number[] = [];
  let told: Promise<void> | undefined;
  const spy = await startTarget((incoming) => {
    const query = new URL(incoming.url ?? '/', 'http://localhost').searchParams;
    const [url, token] = [query.get('url') ?? '', query.get('token') ?? ''];
    if (url === '') return false;
    told = (async () => {
      for (const [where, bearer, body] of [
        [url, token, 'nonsense'],
        [url, 'guessed', 'x'],
        [new URL('/1/guessed', url).href, token, 'x'],
        [url, token, 'nonsense again'],
      ] as const)
        answers.push(await post(where, bearer, body));
    })();
    return false;
  });
  place.file('profiles/dev.yaml', profile(spy.url, ', vus: 2, duration: 4s'));

  await runs(place, 0);
  await told;

  expect(answers).toEqual([400, 401, 404, 400]);
  const warnings = events(place).flatMap((event) => (event.type === 'warned' && event.code === 'push-rejected' ? [event.why] : []));
  expect(warnings.sort()).toEqual(['foreign', 'malformed']);
  const { metrics } = json<Summary>(place, 'summary.json');
  expect(samples(place).at(-1)?.requests).toBe(metrics.http_reqs?.values.count);
  expect(target.hits.size).toBe(0);
});

function post(url: string, token: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end(body);
  });
}

test('requests without a name are capped, folded into other, and the advice is given', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ''),
    'script.js': `import http from 'k6/http';
import exec from 'k6/execution';
export const options = { scenarios: { work: { executor: 'shared-iterations', vus: 4, iterations: 1200 } } };
export default () => { http.get(__ENV.BASE_URL + '/things/' + exec.scenario.iterationInTest); };`,
  });

  const said = await runs(place, 0);

  const warnings = events(place).filter((event) => event.type === 'warned' && event.code === 'requests-folded');
  expect(warnings).toHaveLength(1);
  expect(said.stderr).toContain("{tags: {name: 'GET /things/:id'}}");
  expect(samples(place).at(-1)).toMatchObject({ requests: 1200 });
  expect(samples(place).at(-1)?.endpoints?.[0]).toMatchObject({ name: 'other', requests: 700 });
});

test('a killed runner’s numbers are those that were received of it', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profile(target.url, ', vus: 4, duration: 30s'),
    'script.js': `import http from 'k6/http';
import { check, sleep } from 'k6';
export default () => { check(http.get(__ENV.BASE_URL + '/a', { tags: { name: 'GET /a' } }), { ok: (r) => r.status === 200 }); sleep(0.02); };`,
  });
  const run = place.start(['run', '--env', 'dev']);
  const reported = () => {
    try {
      return samples(place).length;
    } catch {
      return 0;
    }
  };
  await expect.poll(reported, { timeout: 60_000 }).toBeGreaterThan(3);
  const [pid = 0] = events(place).flatMap((event) => (event.type === 'runner-started' && event.runner === '2' ? [event.pid] : []));
  process.kill(pid, 'SIGKILL');

  const said = await run.said;

  expect(said.code).toBe(111);
  const summary = json<Summary>(place, 'summary.json');
  expect(summary).toMatchObject({ runners: 2 });
  expect(events(place).filter(({ type }) => type === 'runner-ended')).toContainEqual(
    expect.objectContaining({ runner: '2', cause: 'killed', signal: 'SIGKILL', numbers: 'pushed' }),
  );
  const last = samples(place).at(-1);
  expect(summary.metrics.http_reqs?.values.count).toBe(last?.requests);
  const { http_req_duration: duration } = summary.metrics;
  const [low = 0, high = 0] = duration?.bounds['p(95)'] ?? [];
  expect(high).toBeGreaterThan(low);
  expect(target.hits.get('GET /a') ?? 0).toBeGreaterThanOrEqual(last?.requests ?? 0);
  expect(said.stderr).toContain('wrote no summary; using the live data received until then');
  expect(said.stderr).toContain('checks');
  expect(json<Verdict>(place, 'verdict.json').reasons.join()).toContain('stands in for its numbers');
});
