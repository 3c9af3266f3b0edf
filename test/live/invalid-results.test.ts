import { chmodSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chiSquareTail } from '../../src/metrics/chi-square.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

interface Verdict {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly criteria: readonly { readonly name: string; readonly outcome: string }[];
  readonly exitCodes: readonly number[];
}

function verdictOf(place: Workplace): Verdict {
  return JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as Verdict;
}

const openModel = (url: string) => `
environment: dev
target: {url: "${url}"}
workload: {script: ../script.js, rate: 50/s, vus: 2, duration: 4s}
runners: {backend: local, count: 2}
sla: {p95: < 200ms, errors: < 1%}
`;

test('a slow target with a rate that cannot be met is a fail, and what was not made is said', async () => {
  const target = await startTarget();
  target.delays.set('/', 400);
  const place = workplace({
    'profiles/dev.yaml': openModel(target.url),
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/'); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect([said.code, verdictOf(place).verdict]).toEqual([99, 'fail']);
  expect(verdictOf(place).reasons.join('\n')).toMatch(/Not all of the planned load was made: .* iterations .* were never begun/);
});

test('too few VUs against a fast target are an invalid result', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': openModel(target.url),
    'script.js': `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/'); sleep(0.4); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  const { verdict, reasons, criteria } = verdictOf(place);
  expect([said.code, verdict]).toEqual([111, 'invalid']);
  expect(reasons.join('\n')).toMatch(/target was within its limits.*raise workload\.vus/);
  expect(criteria.map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
});

test('VUs that pace themselves more slowly than planned are an invalid result', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': openModel(target.url).replace('rate: 50/s, vus: 2', 'pacing: 200ms, vus: 4'),
    'script.js': `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/'); sleep(1); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect([said.code, verdictOf(place).verdict]).toEqual([111, 'invalid']);
  expect(verdictOf(place).reasons.join('\n')).toMatch(/of the planned 20\/s iterations were made/);
});

test('generators that take all of their machine are an invalid result, with failed criteria listed', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `
target: {url: "${target.url}"}
workload: {script: ../script.js, vus: 6, duration: 8s}
runners: {backend: local, count: 3}
sla: {p95: < 0.001ms}
`,
    'script.js': `import http from 'k6/http';
export default () => {
  http.get(__ENV.BASE_URL + '/');
  for (const until = Date.now() + 200; Date.now() < until; );
};`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  const { verdict, reasons, criteria, exitCodes } = verdictOf(place);
  expect([said.code, verdict, exitCodes]).toEqual([111, 'invalid', [99, 111]]);
  expect(reasons.join('\n')).toMatch(
    /The machine of runners 1, 2 and 3 was above 90% CPU for \d+ s of \d+ s, k6 itself using \d+%: use more machines or fewer VUs\./,
  );
  expect(criteria.map(({ name, outcome }) => [name, outcome])).toEqual([['p95', 'fail']]);
  const lines = readFileSync(join(place.latestRun(), 'generators.ndjson'), 'utf8').trim().split('\n');
  expect(new Set(lines.map((line) => (JSON.parse(line) as { runner: string }).runner))).toEqual(new Set(['1', '2', '3']));
  expect((await place.loadctl(['verify'])).code).toBe(111);
});

const counting = (share: number) => `
import http from 'k6/http';
import { Counter } from 'k6/metrics';
const choices = new Counter('session_choices');
export default () => {
  choices.add(1, { session: Math.random() < ${share} ? 'browse' : 'pay' });
};`;
const mixed = (url: string) => `
target: {url: "${url}"}
workload: {script: ../script.js, options: {vus: 2, iterations: 6000}, sessions: {browse: 80%, pay: 20%}}
runners: {backend: local, count: 2}
`;

test('choices drawn off the mix are an invalid result', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': mixed(target.url), 'script.js': counting(0.7) });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect([said.code, verdictOf(place).verdict]).toEqual([111, 'invalid']);
  const drawn = /drew session (browse|pay) for ([\d.]+)% of 6,000 session_choices/.exec(verdictOf(place).reasons.join('\n'));
  expect(['browse', 'pay']).toContain(drawn?.[1]);
  const browse = drawn?.[1] === 'pay' ? 100 - Number(drawn[2]) : Number(drawn?.[2]);
  expect(Math.abs(browse - 70)).toBeLessThan(0.05 + onceInABillion * 100 * Math.sqrt((0.7 * 0.3) / 6000));
});

/** So many standard deviations chance alone exceeds once in a billion times, on either side. */
const onceInABillion = 6.11;

test('choices of another counter, or of none, are nobody’s business', async () => {
  const target = await startTarget();
  const other = counting(0.7).replace('new Counter(', 'new Trend(').replace('{ Counter }', '{ Trend }');
  for (const script of [other, 'export default () => {};']) {
    const place = workplace({ 'profiles/dev.yaml': mixed(target.url), 'script.js': script });
    expect((await place.loadctl(['run', '--env', 'dev'])).code).toBe(0);
  }
});

test('the shipped workload draws as it is asked to', async () => {
  const target = await startTarget((request, response) => {
    if (request.method !== 'POST') return false;
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"r-1"}');
    return true;
  });
  const place = workplace({
    'profiles/dev.yaml': `
extends: base.yaml
target: {url: "${target.url}", health: /healthz}
workload: {vus: 40, duration: 8s, pacing: 200ms}
stores: null
users: null
seed: null
cleanup: null
runners: {backend: local, count: 2}
sla: {p95: null, availability: null, errors: < 1%}
critical: null
monitors: null
abort: null
`,
  });
  for (const name of ['profiles/base.yaml', 'k6/reservations.ts'])
    cpSync(new URL(`../../${name}`, import.meta.url), join(place.folder, name));

  const said = await place.loadctl(['run', '--env', 'dev']);

  // loadctl itself takes what chance does once in a thousand times for a mix that is off.
  const { reasons } = verdictOf(place);
  expect([reasons.filter((reason) => !reason.startsWith('The script drew')), said.code]).toEqual([[], reasons.length === 0 ? 0 : 111]);
  const { choices } = JSON.parse(readFileSync(join(place.latestRun(), 'run.json'), 'utf8')) as { choices: { counter: string }[] };
  expect(choices.map(({ counter }) => counter)).toEqual(['session_choices', 'read_choices']);
  const { metrics } = JSON.parse(readFileSync(join(place.latestRun(), 'summary.json'), 'utf8')) as {
    metrics: Record<string, { values: { count: number } }>;
  };
  const counts = Object.entries({ browse: 0.8, reserve: 0.15, pay: 0.05 }).map(([session, share]) => ({
    share,
    count: metrics[`session_choices{session:${session}}`]?.values.count ?? 0,
  }));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const statistic = counts.reduce((sum, { count, share }) => sum + (count - share * total) ** 2 / (share * total), 0);
  expect(chiSquareTail(statistic, counts.length - 1)).toBeGreaterThan(1e-9);
  expect(counts[0]?.count).toBeGreaterThan(1000);
  expect(metrics['read_choices{endpoint:events}']?.values.count).toBeGreaterThan(300);
});

test('a load that no machine can hold is refused before it begins', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 200000, duration: 1m}\nrunners: {count: 1}\n`,
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(115);
  expect(said.stderr).toMatch(/200,000 VUs on this machine hold a connection each|needs 200,050 open files/);
  expect(target.hits.get('GET /work')).toBeUndefined();
  expect(() => place.latestRun()).toThrow('no run');
});

test('a generator that is out of open files makes the result invalid', async () => {
  const target = await startTarget();
  target.delays.set('/', 300);
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js}\nrunners: {count: 1}\n`,
    'script.js': `import http from 'k6/http';\nexport const options = { vus: 200, iterations: 400 };\nexport default () => { http.get(__ENV.BASE_URL + '/'); };`,
    'k6.sh': `#!/bin/sh\nulimit -n 100\nexec "${process.env.LOADCTL_K6}" "$@"\n`,
  });
  chmodSync(join(place.folder, 'k6.sh'), 0o755);

  const said = await place.loadctl(['run', '--env', 'dev'], { LOADCTL_K6: join(place.folder, 'k6.sh') });

  expect([said.code, verdictOf(place).verdict]).toEqual([111, 'invalid']);
  expect(verdictOf(place).reasons.join('\n')).toMatch(
    /Runner 1 had too many open files for a connection, \d+ times: raise its limit \(ulimit -n\)/,
  );
});
