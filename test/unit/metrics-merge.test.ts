import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { percentileLevel, summaryTrendStats } from '../../src/metrics/quantile-grid.js';
import { parseRunnerSummary, type RunnerSummary } from '../../src/metrics/runner-summary.js';
import { mergeRunnerSummaries } from '../support/merged.js';

const rootId = 'd41d8cd98f00b204e9800998ecf8427e';

function quantile(sorted: readonly number[], level: number): number {
  const h = (level / 100) * (sorted.length - 1);
  const [j = 0, k = 0] = [sorted[Math.floor(h)], sorted[Math.ceil(h)]];
  return j + (k - j) * (h - Math.floor(h));
}

const stats = summaryTrendStats();

/** A trend as k6 exports it. */
function trendShape(samples: readonly number[]): Record<string, number> {
  const sorted = samples.toSorted((a, b) => a - b);
  const simple: Record<string, number> = {
    count: sorted.length,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    avg: sorted.length > 0 ? samples.reduce((a, b) => a + b, 0) / sorted.length : 0,
  };
  return Object.fromEntries(stats.map((stat) => [stat, simple[stat] ?? quantile(sorted, percentileLevel(stat) ?? 0)]));
}

interface Made {
  readonly trend: readonly number[];
  readonly count: number;
  readonly passes: number;
  readonly fails: number;
  readonly gauge?: number | undefined;
  readonly vus: number;
  readonly checks: readonly string[];
}

const nothing: Made = { trend: [], count: 0, passes: 0, fails: 0, vus: 0, checks: [] };

function runner(made: Partial<Made>): RunnerSummary {
  const { trend, count, passes, fails, gauge, vus, checks } = { ...nothing, ...made };
  const metrics = {
    http_req_duration: trendShape(trend),
    http_reqs: { count, rate: count },
    http_req_failed: { passes, fails, value: 0 },
    ...(gauge === undefined ? {} : { depth: { value: gauge, min: gauge - 1, max: gauge + 1 } }),
    vus: { value: vus, min: vus, max: vus },
  };
  const all = checks.map((name) => [name, { name, path: `::${name}`, id: name, passes: 1, fails: 2 }] as const);
  return parseRunnerSummary({ metrics, root_group: { name: '', path: '', id: rootId, groups: {}, checks: Object.fromEntries(all) } });
}

const options = { durationMs: 10_000, percentiles: ['p(99.90)'] };

describe('the merged numbers of a fleet', () => {
  it('add counters up, over the duration of the fleet', () => {
    const { metrics } = mergeRunnerSummaries([runner({ count: 30 }), runner({ count: 70 }), runner({})], options);
    expect(metrics.http_reqs).toEqual({ type: 'counter', contains: 'default', values: { count: 100, rate: 10 }, bounds: {} });
  });

  it('add both sides of a rate up; a rate without samples has none', () => {
    const failed = (...made: Partial<Made>[]) => mergeRunnerSummaries(made.map(runner), options).metrics.http_req_failed?.values;
    expect(failed({ passes: 1, fails: 9 }, { passes: 5, fails: 985 }, {})).toEqual({ rate: 0.006, passes: 6, fails: 994 });
    expect(failed({}, {})).toEqual({ passes: 0, fails: 0 });
  });

  it('add up VUs; of another gauge they keep the ends, and the largest last value with its bounds', () => {
    const { metrics } = mergeRunnerSummaries([runner({ vus: 10, gauge: 5 }), runner({ vus: 20, gauge: 2 }), runner({})], options);
    expect(metrics.vus?.values).toEqual({ value: 30, min: 30, max: 30 });
    expect(metrics.depth).toEqual({ type: 'gauge', contains: 'default', values: { value: 5, min: 1, max: 6 }, bounds: { value: [2, 5] } });
  });

  it('weigh averages by their counts and keep the ends of trends', () => {
    const { metrics } = mergeRunnerSummaries([runner({ trend: [1, 2, 3] }), runner({ trend: [11] }), runner({})], options);
    expect(metrics.http_req_duration?.values).toMatchObject({ count: 4, avg: 4.25, min: 1, max: 11 });
    expect(metrics.http_req_duration?.contains).toBe('time');
  });

  it('are those of the one runner that there is, exactly', () => {
    const trend = [3.1, 4.7, 9.2, 1.05, 7.7];
    const { values = {}, bounds = {} } = mergeRunnerSummaries([runner({ trend }), runner({})], options).metrics.http_req_duration ?? {};
    const shape = trendShape(trend);
    for (const stat of ['count', 'avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)']) expect(values[stat]).toBe(shape[stat]);
    expect(values['p(99.90)']).toBe(shape['p(99.9)']);
    expect(bounds.med).toEqual([values.med, values.med]);
    expect(Object.keys(values)).toEqual([
      'count',
      'avg',
      'min',
      'med',
      'max',
      'p(50)',
      'p(75)',
      'p(90)',
      'p(95)',
      'p(99)',
      'p(99.9)',
      'p(99.90)',
    ]);
  });

  it('leave out what has no samples', () => {
    expect(mergeRunnerSummaries([runner({}), runner({})], options).metrics.http_req_duration).toEqual({
      type: 'trend',
      contains: 'time',
      values: { count: 0 },
      bounds: {},
    });
    expect(mergeRunnerSummaries([], options)).toEqual({
      metrics: {},
      rootGroup: { name: '', path: '', id: rootId, groups: [], checks: [] },
    });
  });

  it('leave out what a runner measured as infinite', () => {
    const endless = parseRunnerSummary({
      metrics: {
        http_req_duration: { ...trendShape([1, 2]), max: null, avg: null, 'p(99.9)': null },
        http_reqs: { count: null, rate: null },
      },
      root_group: { name: '', path: '', id: rootId, groups: {}, checks: {} },
    });
    const { metrics } = mergeRunnerSummaries([endless, runner({ trend: [5, 6], count: 3 })], options);
    expect(metrics.http_req_duration?.values).toMatchObject({ count: 4, min: 1 });
    for (const stat of ['max', 'avg']) expect(metrics.http_req_duration?.values).not.toHaveProperty(stat);
    expect(metrics.http_reqs?.values).toEqual({});
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });

  it('are one metric where runners spell a sub-metric differently', () => {
    const spelled = (key: string): RunnerSummary => ({
      ...runner({}),
      metrics: { [key]: { type: 'counter', contains: 'default', count: 1 } },
    });
    const { metrics } = mergeRunnerSummaries(
      [spelled('http_reqs{part:steady,name:a}'), spelled('http_reqs{ name:"a" , part:steady}')],
      options,
    );
    expect(Object.values(metrics).map(({ values }) => values.count)).toEqual([2]);
  });

  it('add up checks by path, in the order of the script', () => {
    const { rootGroup } = mergeRunnerSummaries(
      [runner({ checks: ['b', 'c'] }), runner({ checks: ['b', 'a'] }), runner({ checks: ['z', 'c'] })],
      options,
    );
    expect(rootGroup.checks.map(({ name, passes, fails }) => [name, passes, fails])).toEqual([
      ['b', 2, 4],
      ['z', 1, 2],
      ['a', 1, 2],
      ['c', 2, 4],
    ]);
  });

  it('refuse a metric that is a counter here and a rate there', () => {
    const rate: RunnerSummary = { ...runner({}), metrics: { http_reqs: { type: 'rate', contains: 'default', passes: 1, fails: 0 } } };
    expect(() => mergeRunnerSummaries([runner({ count: 1 }), rate], options)).toThrow(LoadctlError);
  });
});

describe('merging is an algebra', () => {
  const made = fc.record({
    trend: fc.array(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((sample) => sample + 0),
      { maxLength: 20 },
    ),
    count: fc.double({ min: 0, max: 1e6, noNaN: true }),
    passes: fc.nat(1000),
    fails: fc.nat(1000),
    gauge: fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { nil: undefined }),
    vus: fc.nat(100),
    checks: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
  });
  const fleet = fc.array(made, { maxLength: 9 }).map((list) => list.map(runner));
  const read = (runners: readonly RunnerSummary[]) => mergeRunnerSummaries(runners, options);
  const runs = { numRuns: 60 };

  it('of runners in any order', () => {
    const shuffled = fleet.chain((runners) =>
      fc.tuple(fc.constant(runners), fc.shuffledSubarray(runners, { minLength: runners.length, maxLength: runners.length })),
    );
    fc.assert(
      fc.property(shuffled, ([runners, others]) => {
        expect(read(others)).toEqual(read(runners));
      }),
      runs,
    );
  });

  it('in which runners without samples change no value', () => {
    fc.assert(
      fc.property(fleet, (runners) => {
        const { metrics } = read([...runners, runner({ vus: 0 })]);
        for (const [key, metric] of Object.entries(read(runners).metrics)) expect(metrics[key]).toEqual(metric);
      }),
      runs,
    );
  });

  it('whose counts, ends and averages are those of the pooled samples, percentiles inside their bounds', () => {
    fc.assert(
      fc.property(fc.array(made, { minLength: 1, maxLength: 6 }), (all) => {
        const { metrics } = mergeRunnerSummaries(all.map(runner), options);
        const pooled = all.flatMap(({ trend }) => trend).sort((a, b) => a - b);
        const { values = {}, bounds = {} } = metrics.http_req_duration ?? {};
        expect(values.count).toBe(pooled.length);
        if (pooled.length === 0) return;
        expect([values.min, values.max]).toEqual([pooled[0], pooled.at(-1)]);
        expect(values.avg).toBeCloseTo(pooled.reduce((a, b) => a + b, 0) / pooled.length, 5);
        for (const [stat, [low, high]] of Object.entries(bounds)) {
          const truth = quantile(pooled, percentileLevel(stat) ?? Number.NaN);
          expect(low).toBeLessThanOrEqual(truth);
          expect(high).toBeGreaterThanOrEqual(truth);
          expect(values[stat]).toBeGreaterThanOrEqual(low);
          expect(values[stat]).toBeLessThanOrEqual(high);
        }
      }),
      runs,
    );
  });
});
