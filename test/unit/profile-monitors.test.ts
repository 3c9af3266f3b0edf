import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { monitorValues } from '../../src/metrics/servers/values.js';
import { checkGuards } from '../../src/plan/guards.js';
import { load, planHere } from './profile-files.js';

const head = `target: {url: http://127.0.0.1:8080}
workload: {script: k6.ts, vus: 1, duration: 1m}
stores: {db: {kind: postgres, url: postgres://127.0.0.1/shop}, cache: {kind: redis, url: redis://127.0.0.1}}
`;

/** What is wrong with a profile, without its frames. */
function wrong(words: string): string[] {
  try {
    load({ 'test.yaml': head + words });
    return [];
  } catch (error) {
    if (!(error instanceof LoadctlError)) throw error;
    return error.lines.filter((line) => line.startsWith('profiles/')).map((line) => line.replace(/^[^ ]+ /, ''));
  }
}

describe('a limit for the servers', () => {
  test.each([
    [
      'a word that no monitor gives',
      'monitors: {db: {kind: postgres, store: db}}\ncritical: {queueDepth: < 1000}',
      /^no monitor gives `queueDepth`: expected one of kind `queue`/,
    ],
    [
      'an unknown monitor',
      'monitors: {db: {kind: postgres, store: db}}\ncritical: {dbb.lag: < 5s}',
      /^no monitor is called `dbb`; .*did you mean `db`\?/,
    ],
    [
      'an unknown value',
      'monitors: {db: {kind: postgres, store: db}}\ncritical: {db.conections: < 5}',
      /^`db` does not give `conections`; .*did you mean `connections`\?/,
    ],
    [
      'a value that needs more',
      'monitors: {jobs: {kind: queue, store: db, table: t}}\ncritical: {jobs.age: < 5s}',
      /^`jobs` does not give `age` as it is configured/,
    ],
    ['another unit', 'monitors: {db: {kind: postgres, store: db}}\ncritical: {db.commits: < 5s}', /^expected a rate such as `< 100\/s`/],
    [
      'a statistic and for',
      'monitors: {app: {kind: host, here: true}}\ncritical: {cpu: {limit: p95 < 80%, for: 10s}}',
      /exclude each other/,
    ],
    ['a bare 80', 'monitors: {app: {kind: host, here: true}}\ncritical: {cpu: < 80}', /^expected a percentage such as `< 80%`/],
  ])('%s', (_, words, expected) => {
    const [first, ...more] = wrong(words);
    expect(first).toMatch(expected);
    expect(more).toEqual([]);
  });

  test('says its usual statistic, or another one', () => {
    const { criteria } = planHere(
      load({
        'test.yaml': `${head}monitors: {app: {kind: host, here: true}, db: {kind: postgres, store: db}}
critical: {cpu: < 80%, memory: < 85%, dbConnections: p95 < 90%, db.waiting: {limit: < 5, for: 10s}}`,
      }),
    );
    expect(criteria.map(({ metric, stat, for: lasting, unit }) => [metric, stat, lasting, unit])).toEqual([
      ['cpu', 'avg', undefined, '%'],
      ['memory', 'max', undefined, '%'],
      ['dbConnections', 'p95', undefined, '%'],
      ['db.waiting', 'max', 10_000, ''],
    ]);
  });
});

describe('a monitor', () => {
  test.each([
    ['an unknown store', 'monitors: {db: {kind: postgres, store: dbs}}', /^there is no store `dbs`; did you mean `db`\?/],
    [
      'a store of another kind',
      'monitors: {db: {kind: postgres, store: cache}}',
      /^`cache` is a store of kind `redis`; expected one of kind `postgres`/,
    ],
    ['nothing to look at', 'monitors: {db: {kind: postgres}}', /^expected one of `store` and `url`/],
    ['two things to look at', 'monitors: {app: {kind: host, here: true, cgroup: /a}}', /exclude each other/],
    ['a word as its name', 'monitors: {cpu: {kind: host, here: true}}', /^`cpu` is a word of `critical`/],
    [
      'a time-out longer than its interval',
      'monitors: {app: {kind: host, here: true, timeout: 2s}}',
      /^expected a time of at most `every`/,
    ],
    ['a URL without a path into its answer', 'monitors: {q: {kind: queue, url: http://127.0.0.1:1}}', /^`url` needs `jsonPath`/],
  ])('%s', (_, words, expected) => {
    expect(wrong(words)).toEqual([expect.stringMatching(expected)]);
  });

  test('an abort rule holds for two of its intervals at least', () => {
    const rule = (lasting: string) => `monitors: {app: {kind: host, here: true, every: 15s}}\nabort: [{when: cpu > 90%, for: ${lasting}}]`;
    expect(wrong(rule('29s'))).toEqual([expect.stringMatching(/^expected at least `30s`: two intervals of the monitor/)]);
    expect(wrong(rule('30s'))).toEqual([]);
  });

  test('has its hosts in the plan, and they need guards.allow', () => {
    const words = `monitors: {far: {kind: prometheus, url: "https://ann:hush@prom.example.com", query: up, token: hush2}}`;
    const loaded = load({ 'test.yaml': head + words });
    const plan = planHere(loaded);
    expect(plan.beyondLoopback).toEqual(['prom.example.com']);
    const refusals = checkGuards(plan, loaded.profile, { makesLoad: true, confirmed: true });
    expect(refusals).toMatchObject([{ guard: 'allow', fix: expect.stringContaining('guards.allow: [prom.example.com]') }]);
    expect(JSON.stringify(plan)).not.toContain('hush');
  });
});

test('the page on monitors has every value of every kind', () => {
  const page = readFileSync(new URL('../../docs/monitors.md', import.meta.url), 'utf8');
  for (const [kind, values] of Object.entries(monitorValues)) {
    const [, section = ''] = page.split(`\n## ${kind}\n`);
    const text = section.split('\n## ')[0] ?? '';
    for (const name of Object.keys(values)) expect(text, kind).toContain(`\`${name}\``);
  }
});

test('the example of the page is a profile', () => {
  const page = readFileSync(new URL('../../docs/monitors.md', import.meta.url), 'utf8');
  const lines = page.split('\n').filter((line) => line.startsWith('    '));
  const example = lines
    .map((line) => line.slice(4))
    .join('\n')
    .replace(', …]', ']');
  const text = `target: {url: http://127.0.0.1:8080}\nworkload: {script: k6.ts, vus: 1, duration: 1m}\n${example}`;
  const variables = { DB_PASSWORD: 'a', STATS_PASSWORD: 'b', PROM_TOKEN: 'c' };
  expect(planHere(load({ 'test.yaml': text }, { env: variables })).judgedMonitors).toHaveLength(6);
});
