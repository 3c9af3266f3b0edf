import { describe, expect, it } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { percentileLevel, summaryTrendStats } from '../../src/metrics/quantile-grid.js';
import { parseRunnerSummary } from '../../src/metrics/runner-summary.js';

const root = { name: '', path: '', id: 'd41d8cd98f00b204e9800998ecf8427e', groups: {}, checks: {} };
const trend = { count: 3, min: 1, max: 4, avg: 2, med: 1, 'p(90)': 3.4, 'p(5)': 1, 'p(99.90)': 3.9 };

function metric(shape: unknown, key = 'own_metric', others: Record<string, unknown> = {}) {
  return parseRunnerSummary({ metrics: { [key]: shape, ...others }, root_group: root }).metrics[key];
}

describe("a runner's summary export", () => {
  it.each([
    ['a counter', { count: 20, rate: 4.5 }, { type: 'counter', contains: 'default', count: 20 }],
    ['a counter without samples', { count: 0, rate: 0 }, { type: 'counter', contains: 'default', count: 0 }],
    ['an infinite counter', { count: null, rate: null }, { type: 'counter', contains: 'default' }],
    [
      'a rate',
      { fails: 6, passes: 4, value: 0.4, thresholds: { 'rate>0.1': false } },
      { type: 'rate', contains: 'default', passes: 4, fails: 6 },
    ],
    ['a gauge', { value: 9, min: 0, max: 9 }, { type: 'gauge', contains: 'default', empty: false, value: 9, min: 0, max: 9 }],
    [
      'a gauge that was always zero',
      { value: 0, min: 0, max: 0 },
      { type: 'gauge', contains: 'default', empty: false, value: 0, min: 0, max: 0 },
    ],
    [
      'a gauge that only a threshold made',
      { value: 0, min: 0, max: 0, thresholds: { 'value<1': false } },
      { type: 'gauge', contains: 'default', empty: true },
    ],
    ['an infinite gauge', { value: 1, min: 1, max: null }, { type: 'gauge', contains: 'default', empty: false, value: 1, min: 1 }],
    [
      'a trend',
      trend,
      {
        type: 'trend',
        contains: 'default',
        avg: 2,
        grid: { count: 3, min: 1, max: 4, levels: [5, 50, 90, 99.9], values: [1, 1, 3.4, 3.9] },
      },
    ],
    [
      'a trend without samples',
      { ...trend, count: 0, min: 0, max: 0, avg: 0 },
      { type: 'trend', contains: 'default', grid: { count: 0, levels: [], values: [] } },
    ],
    [
      'a trend with infinity',
      { ...trend, max: null, avg: null, 'p(99.90)': null },
      { type: 'trend', contains: 'default', grid: { count: 3, min: 1, levels: [5, 50, 90], values: [1, 1, 3.4] } },
    ],
  ])('reads %s', (_, shape, expected) => {
    expect(metric(shape)).toEqual(expected);
  });

  it('takes zeros of a gauge above a sub-metric that a threshold made as no data', () => {
    const sub = { 'depth{kind:a}': { value: 3, min: 3, max: 3, thresholds: { 'value<9': false } } };
    expect(metric({ value: 0, min: 0, max: 0 }, 'depth', sub)).toMatchObject({ empty: true });
  });

  it.each([
    ['http_req_duration', 'time'],
    ['http_req_duration{name:GET /events,part:steady}', 'time'],
    ['own_time', 'time'],
    ['own_time{a:b}', 'time'],
    ['own_trend', 'default'],
  ])('knows what %s contains', (key, contains) => {
    const summary = parseRunnerSummary(
      { metrics: { [key]: trend, data_sent: { count: 1, rate: 1 } }, root_group: root },
      { own_time: 'time' },
    );
    expect(summary.metrics[key]?.contains).toBe(contains);
    expect(summary.metrics.data_sent?.contains).toBe('data');
  });

  it('reads groups and checks in their order', () => {
    const check = { name: 'c', path: '::g::c', id: '1', passes: 2, fails: 1 };
    const inner = { name: 'g', path: '::g', id: '2', groups: {}, checks: { c: check } };
    const { rootGroup } = parseRunnerSummary({ metrics: {}, root_group: { ...root, groups: { g: inner } } });
    expect(rootGroup).toEqual({ ...root, groups: [{ ...inner, groups: [], checks: [check] }], checks: [] });
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['no metrics', { root_group: root }],
    ['no groups', { metrics: {} }],
    ['a metric of no kind', { metrics: { aa: { foo: 1 } }, root_group: root }],
    ['a metric that is a number', { metrics: { aa: 1 }, root_group: root }],
    ['a trend without a grid', { metrics: { aa: { avg: 1, min: 1, med: 1, max: 1, 'p(90)': 1 } }, root_group: root }],
    ['a trend with one column less', { metrics: { aa: trend, bb: { ...trend, 'p(5)': undefined } }, root_group: root }],
    ['a text for a number', { metrics: { aa: { count: '1', rate: 1 } }, root_group: root }],
    ['a negative count of passes', { metrics: { aa: { passes: -1, fails: 1, value: 1 } }, root_group: root }],
  ])('refuses %s', (_, json) => {
    expect(() => parseRunnerSummary(json)).toThrow(LoadctlError);
    expect(() => parseRunnerSummary(json)).toThrow(/cannot be read/);
  });
});

describe('the stats that k6 is asked for', () => {
  it('are the grid, what goes beside it, and the percentiles of thresholds as written', () => {
    const stats = summaryTrendStats(['p(99.90)', 'p(95)', 'med', 'rate', 'p(99.95)']);
    expect(stats.slice(0, 6)).toEqual(['count', 'min', 'max', 'avg', 'med', 'p(0.1)']);
    expect(stats).toHaveLength(5 + 990 + 99 + 9 + 1);
    expect(stats.at(-1)).toBe('p(99.90)');
    expect(new Set(stats).size).toBe(stats.length);
    for (const stat of ['p(0.3)', 'p(50)', 'p(99)', 'p(99.01)', 'p(99.99)', 'p(99.991)', 'p(99.999)']) expect(stats).toContain(stat);
  });

  it.each([
    ['med', 50],
    ['p(95)', 95],
    ['p(99.90)', 99.9],
    ['p(1e1)', 10],
    ['p(101)', undefined],
    ['avg', undefined],
    ['p()', undefined],
  ])('%s is the level %s', (stat, level) => expect(percentileLevel(stat)).toBe(level));
});
