import { describe, expect, it } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { Evidence } from '../../src/metrics/criterion.js';
import { judge, verdictReason } from '../../src/metrics/judge.js';
import { formatLimit, formatValue } from '../../src/metrics/limit-text.js';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { runId } from '../support/ids.js';

const p95: Criterion = {
  name: 'p95',
  source: 'client',
  metric: 'http_req_duration',
  stat: 'p(95)',
  operator: '<',
  limit: 500,
  unit: 'ms',
  window: 'steady',
};
const availability: Criterion = {
  name: 'availability',
  source: 'client',
  metric: 'availability',
  stat: 'rate',
  operator: '>=',
  limit: 0.999,
  unit: '%',
  window: 'steady',
};
const errors: Criterion = {
  name: 'errors',
  source: 'client',
  metric: 'http_req_failed',
  stat: 'rate',
  operator: '<',
  limit: 0.001,
  unit: '%',
  window: 'steady',
};
const throughput: Criterion = {
  name: 'throughput',
  source: 'client',
  metric: 'http_reqs',
  stat: 'rate',
  operator: '>=',
  limit: 30,
  unit: '/s',
  window: 'steady',
};
const cpu: Criterion = {
  name: 'cpu',
  source: 'server',
  metric: 'cpu',
  stat: 'value',
  operator: '<',
  limit: 0.8,
  unit: '%',
  window: 'steady',
};

const counter = (count: number): SummaryMetric => ({
  type: 'counter',
  contains: 'default',
  values: { count, rate: count / 60 },
  bounds: {},
});
const rate = (passes: number, fails: number): SummaryMetric => ({
  type: 'rate',
  contains: 'default',
  values: { passes, fails, ...(passes + fails > 0 ? { rate: passes / (passes + fails) } : {}) },
  bounds: {},
});
const trend = (value: number, low = value, high = value): SummaryMetric => ({
  type: 'trend',
  contains: 'time',
  values: { count: 100, 'p(95)': value },
  bounds: { 'p(95)': [low, high] },
});

const good: Record<string, SummaryMetric> = {
  iterations: counter(600),
  http_reqs: counter(2400),
  'http_reqs{part:steady}': counter(2000),
  'http_req_failed{part:steady}': rate(1, 1999),
  http_req_duration: trend(900),
  'http_req_duration{part:steady}': trend(123, 122, 124),
};

const summaryOf = (metrics: Record<string, SummaryMetric>): Summary => ({
  version: 1,
  run: runId('r1'),
  k6Version: '2.2.0',
  durationMs: 60_000,
  runners: 2,
  metrics,
  rootGroup: { name: '', path: '', id: '', groups: [], checks: [] },
});

const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
  run: runId('r1'),
  summary: summaryOf(good),
  probes: { good: 1000, total: 1000 },
  windowMs: 50_000,
  tagged: true,
  windows: { steady: 'steady 5s–55s', test: 'whole test 1m' },
  faults: [],
  shortfalls: [],
  interruption: undefined,
  ...changes,
});

const withMetrics = (metrics: Record<string, SummaryMetric>) => evidence({ summary: summaryOf({ ...good, ...metrics }) });
const outcomeOf = (criterion: Criterion, given: Evidence) => judge([criterion], given).criteria[0];

describe('a verdict', () => {
  it('is a pass when every criterion holds in its window', () => {
    const verdict = judge([p95, availability, errors, throughput], evidence());
    expect(verdict).toMatchObject({ version: 1, run: 'r1', verdict: 'pass', reasons: [] });
    expect(verdict.criteria[0]).toEqual({
      name: 'p95',
      source: 'client',
      metric: 'http_req_duration',
      limit: '< 500 ms',
      actual: 123,
      low: 122,
      high: 124,
      unit: 'ms',
      window: 'steady 5s–55s',
      outcome: 'pass',
    });
    expect(verdict.criteria.map(({ actual }) => actual)).toEqual([123, 1, 0.0005, 40]);
  });

  it('is a fail with the reason in words', () => {
    expect(judge([p95, throughput], withMetrics({ 'http_req_duration{part:steady}': trend(612) }))).toMatchObject({
      verdict: 'fail',
      reasons: ['p95 612 ms (limit < 500 ms).'],
    });
  });

  it('is a fail where the limit lies inside the bounds, and says so', () => {
    const verdict = judge([p95], withMetrics({ 'http_req_duration{part:steady}': trend(499, 490, 510) }));
    expect(verdict).toMatchObject({ verdict: 'fail', criteria: [{ outcome: 'undecided', actual: 499, low: 490, high: 510 }] });
    expect(verdict.reasons).toEqual(['p95 lies between 490 ms and 510 ms, limit < 500 ms: undecided; counts as a failure.']);
  });

  it('is a fail without data, of which kind ever', () => {
    const none: Evidence = withMetrics({
      'http_req_duration{part:steady}': { type: 'trend', contains: 'time', values: { count: 0 }, bounds: {} },
      'http_req_failed{part:steady}': rate(0, 0),
    });
    const verdict = judge([p95, errors, { ...p95, metric: 'nobody' }, { ...p95, stat: 'p(12)' }], none);
    expect(verdict.verdict).toBe('fail');
    expect(verdict.criteria.map(({ outcome, actual, low, high }) => [outcome, actual, low, high])).toEqual(
      Array(4).fill(['no-data', null, null, null]),
    );
    expect(verdict.reasons[0]).toBe('p95 has no data (limit < 500 ms): no data is never a pass.');
  });

  it('is not changed by limits that no monitor measures; they are said', () => {
    const verdict = judge([p95, cpu], evidence());
    expect(verdict).toMatchObject({ verdict: 'pass', reasons: ['cpu was not measured: no monitor gives it (limit < 80%).'] });
    expect(verdict.criteria[1]).toMatchObject({ outcome: 'not-measured', actual: null });
  });

  it('is invalid with a fault, and still lists what failed', () => {
    const bad = { ...withMetrics({ 'http_req_duration{part:steady}': trend(612) }), faults: ['Runner 2 was lost.'] };
    expect(judge([p95], bad)).toMatchObject({ verdict: 'invalid', reasons: ['Runner 2 was lost.', 'p95 612 ms (limit < 500 ms).'] });
  });

  it('is invalid for want of load only while the target kept its limits; a fail stays one', () => {
    const shortfalls = [{ what: '12% were never begun', advice: 'raise workload.vus' }];
    expect(judge([p95], evidence({ shortfalls }))).toMatchObject({
      verdict: 'invalid',
      reasons: [
        'Not all of the planned load was made, while the target was within its limits: 12% were never begun. To fix it, raise workload.vus.',
      ],
    });
    const slow = { ...withMetrics({ 'http_req_duration{part:steady}': trend(612) }), shortfalls };
    expect(judge([p95], slow)).toMatchObject({
      verdict: 'fail',
      reasons: ['p95 612 ms (limit < 500 ms).', 'Not all of the planned load was made: 12% were never begun.'],
    });
  });

  it('is interrupted before anything else', () => {
    const verdict = judge([p95], evidence({ summary: undefined, faults: ['Runner 2 was lost.'], interruption: 'Ctrl-C' }));
    expect(verdict).toMatchObject({ verdict: 'interrupted', criteria: [{ outcome: 'no-data' }] });
    expect(verdict.reasons.slice(0, 2)).toEqual(['Ctrl-C', 'Runner 2 was lost.']);
  });

  it('is invalid where a run came to its end without numbers or without load', () => {
    expect(judge([], evidence({ summary: undefined }))).toMatchObject({ verdict: 'invalid' });
    const idle = summaryOf({
      iterations: counter(0),
      data_sent: counter(5),
      vus: { type: 'gauge', contains: 'default', values: { value: 1 }, bounds: {} },
    });
    const criterion: Criterion = { ...throughput, metric: 'own_errors', stat: 'count', operator: '<', limit: 1, window: 'test' };
    const verdict = judge([criterion], evidence({ summary: { ...idle, metrics: { ...idle.metrics, own_errors: counter(0) } } }));
    expect(verdict).toMatchObject({ verdict: 'invalid', criteria: [{ outcome: 'no-data' }] });
  });

  it('passes without criteria, and says that nothing was judged', () => {
    expect(judge([], evidence())).toMatchObject({ verdict: 'pass', reasons: [expect.stringContaining('Nothing was judged')] });
  });

  it.each([
    ['pass', 'pass'],
    ['fail', 'sla-failed'],
    ['invalid', 'result-invalid'],
    ['interrupted', 'interrupted'],
  ] as const)('%s ends as %s', (verdict, reason) => {
    expect(verdictReason({ verdict })).toBe(reason);
  });
});

describe('a criterion', () => {
  it('of the whole test reads the whole test', () => {
    expect(outcomeOf({ ...p95, window: 'test' }, evidence())).toMatchObject({ actual: 900, outcome: 'fail', window: 'whole test 1m' });
    expect(outcomeOf({ ...throughput, window: 'test' }, evidence())).toMatchObject({ actual: 40 });
  });

  it('of one endpoint reads its part of the window', () => {
    const metric = 'http_req_duration{name:GET /events}';
    expect(outcomeOf({ ...p95, metric }, withMetrics({ 'http_req_duration{name:GET /events,part:steady}': trend(7) }))).toMatchObject({
      actual: 7,
      metric,
    });
  });

  it('of a test in which nothing is told apart reads the whole test', () => {
    const given = { ...evidence({ summary: summaryOf({ ...good, http_req_failed: rate(1, 9) }) }), tagged: false, probes: undefined };
    expect(outcomeOf(p95, given)).toMatchObject({ actual: 900, outcome: 'fail', window: 'steady 5s–55s' });
    expect(outcomeOf(availability, given)).toMatchObject({ actual: 0.9 });
  });

  it('of what k6 counts outside of iterations reads the whole test', () => {
    const dropped: Criterion = {
      ...throughput,
      name: 'dropped',
      metric: 'dropped_iterations',
      stat: 'count',
      operator: '<',
      limit: 1,
      unit: '',
    };
    const given = withMetrics({ dropped_iterations: counter(7), 'dropped_iterations{part:steady}': counter(0) });
    expect(outcomeOf(dropped, given)).toMatchObject({ actual: 7, outcome: 'fail', window: 'whole test 1m' });
    expect(outcomeOf({ ...dropped, stat: 'rate' }, given)).toMatchObject({ actual: 7 / 60 });
  });

  it('takes a counter that was never added to as a measured zero', () => {
    const none: Criterion = { ...throughput, metric: 'own_errors', stat: 'count', operator: '<', limit: 1, unit: '', window: 'test' };
    expect(outcomeOf(none, withMetrics({ own_errors: counter(0) }))).toMatchObject({ actual: 0, outcome: 'pass' });
  });

  it('availability is the share of good probes, exact at its limit', () => {
    expect(outcomeOf(availability, evidence({ probes: { good: 999, total: 1000 } }))).toMatchObject({ actual: 0.999, outcome: 'pass' });
    expect(judge([availability], evidence({ probes: { good: 59, total: 60 } })).reasons).toEqual(['availability 98.33% (limit >= 99.9%).']);
    expect(outcomeOf(availability, evidence({ probes: { good: 0, total: 0 } }))).toMatchObject({ outcome: 'no-data' });
  });

  it('availability without a health endpoint is the share of good requests of the window', () => {
    const given = { ...withMetrics({ 'http_req_failed{part:steady}': rate(1, 999) }), probes: undefined };
    expect(outcomeOf(availability, given)).toMatchObject({ actual: 0.999, outcome: 'pass' });
    expect(outcomeOf(availability, { ...given, summary: summaryOf({ iterations: counter(1) }) })).toMatchObject({ outcome: 'no-data' });
  });

  it('throughput has no value in a window without length', () => {
    expect(outcomeOf(throughput, evidence({ windowMs: 0 }))).toMatchObject({ outcome: 'no-data' });
  });
});

describe('values in words', () => {
  it.each([
    [612.34, 'ms', undefined, '612 ms'],
    [61.237, 'ms', undefined, '61.24 ms'],
    [0.01234, 'ms', undefined, '0.0123 ms'],
    [499.9996, 'ms', 500, '499.9996 ms'],
    [500, 'ms', 500, '500 ms'],
    [0.999, '%', undefined, '99.9%'],
    [0.99999, '%', undefined, '99.999%'],
    [1, '%', undefined, '100%'],
    [0.0000001, '%', undefined, '0.00001%'],
    [30_000, '/s', undefined, '30,000/s'],
    [1234, 'B', undefined, '1,234 B'],
    [7, '', undefined, '7'],
  ] as const)('%d %s beside %s is %s', (value, unit, limit, text) => expect(formatValue(value, unit, limit)).toBe(text));

  it('limits carry their operator', () => expect(formatLimit(throughput)).toBe('>= 30/s'));
});
