import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import { measuredNumbers } from '../../src/metrics/endpoint-numbers.js';
import { judge } from '../../src/metrics/judge.js';
import { metricIdentity, subMetricKey, tagsIn } from '../../src/metrics/metric-key.js';
import { parseRunnerSummary } from '../../src/metrics/runner-summary.js';
import { shortfalls } from '../../src/metrics/shortfall.js';
import type { FailedRequests, Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { runId } from '../support/ids.js';
import { mergeRunnerSummaries } from '../support/merged.js';

const metric = (type: SummaryMetric['type'], values: Record<string, number>): SummaryMetric => ({
  type,
  contains: 'default',
  values,
  bounds: {},
});
const rate = (passes: number, fails: number) => metric('rate', { rate: passes / (passes + fails), passes, fails });
const counter = (count: number) => metric('counter', { count, rate: count / 10 });
const time = (p95: number): SummaryMetric => ({ ...metric('trend', { count: 9, 'p(95)': p95 }), contains: 'time' });

const checks = [
  { name: 'is teapot', path: '::is teapot', id: '1', passes: 0, fails: 6 },
  { name: 'is there', path: '::is there', id: '2', passes: 6, fails: 0 },
];
const summaryOf = (metrics: Record<string, SummaryMetric>, failed: readonly FailedRequests[] = []): Summary => ({
  version: 1,
  run: runId('r'),
  k6Version: '2.2.0',
  durationMs: 10_000,
  runners: 1,
  metrics: { iterations: counter(185), ...metrics },
  rootGroup: { name: '', path: '', id: '', groups: [{ name: 'g', path: '::g', id: '3', groups: [], checks }], checks: [] },
  ...(failed.length === 0 ? {} : { failed }),
});
const limit = (name: string, key: string, stat: string, rest: Pick<Criterion, 'operator' | 'limit' | 'unit'>): Criterion => ({
  name,
  source: 'client',
  metric: key,
  stat,
  window: 'test',
  ...rest,
});
const errors = limit('errors', 'http_req_failed', 'rate', { operator: '<', limit: 0.01, unit: '%' });
const p95 = limit('p95', 'http_req_duration', 'p(95)', { operator: '<', limit: 500, unit: 'ms' });
const verdictOf = (criteria: readonly Criterion[], summary: Summary) =>
  judge(criteria, {
    run: runId('r'),
    summary,
    probes: undefined,
    windowMs: 10_000,
    tagged: false,
    windows: { steady: 'whole test', test: 'whole test' },
    faults: [],
    shortfalls: [],
    interruption: undefined,
  });

describe('a reason', () => {
  const notFound = [{ name: 'GET /', status: 404, count: 185 }];

  test('names status codes and the worst endpoint', () => {
    const summary = summaryOf({ http_req_failed: rate(185, 0), http_reqs: counter(185) }, notFound);
    expect(verdictOf([errors], summary).reasons).toEqual(['errors 100% (limit < 1%): GET / answered 404 ×185.']);
  });

  test('names no more than three kinds of failed requests, and those of its own endpoint only', () => {
    const failed = ['a', 'b', 'c', 'd'].map((name, index) => ({ name, status: index * 100 + 300, count: 2000 - index }));
    const summary = summaryOf({ http_req_failed: rate(8, 1), 'http_req_failed{name:b}': rate(8, 1) }, [
      { name: 'z', status: 0, count: 9000 },
      ...failed,
    ]);
    const ofB = { ...errors, name: 'errors of b', metric: 'http_req_failed{name:b}' };
    expect(verdictOf([errors, ofB], summary).reasons).toEqual([
      'errors 88.89% (limit < 1%): z got no response ×9,000, a answered 300 ×2,000, b answered 400 ×1,999, and 2 more.',
      'errors of b 88.89% (limit < 1%): b answered 400 ×1,999.',
    ]);
  });

  test('names the slowest endpoint, where there are several, and checks that failed', () => {
    const metrics = { http_req_duration: time(612), 'http_req_duration{name:/slow}': time(900), 'http_req_duration{name:/quick}': time(3) };
    const ofChecks = limit('checks', 'checks', 'rate', { operator: '>', limit: 0.9, unit: '%' });
    expect(verdictOf([p95, ofChecks], summaryOf({ ...metrics, checks: rate(6, 6) })).reasons).toEqual([
      'p95 612 ms (limit < 500 ms): worst /slow, 900 ms.',
      'checks 50% (limit > 90%): "is teapot" failed 6 of 6.',
    ]);
  });

  test('comes first where all requests failed and no limit looks at errors; the verdict stays', () => {
    const summary = summaryOf({ http_req_failed: rate(185, 0), http_req_duration: time(3) }, notFound);
    expect(verdictOf([p95], summary)).toMatchObject({
      verdict: 'pass',
      reasons: ['All 185 requests failed (GET / answered 404 ×185), and no limit looks at errors.'],
    });
    expect(verdictOf([p95], summaryOf({ http_req_failed: rate(184, 1), http_req_duration: time(3) })).reasons).toEqual([]);
    expect(verdictOf([], summary).reasons[0]).toContain('All 185 requests failed');
    const own = { my_errors: rate(185, 0), never: rate(0, 0), hits: counter(0), http_errors: counter(185) };
    const [looking, blind] = [
      ['my_errors', 'http_errors', 'checks'],
      ['never', 'hits', 'iterations'],
    ];
    const said = (metric: string) => {
      const metrics = { http_req_failed: rate(185, 0), iterations: counter(185), checks: rate(0, 185), ...own };
      const criterion = limit(metric, metric, metric === 'iterations' ? 'count' : 'rate', { operator: '<', limit: 0.1, unit: '%' });
      return verdictOf([criterion], summaryOf(metrics, notFound)).reasons.some((reason) => reason.includes('no limit looks at errors'));
    };
    expect(looking.map(said)).toEqual([false, false, false]);
    expect(blind.map(said)).toEqual([true, true, true]);
  });
});

describe('iterations that were never begun', () => {
  const dropped = { dropped_iterations: counter(50), 'dropped_iterations{scenario:b}': counter(50) };
  test.each([
    ['constant-arrival-rate', 'raise maxVUs of the scenario b'],
    ['ramping-arrival-rate', 'raise maxVUs of the scenario b'],
    ['shared-iterations', 'raise maxDuration of the scenario b'],
    ['per-vu-iterations', 'raise maxDuration of the scenario b'],
  ])('of a %s: %s', (executor, advice) => {
    const scenarios = [
      { name: 'a', executor: 'constant-arrival-rate' },
      { name: 'b', executor },
    ];
    expect(shortfalls(undefined, summaryOf(dropped), scenarios).map((one) => one.advice)).toEqual([advice]);
  });
});

test('checks, dropped iterations, scenarios and own metrics are told without a limit', () => {
  const metrics = {
    checks: rate(6, 6),
    dropped_iterations: counter(12),
    'dropped_iterations{scenario:b}': counter(12),
    'iterations{scenario:a}': counter(100),
    'iterations{scenario:b}': counter(85),
    'http_reqs{scenario:a}': counter(10),
    'http_req_failed{scenario:a}': rate(1, 9),
    'http_req_duration{scenario:a}': time(20),
    bought: counter(30),
    'bought{kind:odd}': counter(3),
    never: metric('rate', { passes: 0, fails: 0 }),
    grpc_req_duration: time(3),
    loadctl_begin: metric('gauge', { value: 3 }),
  };
  expect(measuredNumbers(summaryOf(metrics)).script).toEqual({
    checks: { passes: 6, fails: 6, failing: [{ name: 'is teapot', path: '::is teapot', passes: 0, fails: 6 }] },
    droppedIterations: 12,
    scenarios: [
      { name: 'a', iterations: 100, iterationsPerSecond: 10, requests: 10, errors: 0.1, p95: 20 },
      { name: 'b', iterations: 85, iterationsPerSecond: 8.5, requests: 0, dropped: 12 },
    ],
    metrics: [{ name: 'bought', type: 'counter', contains: 'default', values: { count: 30, rate: 3 } }],
  });
});

describe('the key of a sub-metric', () => {
  test.each(['a,b', 'say "hi"', 'a:b,c:d', ' lead', '"', "'quoted'", 'back\\slash', 'a{b}', 'plain'])('gives %j back', (name) => {
    expect(tagsIn(subMetricKey('http_reqs', { name, part: 'steady' }))).toEqual({ name, part: 'steady' });
  });

  test('gives any value back, and another one for another value', () => {
    const value = fc.string({ minLength: 1, unit: fc.constantFrom(...'ab,:"\\{} \'') });
    fc.assert(
      fc.property(value, (name) => {
        expect(tagsIn(subMetricKey('http_reqs', { name }))).toEqual({ name });
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(value, value, (one, other) => {
        fc.pre(one !== other);
        expect(metricIdentity(subMetricKey('aa', { name: one }))).not.toBe(metricIdentity(subMetricKey('aa', { name: other })));
      }),
    );
  });
});

test('percentiles, their bounds and averages lie within min and max', () => {
  const grid = { 'p(75)': 100, 'p(90)': 100, 'p(95)': 100, 'p(99)': 100, med: 50.5 };
  const trend = (shape: Record<string, number>) =>
    parseRunnerSummary({ metrics: { price: shape }, root_group: { name: '', path: '', id: '', groups: {}, checks: {} } });
  const runners = [40, 40, 40].map((count) => trend({ count, min: 1, max: 100, avg: 50.5, ...grid }));
  const merged = mergeRunnerSummaries(runners, { durationMs: 1000 }).metrics.price;
  for (const stat of ['p(75)', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)'])
    expect([merged?.values[stat], merged?.bounds[stat]?.[1]].every((value) => value !== undefined && value <= 100)).toBe(true);

  const same = [120, 7, 13].map((count) => trend({ count, min: 0.3, max: 0.3, avg: 0.3, med: 0.3, 'p(95)': 0.3 }));
  expect(mergeRunnerSummaries(same, { durationMs: 1000 }).metrics.price?.values.avg).toBe(0.3);
});
