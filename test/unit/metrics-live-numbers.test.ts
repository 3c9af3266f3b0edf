import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { readTotal, totalSince } from '../../src/metrics/live-total.js';
import { addHistograms, bucketsOf, emptyHistogram, histogramSince, type NativeHistogram } from '../../src/metrics/native-histogram.js';
import { poolGrids } from '../../src/metrics/pooled-bounds.js';
import type { PushedSeries } from '../../src/metrics/series.js';

type Tags = Record<string, string>;

const counter = (name: string, value: number, tags: Tags = {}): PushedSeries => ({
  labels: { name: `${name}_total`, tags },
  value,
});
const rate = (name: string, value: number, tags: Tags = {}): PushedSeries => ({
  labels: { name: `${name}_rate`, tags },
  value,
});
const gauge = (name: string, value: number, tags: Tags = {}): PushedSeries => ({ labels: { name, tags }, value });
const times = (name: string, samples: readonly number[], tags: Tags = {}): PushedSeries => ({
  labels: { name: `${name}_seconds`, tags },
  histogram: histogramOf(samples.map((ms) => ms / 1000)),
});

/** A native histogram as Go's client makes it: schema 3, bucket i above 2^((i−1)/8) and at most 2^(i/8). */
function histogramOf(samples: readonly number[]): NativeHistogram {
  const [positive, negative] = [new Map<number, number>(), new Map<number, number>()];
  for (const sample of samples.filter((value) => value !== 0)) {
    const buckets = sample > 0 ? positive : negative;
    const index = indexOf(Math.abs(sample));
    buckets.set(index, (buckets.get(index) ?? 0) + 1);
  }
  const sum = samples.reduce((total, sample) => total + sample, 0);
  return { count: samples.length, sum, zeroCount: samples.filter((value) => value === 0).length, positive, negative };
}

function indexOf(size: number): number {
  const near = Math.ceil(Math.log2(size) * 8);
  return [near - 1, near, near + 1].find((index) => size <= 2 ** (index / 8)) ?? near;
}

/** k6's own percentile. */
function quantile(samples: readonly number[], level: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (level / 100) * (sorted.length - 1);
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

const sample = fc.oneof(fc.double({ min: 0.001, max: 60_000, noNaN: true }), fc.constantFrom(0, -3, 5, 5, 12.5));
const span = { low: 10, high: 10 };
const count = (numbers: ReturnType<typeof liveNumbers>, key: string) => {
  const total = numbers.total(key);
  return total?.kind === 'counter' ? total.count : undefined;
};

describe('histograms are an algebra', () => {
  const histogram = fc.array(sample, { maxLength: 30 }).map(histogramOf);
  const shape = ({ count: all, zeroCount, positive, negative }: NativeHistogram) => ({
    count: all,
    zeroCount,
    positive: new Map([...positive].sort()),
    negative: new Map([...negative].sort()),
  });

  test('adding is associative and commutative, and nothing is nothing', () => {
    fc.assert(
      fc.property(histogram, histogram, histogram, (a, b, c) => {
        expect(shape(addHistograms([addHistograms([a, b]), c]))).toEqual(shape(addHistograms([a, addHistograms([b, c])])));
        expect(shape(addHistograms([a, b]))).toEqual(shape(addHistograms([b, a])));
        expect(shape(addHistograms([a, emptyHistogram]))).toEqual(shape(a));
      }),
    );
  });

  test('what came since is what was added', () => {
    fc.assert(
      fc.property(histogram, histogram, (a, b) => {
        expect(shape(histogramSince(addHistograms([a, b]), a))).toEqual(shape(b));
      }),
    );
  });

  test('every percentile lies in its bounds, over any number of runners', () => {
    const fleet = fc.array(fc.array(sample, { maxLength: 60 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fleet, fc.constantFrom(0, 1, 25, 50, 90, 95, 99.9, 100), (runners, level) => {
        const numbers = liveNumbers();
        for (const [runner, samples] of runners.entries()) numbers.take(runnerId(runner + 1), [times('wait', samples)]);
        const total = numbers.total('wait');
        const pooled = runners.flat();
        const bounds = total && readTotal(total, [`p(${level})`], span).bounds[`p(${level})`];
        if (pooled.length === 0) {
          expect(bounds).toBeUndefined();
          return;
        }
        expect(bounds?.[0]).toBeLessThanOrEqual(quantile(pooled, level));
        expect(bounds?.[1]).toBeGreaterThanOrEqual(quantile(pooled, level));
      }),
      { numRuns: 500 },
    );
  });

  test('a lost runner’s buckets pooled with the exact grid of another: the bounds hold', () => {
    const samples = fc.array(sample, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(samples, samples, fc.constantFrom(0, 50, 90, 95, 99, 100), (whole, lost, level) => {
        const levels = [10, 50, 90, 95, 99];
        const exact = {
          count: whole.length,
          min: Math.min(...whole),
          max: Math.max(...whole),
          levels,
          values: levels.map((at) => quantile(whole, at)),
        };
        const buckets = bucketsOf(histogramOf(lost.map((ms) => ms / 1000)), 1000);
        const bounds = poolGrids([exact, { count: lost.length, levels: [], values: [], buckets }])(level);
        const truth = quantile([...whole, ...lost], level);
        expect(bounds?.low).toBeLessThanOrEqual(truth);
        expect(bounds?.high).toBeGreaterThanOrEqual(truth);
      }),
      { numRuns: 500 },
    );
  });
});

describe('pushes', () => {
  test('of several runners add up; the same push twice counts once; a lost one is made up for by the next', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [counter('http_reqs', 10), times('http_req_duration', [5, 6])]);
    numbers.take(runnerId(1), [counter('http_reqs', 10), times('http_req_duration', [5, 6])]);
    numbers.take(runnerId(2), [counter('http_reqs', 7)]);
    expect(count(numbers, 'http_reqs')).toBe(17);
    numbers.take(runnerId(1), [counter('http_reqs', 40), times('http_req_duration', [5, 6, 7, 8, 9])]);
    expect(count(numbers, 'http_reqs')).toBe(47);
    expect(numbers.total('http_req_duration')).toMatchObject({ histogram: { count: 5 } });
  });

  test('count as they arrive', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [counter('http_reqs', 10)]);
    numbers.take(runnerId(1), [counter('http_reqs', 40)]);
    expect(count(numbers, 'http_reqs')).toBe(40);
  });

  test('any of them twice, are the last of each series', () => {
    const threeRunners = [1, 2, 3].map(runnerId);
    const pushes = fc.array(fc.record({ runner: fc.constantFrom(...threeRunners), at: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(pushes, (all) => {
        const numbers = liveNumbers();
        for (const { runner, at } of all) numbers.take(runner, [counter('orders', at * 3), times('wait', Array(at).fill(5))]);
        const newest = threeRunners.map((runner) => all.findLast((push) => push.runner === runner)?.at ?? 0);
        const sum = newest.reduce((a, b) => a + b, 0);
        expect(count(numbers, 'orders')).toBe(sum * 3);
        expect(numbers.total('wait')).toMatchObject({ histogram: { count: sum } });
      }),
    );
  });

  test('hold shares of requests, which are counted by the requests of the same push', () => {
    const numbers = liveNumbers();
    const [a, b] = [{ name: 'a' }, { name: 'b' }];
    numbers.take(runnerId(1), [
      rate('http_req_failed', 0.5, a),
      counter('http_reqs', 4, a),
      counter('http_reqs', 96, b),
      rate('http_req_failed', 0, b),
    ]);
    numbers.take(runnerId(2), [counter('http_reqs', 900, a), rate('http_req_failed', 0.01, a)]);
    expect(numbers.total('http_req_failed')).toMatchObject({ kind: 'rate', passes: 11, total: 1000 });
    expect(numbers.total('http_req_failed{name:a}')).toMatchObject({ passes: 11, total: 904 });
    expect(numbers.totalOf(runnerId(2), 'http_req_failed')).toMatchObject({ passes: 9, total: 900 });
  });

  test('hold shares of other things, of which only the bounds are known', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [rate('checks', 0.9, { check: 'a' }), rate('checks', 1, { check: 'b' })]);
    const total = numbers.total('checks');
    expect(total && readTotal(total, [], span)).toMatchObject({ values: { rate: 0.95 }, bounds: { rate: [0.9, 1] } });
  });

  test('hold gauges: VUs add up, of others the last values lie between', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [gauge('vus', 5), gauge('cart', 3)]);
    numbers.take(runnerId(2), [gauge('vus', 6), gauge('cart', 9)]);
    numbers.take(runnerId(2), [gauge('vus', 4), gauge('cart', 8)]);
    expect(numbers.total('vus')).toMatchObject({ low: 9, high: 9 });
    expect(numbers.total('cart')).toMatchObject({ low: 3, high: 8, min: 3, max: 9 });
  });

  test('are read by name where the wire alone would mislead', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [gauge('queue_rate', 5), { labels: { name: 'checkout_seconds', tags: {} }, histogram: histogramOf([2]) }]);
    expect(numbers.total('queue_rate')).toMatchObject({ kind: 'gauge', high: 5 });
    expect(numbers.total('checkout_seconds')).toMatchObject({ kind: 'trend', scale: 1, contains: 'default' });
  });

  test('since a moment: counts and histograms are what came after it', () => {
    const numbers = liveNumbers();
    numbers.take(runnerId(1), [counter('http_reqs', 4), times('wait', [5, 5])]);
    const [reqs, wait] = [numbers.total('http_reqs'), numbers.total('wait')];
    numbers.take(runnerId(1), [counter('http_reqs', 10), times('wait', [5, 5, 900])]);
    const [laterReqs, laterWait] = [numbers.total('http_reqs'), numbers.total('wait')];
    expect(laterReqs && totalSince(laterReqs, reqs)).toMatchObject({ count: 6 });
    const read = laterWait && readTotal(totalSince(laterWait, wait), ['p(95)'], span);
    expect(read?.values.count).toBe(1);
    expect(read?.values['p(95)']).toBeGreaterThan(850);
  });
});

test('what a metric is called that the wire does not tell is asked of a runner that pushed it, and known from then on', () => {
  const numbers = liveNumbers();
  const called = () => numbers.series().map(({ name, metric, form: { type, scale } }) => [name, metric, type, scale]);
  numbers.take(runnerId(1), [counter('http_reqs', 1), { labels: { name: 'vus', tags: {} }, value: 1 }]);
  numbers.take(runnerId(2), [{ labels: { name: 'queue_total', tags: {} }, value: 7 }, times('job', [1])]);
  numbers.take(runnerId(1), [{ labels: { name: 'queue_total', tags: {} }, value: 3 }, counter('orders', 1)]);
  expect([...numbers.unsure()]).toEqual([
    ['queue_total', runnerId(2)],
    ['job_seconds', runnerId(2)],
    ['orders_total', runnerId(1)],
  ]);
  numbers.settle('queue_total', true);
  numbers.settle('job_seconds', true);
  numbers.settle('orders_total', false);
  numbers.take(runnerId(3), [counter('orders', 1)]);
  expect(numbers.unsure().size).toBe(0);
  expect(called()).toEqual([
    ['http_reqs_total', 'http_reqs', 'counter', 1],
    ['vus', 'vus', 'gauge', 1],
    ['queue_total', 'queue_total', 'gauge', 1],
    ['job_seconds', 'job_seconds', 'trend', 1],
    ['orders_total', 'orders', 'counter', 1],
  ]);
});

describe('caps', () => {
  const named = (name: string, value: number) => counter('http_reqs', value, { name, url: name, scenario: 'default' });

  test('fold names beyond the cap into other, and lose no count', () => {
    const numbers = liveNumbers({ caps: { names: 3, series: 1000 } });
    const push = (at: number) =>
      numbers.take(
        runnerId(1),
        Array.from({ length: 10 }, (_, n) => named(`/thing/${n}`, at)),
      );
    push(1);
    push(2);
    expect(count(numbers, 'http_reqs')).toBe(20);
    expect([...numbers.totalsBy('name', 'http_reqs').keys()]).toEqual(['/thing/0', '/thing/1', '/thing/2', 'other']);
    expect(count(numbers, 'http_reqs{name:other}')).toBe(14);
    expect(numbers.excess).toEqual({ folded: 7, ignored: 0 });
  });

  test('never fold a name that a limit is about', () => {
    const numbers = liveNumbers({ keep: new Set(['/pay']), caps: { names: 1, series: 1000 } });
    numbers.take(runnerId(1), [named('/a', 1), named('/b', 1), named('/pay', 5)]);
    expect(count(numbers, 'http_reqs{name:/pay}')).toBe(5);
  });

  test('leave out series beyond the last cap', () => {
    const numbers = liveNumbers({ caps: { names: 3, series: 5 } });
    numbers.take(
      runnerId(1),
      Array.from({ length: 10 }, (_, n) => counter('orders', 1, { id: String(n) })),
    );
    expect(count(numbers, 'orders')).toBe(5);
    expect(numbers.excess.ignored).toBe(5);
  });

  test('hold for all runners together', () => {
    const numbers = liveNumbers({ caps: { standings: 25 } });
    const push = (runner: number) =>
      numbers.take(
        runnerId(runner),
        Array.from({ length: 10 }, (_, n) => named(`/thing/${n}`, 2)),
      );
    for (const runner of [1, 2, 3, 4]) push(runner);
    expect(count(numbers, 'http_reqs')).toBe(50);
    expect(numbers.excess.ignored).toBe(15);
    for (const runner of [1, 2, 3, 4]) push(runner);
    expect(count(numbers, 'http_reqs'), 'what has its place keeps it').toBe(50);
    expect([numbers.admits('/thing/1'), numbers.admits('/new')]).toEqual([false, false]);
  });

  test('leave room for what has a name of its own, whatever pages without end there are', () => {
    const numbers = liveNumbers({ keep: new Set(['/pay']), caps: { names: 2, standings: 20, series: 20 } });
    const pages = Array.from({ length: 50 }, (_, n) => named(`/page/${n}`, 1));
    numbers.take(runnerId(1), pages);
    expect(numbers.excess).toEqual({ folded: 5, ignored: 43 });
    expect([numbers.admits('/page/99'), numbers.admits('/pay'), numbers.admits(undefined)]).toEqual([false, true, true]);
    for (const runner of [1, 2, 3]) numbers.take(runnerId(runner), [named('/pay', 5), counter('orders', 1)]);
    expect([count(numbers, 'http_reqs{name:/pay}'), count(numbers, 'orders'), count(numbers, 'http_reqs')]).toEqual([15, 3, 22]);
  });
});
