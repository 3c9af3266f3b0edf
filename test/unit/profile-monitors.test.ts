import { describe, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { checkGuards } from '../../src/plan/guards.js';
import { limitInWords, ruleInWords } from '../../src/reporters/sentences/limits.js';
import { monitorInWords } from '../../src/reporters/sentences/monitors.js';
import { planWarningText } from '../../src/reporters/sentences/plan-warning.js';
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

  test.each([
    ['cpu: < 80%', 'cpu < 80%'],
    ['cpu: p95 < 80%', 'p95 cpu < 80%'],
    ['p95 cpu: < 80%', 'p95 cpu < 80%'],
    ['cpu: {limit: < 80%, for: 10s}', 'cpu < 80% for 10s'],
    ['app.memory: avg < 80%', 'avg app.memory < 80%'],
  ])('`%s` stands in the plan as `%s`', (words, shown) => {
    const plan = planHere(load({ 'test.yaml': `${head}monitors: {app: {kind: host, here: true}}\ncritical: {${words}}` }));
    expect(plan.criteria.map((criterion) => limitInWords(criterion, plan.judgedMonitors))).toEqual([shown]);
  });

  test.each([
    ['{when: p95 cpu > 90%, for: 30s}', 'p95', 'p95 cpu > 90% for 30s'],
    ['{when: cpu p95 > 90%, for: 30s, after: 1m}', 'p95', 'p95 cpu > 90% for 30s, after 1m'],
    ['{when: app.cpu > 90%, for: 30s}', 'avg', 'app.cpu > 90% for 30s'],
  ])('the abort rule %s has the statistic %s and stands in the plan', (rule, stat, shown) => {
    const plan = planHere(load({ 'test.yaml': `${head}monitors: {app: {kind: host, here: true}}\nabort: [${rule}]` }));
    expect(plan.abort.map((one) => [one.when.stat, ruleInWords(one)])).toEqual([[stat, shown]]);
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

  test.each([
    ['nothing to ask about', 'region: eu-central-1', /^expected one of `instance` and `cluster`/],
    ['a memory of a node', 'region: eu-central-1, cluster: a, memory: 1GiB', /^`memory` needs `instance`/],
    ['a look more often than there are points', 'region: eu-central-1, cluster: a, every: 30s', /^expected at least `1m`/],
    ['a place that is no region', 'region: Frankfurt, instance: a', /^expected a region such as `eu-central-1`/],
  ])('of CloudWatch: %s', (_, words, expected) => {
    expect(wrong(`monitors: {rds: {kind: cloudwatch, ${words}}}`)).toEqual([expect.stringMatching(expected)]);
  });

  test('of CloudWatch ends no load: what is quicker has to be named', () => {
    const rds = 'rds: {kind: cloudwatch, region: eu-central-1, instance: a}';
    const rule = (when: string, more = '') => wrong(`monitors: {${rds}${more}}\nabort: [{when: ${when} > 90%, for: 10m}]`);
    expect(rule('cpu')).toEqual(['`rds` reports `cpu` minutes later: no rule can end the load by it']);
    expect(rule('cpu', ', app: {kind: host, here: true}')).toEqual([expect.stringMatching(/; expected `app\.cpu`$/)]);
    expect(rule('app.cpu', ', app: {kind: host, here: true}')).toEqual([]);
    expect(rule('rds.cpu', ', app: {kind: host, here: true}')).toHaveLength(1);
  });

  test('of CloudWatch says in the plan how many points a run gets, and where they are too few', () => {
    const planned = (duration: string) => {
      const rds = 'monitors: {rds: {kind: cloudwatch, region: eu-central-1, instance: shop}}\ncritical: {cpu: < 80%}';
      const plan = planHere(load({ 'test.yaml': head.replace('1m', duration) + rds }));
      const [monitor] = plan.monitors;
      if (monitor === undefined) throw new Error('the plan has no monitor');
      return { said: monitorInWords(monitor, plan.load?.duration), warned: plan.warnings.map(planWarningText), plan };
    };
    const long = planned('10m');
    expect(long.said).toBe(
      'rds: cloudwatch, shop on monitoring.eu-central-1.amazonaws.com, every 1m, a point a minute: 9 or 10 in the judged window',
    );
    expect(long.warned).toEqual([]);
    expect(long.plan.beyondLoopback).toEqual(['monitoring.eu-central-1.amazonaws.com']);
    expect(planned('4m').warned).toEqual([]);
    expect(planned('3m59s').warned).toEqual([expect.stringMatching(/^cpu < 80% may have no data: .* gets 2 or 3, and 3 are needed/)]);
    expect(planned('2m').warned).toEqual([expect.stringMatching(/^cpu < 80% will have no data/)]);
  });

  test('by ssh has its hosts in the plan', () => {
    const plan = planHere(
      load({ 'test.yaml': `${head}monitors: {app: {kind: host, ssh: [app-1.example.com, "ops@app-2.example.com:22"]}}` }),
    );
    expect(plan.beyondLoopback).toEqual(['app-1.example.com', 'app-2.example.com']);
  });

  test('is known by its file and line', () => {
    const { monitorsAt } = load(
      {
        'base.yaml': `${head}monitors:\n  db: {kind: postgres, store: db}\n`,
        'test.yaml': 'extends: base.yaml\nmonitors:\n\n  app:\n    kind: host\n    here: true\n',
      },
      { set: ['monitors.far={kind: host, here: true}'] },
    );
    expect(monitorsAt).toEqual({
      db: 'profiles/base.yaml:5',
      app: 'profiles/test.yaml:4',
      far: '--set monitors.far={kind: host, here: true}',
    });
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
