import type { Bucket } from './native-histogram.js';
import type { Grid } from './quantile-grid.js';

/** What a value certainly lies in. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Pools grids; the result gives hard bounds for the `level`-percentile (percent, 0…100) that k6 would find over all samples of
 * all of them together (design §5): equal where it is known exactly; undefined where there are no samples or no finite bounds.
 *
 *     each runner, samples x[0…n-1] unknown, q at h = p·(n-1) known:   x[⌊h⌋] ≤ q ≤ x[⌈h⌉]
 *       lo[m] = the largest q with ⌈h⌉ ≤ m      hi[m] = the smallest q with ⌊h⌋ ≥ m      lo[m] ≤ x[m] ≤ hi[m]
 *     all lo sorted: L, all hi sorted: H;  the pooled samples sorted: X      L[m] ≤ X[m] ≤ H[m]
 *
 * Time and memory follow the number of levels, never the number of samples.
 */
export function poolGrids(grids: readonly Grid[]): (level: number) => Bounds | undefined {
  const filled = grids.filter((grid) => grid.count > 0);
  const [only] = filled;
  if (only === undefined) return () => undefined;
  const count = filled.reduce((sum, grid) => sum + grid.count, 0);
  const runs = filled.map(runsOf);
  const low = rankedRuns(runs.map((one) => one.low));
  const high = rankedRuns(runs.map((one) => one.high));
  return (level) => {
    const exact = filled.length === 1 ? knownQuantile(only, level) : undefined;
    return exact === undefined ? interpolate(position(level, count), low, high) : { low: exact, high: exact };
  };
}

function knownQuantile(grid: Grid, level: number): number | undefined {
  if (level === 0) return grid.min;
  if (level === 100) return grid.max;
  const at = grid.levels.indexOf(level);
  return at < 0 ? undefined : grid.values[at];
}

/** k6's position of a percentile in n sorted samples; its order of float64 operations (TrendSink.P). */
function position(level: number, count: number): number {
  return (level / 100) * (count - 1);
}

/** Values that never decrease, each holding from an index on, up to the next one's. */
interface Runs {
  readonly values: readonly number[];
  readonly starts: readonly number[];
  readonly count: number;
}

/** What is known of one grid's samples, as bounds from below and from above. */
function runsOf(grid: Grid): { readonly low: Runs; readonly high: Runs } {
  if (grid.buckets !== undefined) return { low: bucketRuns(grid.buckets, 'low'), high: bucketRuns(grid.buckets, 'high') };
  const points = knownPoints(grid);
  return { low: lowRuns(grid, points), high: highRuns(grid, points) };
}

/** A runner's known quantiles `q` with the positions `h` they stand for, ascending. */
interface Points {
  readonly h: Float64Array;
  readonly q: Float64Array;
}

/** ... of a grid, the ends included. As numbers in a row: of 1,000 runners they are a million for each metric. */
function knownPoints({ count, min, max, levels, values }: Grid): Points {
  const first = min === undefined ? 0 : 1;
  const last = first + levels.length;
  const size = last + (max === undefined ? 0 : 1);
  const points = { h: new Float64Array(size), q: new Float64Array(size) };
  if (min !== undefined) points.q[0] = min;
  points.q.set(values, first);
  levels.forEach((level, at) => {
    points.h[first + at] = position(level, count);
  });
  if (max !== undefined) {
    points.h[last] = count - 1;
    points.q[last] = max;
  }
  return points;
}

/**
 * The bounds of any percentile of samples that are only known by the bucket they lie in; undefined without samples, or
 * beyond the largest finite number.
 */
export function interpolateBuckets(buckets: readonly Bucket[]): (level: number) => Bounds | undefined {
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  return poolGrids([{ count, levels: [], values: [], buckets }]);
}

/** Each bucket's limit holds from its first sample on. */
function bucketRuns(buckets: readonly Bucket[], limit: 'low' | 'high'): Runs {
  let start = 0;
  const starts = buckets.map(({ count }) => {
    const first = start;
    start += count;
    return first;
  });
  return { values: buckets.map((bucket) => bucket[limit]), starts, count: start };
}

/** lo[m] as runs; -Infinity where nothing is known. */
function lowRuns(grid: Grid, points: Points): Runs {
  const values = [Number.NEGATIVE_INFINITY];
  const starts = [0];
  for (let at = 0; at < points.h.length; at += 1) {
    const [h, q] = [points.h[at] ?? Number.NaN, points.q[at] ?? Number.NaN];
    const bound = Number.isInteger(h) ? q : q - overshoot(q, grid.min);
    if (bound > (values.at(-1) ?? 0)) append({ values, starts }, bound, Math.ceil(h));
  }
  return { values, starts, count: grid.count };
}

function append(runs: { values: number[]; starts: number[] }, value: number, start: number): void {
  if (runs.starts.at(-1) === start) runs.values[runs.values.length - 1] = value;
  else {
    runs.values.push(value);
    runs.starts.push(start);
  }
}

/**
 * hi[m] as runs; +Infinity where nothing is known. Met from the highest position down, q holds from the next lower
 * known position (exclusive) up to its own.
 */
function highRuns(grid: Grid, points: Points): Runs {
  const values = [Number.POSITIVE_INFINITY];
  const ends = [grid.count - 1];
  for (let at = points.h.length - 1; at >= 0; at -= 1) {
    const q = points.q[at] ?? Number.NaN;
    if (q >= (values.at(-1) ?? 0)) continue;
    const end = Math.floor(points.h[at] ?? Number.NaN);
    if (ends.at(-1) === end) values[values.length - 1] = q;
    else {
      values.push(q);
      ends.push(end);
    }
  }
  const starts = ends.map((_, i) => (ends[i + 1] ?? -1) + 1);
  return { values: values.reverse(), starts: starts.reverse(), count: grid.count };
}

/**
 * By how much k6's interpolation j + (k-j)·f may lie above k because of rounding. It never lies below j. One ulp of q
 * where no sample is negative; where j may be far below zero, an ulp of that.
 */
function overshoot(q: number, min: number | undefined): number {
  const scale = min !== undefined && min >= 0 ? Math.abs(q) : Math.max(Math.abs(q), Math.abs(min ?? Number.POSITIVE_INFINITY));
  return scale * 2 ** -51;
}

/** Finds the m-th smallest value (0 is the first) of all runs together, by bisection over their distinct values. */
function rankedRuns(runs: readonly Runs[]): (m: number) => number {
  const candidates = sortedValues(runs);
  return (m) => {
    let below = 0;
    let found = candidates.length - 1;
    while (below < found) {
      const middle = (below + found) >>> 1;
      if (atMost(runs, candidates[middle] ?? Number.NaN) > m) found = middle;
      else below = middle + 1;
    }
    return candidates[found] ?? Number.NaN;
  };
}

function sortedValues(runs: readonly Runs[]): Float64Array {
  const all = new Float64Array(runs.reduce((sum, { values }) => sum + values.length, 0));
  let at = 0;
  for (const { values } of runs) {
    all.set(values, at);
    at += values.length;
  }
  return all.sort();
}

function atMost(runs: readonly Runs[], value: number): number {
  let total = 0;
  for (const { values, starts, count } of runs) total += starts[firstAbove(values, value)] ?? count;
  return total;
}

function firstAbove(values: readonly number[], value: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] ?? Number.NaN) > value) to = middle;
    else from = middle + 1;
  }
  return from;
}

function interpolate(h: number, low: (m: number) => number, high: (m: number) => number): Bounds | undefined {
  const [a, b, f] = [Math.floor(h), Math.ceil(h), h - Math.floor(h)];
  const [lowA, lowB, highA, highB] = [low(a), low(b), high(a), high(b)];
  const bounds = { low: between(lowA, lowB, f), high: between(highA, highB, f) };
  if (!Number.isFinite(bounds.low) || !Number.isFinite(bounds.high)) return undefined;
  if (f === 0 || (lowA === highA && lowB === highB)) return bounds;
  const scale = lowA >= 0 ? undefined : Math.max(-lowA, Math.abs(lowB), Math.abs(highA), Math.abs(highB));
  return { low: Math.max(lowA, bounds.low - slack(scale ?? bounds.low)), high: bounds.high + slack(scale ?? bounds.high) };
}

/** k6's interpolation, in its order of float64 operations. */
function between(j: number, k: number, f: number): number {
  return j + (k - j) * f;
}

/**
 * Interpolating rounds three times, here and in k6, each time by half an ulp at most: of the result where no sample is
 * negative, else of the largest number involved. One ulp of the result is not always enough (tried: 2 without negative
 * samples, any number beside a result near zero).
 */
function slack(scale: number): number {
  return scale * 2 ** -49 + Number.MIN_VALUE;
}
