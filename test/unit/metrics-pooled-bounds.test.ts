import { describe, expect, it } from 'vitest';
import { poolGrids } from '../../src/metrics/pooled-bounds.js';
import { type Grid, percentileLevel, summaryTrendStats } from '../../src/metrics/quantile-grid.js';

const denseLevels = summaryTrendStats().flatMap((stat) => (stat === 'med' ? [] : (percentileLevel(stat) ?? [])));

/** k6's TrendSink.P. */
function k6Quantile(sorted: Float64Array, level: number): number {
  if (sorted.length === 1) return sorted[0] ?? Number.NaN;
  const h = (level / 100) * (sorted.length - 1);
  const [j = Number.NaN, k = Number.NaN] = [sorted[Math.floor(h)], sorted[Math.ceil(h)]];
  return j + (k - j) * (h - Math.floor(h));
}

function gridOf(samples: readonly number[], levels: readonly number[]): Grid {
  const sorted = Float64Array.from(samples).sort();
  if (sorted.length === 0) return { count: 0, levels: [], values: [] };
  const [min = Number.NaN, max = Number.NaN] = [sorted[0], sorted.at(-1)];
  return { count: sorted.length, min, max, levels, values: levels.map((level) => k6Quantile(sorted, level)) };
}

/** A seeded generator (mulberry32), so that a failing case can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Draw = (next: () => number) => number;
const gauss: Draw = (next) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const shapes: readonly Draw[] = [
  (next) => 100 * Math.exp(0.6 * gauss(next)),
  (next) => Math.floor(next() * 4),
  (next) => (next() < 0.9 ? 10 + next() : 5000 + next()),
  (next) => gauss(next) * 1000,
  (next) => (next() < 0.5 ? -1e10 * next() : 1e-7 * next()),
  (next) => (next() - 0.3) * 10 ** Math.floor(next() * 40 - 20),
  (next) => 10 ** (next() * 12 - 6),
  () => 5,
  (next) => (next() < 0.97 ? 0 : next()),
];

function pick<T>(items: readonly T[], next: () => number): T {
  return items[Math.floor(next() * items.length)] as T;
}

/** 0 to 5,000 samples, small numbers of them more often than large ones. */
function size(next: () => number): number {
  const kind = next();
  if (kind < 0.1) return 0;
  if (kind < 0.2) return 1;
  return Math.min(5000, Math.floor(2 ** (next() * (kind < 0.85 ? 7 : 12.3))));
}

function makeCase(seed: number): { runners: readonly (readonly number[])[]; levels: readonly number[]; asked: readonly number[] } {
  const next = random(seed);
  const own = next() < 0.3;
  const common = pick(shapes, next);
  const runners = Array.from({ length: 1 + Math.floor(next() * 10) }, () => {
    const [draw, scale] = [own ? pick(shapes, next) : common, next() < 0.3 ? 1 + 3 * next() : 1];
    return Array.from({ length: size(next) }, () => draw(next) * scale);
  });
  const keep = next() < 0.2 ? 1 : next() ** 4;
  const levels = denseLevels.filter(() => next() < keep);
  const asked = [0, 100, seed % 101, 50, 95, 99, 99.9, 99.999, next() * 100, next() ** 8 * 100, 100 - next() ** 8, pick(denseLevels, next)];
  return { runners, levels, asked };
}

describe('bounds of pooled percentiles', () => {
  const cases = 20_000;

  it(`hold in ${cases.toLocaleString('en-US')} random cases, for all percentiles from 0 to 100`, { timeout: 120_000 }, () => {
    const violations: unknown[] = [];
    let checked = 0;
    for (let seed = 1; seed <= cases; seed += 1) {
      const { runners, levels, asked } = makeCase(seed);
      const pooled = Float64Array.from(runners.flat()).sort();
      const read = poolGrids(runners.map((samples) => gridOf(samples, levels)));
      for (const level of asked) {
        const bounds = read(level);
        if (pooled.length === 0) {
          if (bounds !== undefined) violations.push({ seed, level, bounds });
          continue;
        }
        const truth = k6Quantile(pooled, level);
        checked += 1;
        if (bounds === undefined || !(bounds.low <= truth && truth <= bounds.high)) violations.push({ seed, level, truth, bounds });
      }
    }
    expect(violations).toEqual([]);
    expect(checked).toBeGreaterThan(10 * cases);
  });

  it('are the value itself with one runner and a level of its grid', () => {
    const next = random(7);
    const samples = Array.from({ length: 1234 }, () => gauss(next));
    const grid = gridOf(samples, denseLevels);
    const empty: Grid = { count: 0, levels: [], values: [] };
    for (const [i, level] of denseLevels.entries()) {
      const value = grid.values[i];
      expect(poolGrids([empty, grid])(level)).toEqual({ low: value, high: value });
    }
    expect(poolGrids([grid])(0)).toEqual({ low: grid.min, high: grid.min });
    expect(poolGrids([grid])(100)).toEqual({ low: grid.max, high: grid.max });
  });

  it('are exact where all samples are the same, or known one by one', () => {
    const same = gridOf([5, 5, 5], denseLevels);
    expect(poolGrids([same, same, same])(95)).toEqual({ low: 5, high: 5 });
    expect(poolGrids([gridOf([1], []), gridOf([2], []), gridOf([4, 8], [])])(50)).toEqual({ low: 3, high: 3 });
    expect(poolGrids([gridOf([0, 0, 0], denseLevels), gridOf([0, 0, 9], denseLevels)])(50)).toEqual({ low: 0, high: 0 });
  });

  it('are narrow where the distribution is smooth: 1% at p50 to p95, 3% at p99', () => {
    const next = random(3);
    const grids = [2000, 3000, 20_000].map((n) =>
      gridOf(
        Array.from({ length: n }, () => 40 * Math.exp(0.4 * gauss(next))),
        denseLevels,
      ),
    );
    for (const [level, width] of [
      [50, 0.01],
      [90, 0.01],
      [95, 0.01],
      [99, 0.03],
    ] as const) {
      const { low, high } = poolGrids(grids)(level) ?? { low: 0, high: Number.POSITIVE_INFINITY };
      expect((high - low) / low).toBeLessThan(width);
    }
  });

  it('allow for rounding around zero, where one ulp of the result is too little', () => {
    const samples = [-464371000, -464370999.99999994, 237435008.947];
    const truth = k6Quantile(Float64Array.from(samples), 83.084);
    const { low, high } = poolGrids([gridOf(samples, [])])(83.084) ?? { low: Number.NaN, high: Number.NaN };
    expect(low).toBeLessThanOrEqual(truth);
    expect(high).toBeGreaterThanOrEqual(truth);
    expect(truth - low).toBeLessThan(1e-5);
  });

  it('are none without samples, or where a runner met infinity beside the level', () => {
    expect(poolGrids([])(50)).toBeUndefined();
    expect(poolGrids([{ count: 0, levels: [], values: [] }])(50)).toBeUndefined();
    const infinite: Grid = { count: 10, min: 1, levels: [50], values: [5] };
    expect(poolGrids([infinite, gridOf([1, 2], [])])(99)).toBeUndefined();
    expect(poolGrids([infinite])(50)).toEqual({ low: 5, high: 5 });
    expect(poolGrids([infinite, gridOf([1, 2], [])])(10)?.low).toBeGreaterThanOrEqual(1);
  });

  it('take no longer for many samples, and stand 500 runners', { timeout: 30_000 }, () => {
    const next = random(9);
    const grids = Array.from({ length: 500 }, () => {
      const grid = gridOf(
        Array.from({ length: 300 }, () => 20 * Math.exp(gauss(next))),
        denseLevels,
      );
      return { ...grid, count: 200_000 };
    });
    const began = performance.now();
    const read = poolGrids(grids);
    for (const level of [50, 75, 90, 95, 99, 99.9]) {
      const bounds = read(level);
      expect(bounds && bounds.low <= bounds.high).toBe(true);
    }
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
