import { LoadctlError } from '../core/errors.js';
import type { Milliseconds } from '../core/quantities.js';
import { mergeGroups } from './merge-groups.js';
import { baseName, metricIdentity } from './metric-key.js';
import { poolGrids } from './pooled-bounds.js';
import { type Grid, percentileLevel } from './quantile-grid.js';
import type { RunnerMetric, RunnerSummary } from './runner-summary.js';
import type { SummaryGroup, SummaryMetric } from './summary.js';

/** How the fleet's numbers are to be read. */
export interface ReadOptions {
  /** The fleet's duration: what a counter's rate is divided by. */
  readonly durationMs: Milliseconds;
  /** Percentiles to tell beside {@link usualPercentiles}, as written (`p(99.90)`): those of limits and of the user's summary. */
  readonly percentiles?: readonly string[];
}

/** The percentiles that every summary tells. */
export const usualPercentiles: readonly string[] = ['med', 'p(50)', 'p(75)', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)'];

/**
 * Merges what the runners measured, truthfully (design §5, point 5), one metric after the other: of many runners each takes its
 * time. Nothing is computed before all of it is there, and the order of the runners changes nothing. Metrics come in the order of their names.
 */
export function* mergedMetrics(runners: readonly RunnerSummary[], options: ReadOptions): Generator<[string, SummaryMetric]> {
  const percentiles = [...new Set([...usualPercentiles, ...(options.percentiles ?? [])])];
  for (const [key, parts] of metricParts(runners)) yield [key, readMetric(key, parts, { percentiles, durationMs: options.durationMs })];
}

/** The runners' groups and checks as one. */
export function mergedGroups(runners: readonly RunnerSummary[]): SummaryGroup {
  return mergeGroups(runners.map(({ rootGroup }) => rootGroup));
}

/** The runners' parts of each metric, under the first of its spellings. */
function metricParts(runners: readonly RunnerSummary[]): [string, RunnerMetric[]][] {
  const byIdentity = new Map<string, { key: string; parts: RunnerMetric[] }>();
  for (const { metrics } of runners) {
    for (const [key, part] of Object.entries(metrics)) {
      const identity = metricIdentity(key);
      const entry = byIdentity.get(identity);
      if (entry === undefined) byIdentity.set(identity, { key, parts: [part] });
      else {
        entry.parts.push(part);
        if (key < entry.key) entry.key = key;
      }
    }
  }
  return [...byIdentity.values()].map(({ key, parts }): [string, RunnerMetric[]] => [key, parts]).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Reading {
  readonly percentiles: readonly string[];
  readonly durationMs: Milliseconds;
}

type Part<T extends RunnerMetric['type']> = Extract<RunnerMetric, { type: T }>;

function readMetric(key: string, parts: readonly RunnerMetric[], reading: Reading): SummaryMetric {
  const [first] = parts;
  if (first === undefined) throw new Error(`no parts of ${key}`);
  const { type, contains } = first;
  switch (type) {
    case 'counter':
      return { type, contains, ...readCounter(ofType(key, type, parts), reading.durationMs) };
    case 'rate':
      return { type, contains, ...readRate(ofType(key, type, parts)) };
    case 'gauge':
      return { type, contains, ...(isTotal(key) ? readTotal : readGauge)(ofType(key, type, parts)) };
    case 'trend':
      return { type, contains, ...readTrend(ofType(key, type, parts), reading.percentiles) };
  }
}

function ofType<T extends RunnerMetric['type']>(key: string, type: T, parts: readonly RunnerMetric[]): readonly Part<T>[] {
  const same = parts.filter((part): part is Part<T> => part.type === type);
  if (same.length === parts.length) return same;
  throw new LoadctlError('unavailable', `the runners disagree on the type of the metric ${key} is`, {
    hint: 'Run the same script on every runner.',
  });
}

type Read = Pick<SummaryMetric, 'values' | 'bounds'>;

function readCounter(parts: readonly Part<'counter'>[], durationMs: Milliseconds): Read {
  const count = sum(parts.map((part) => part.count));
  const seconds = Math.round(durationMs * 1e6) / 1e9;
  return { values: known({ count, rate: count !== undefined && seconds > 0 ? count / seconds : undefined }), bounds: {} };
}

function readRate(parts: readonly Part<'rate'>[]): Read {
  const passes = sum(parts.map((part) => part.passes)) ?? 0;
  const fails = sum(parts.map((part) => part.fails)) ?? 0;
  const total = passes + fails;
  return { values: known({ rate: total > 0 ? passes / total : undefined, passes, fails }), bounds: {} };
}

/** VUs are counted, not measured: what the runners have adds up. */
function isTotal(key: string): boolean {
  return ['vus', 'vus_max'].includes(baseName(key));
}

function readTotal(parts: readonly Part<'gauge'>[]): Read {
  const filled = parts.filter((part) => !part.empty);
  if (filled.length === 0) return { values: {}, bounds: {} };
  const total = (pick: 'value' | 'min' | 'max'): number | undefined => sum(filled.map((part) => part[pick]));
  return { values: known({ value: total('value'), min: total('min'), max: total('max') }), bounds: {} };
}

/**
 * Which runner's last value was the fleet's last one is not known: `value` is the largest of them, and its bounds say
 * what lies between.
 */
function readGauge(parts: readonly Part<'gauge'>[]): Read {
  const filled = parts.filter((part) => !part.empty);
  const least = (pick: 'value' | 'min'): number | undefined =>
    extreme(
      Math.min,
      filled.map((part) => part[pick]),
    );
  const most = (pick: 'value' | 'max'): number | undefined =>
    extreme(
      Math.max,
      filled.map((part) => part[pick]),
    );
  const [low, high] = [least('value'), most('value')];
  return {
    values: known({ value: high, min: least('min'), max: most('max') }),
    bounds: low === undefined || high === undefined || low === high ? {} : { value: [low, high] },
  };
}

function readTrend(parts: readonly Part<'trend'>[], percentiles: readonly string[]): Read {
  const filled = parts.filter(({ grid }) => grid.count > 0);
  const grids = filled.map(({ grid }) => grid);
  const count = sum(grids.map((grid) => grid.count)) ?? 0;
  const min = readExtreme(Math.min, grids.map(leastOf));
  const max = readExtreme(Math.max, grids.map(mostOf));
  const [lowest, highest] = [min?.[0] ?? Number.NEGATIVE_INFINITY, max?.[1] ?? Number.POSITIVE_INFINITY];
  const clamp = (value: number) => Math.min(highest, Math.max(lowest, value));
  const bounds = readPercentiles(grids, percentiles, clamp);
  const { med, ...middles } = Object.fromEntries(Object.entries(bounds).map(([stat, limits]) => [stat, middle(limits)]));
  const avg = average(filled);
  const between = (stat: string, limits: Limits | undefined) => (limits === undefined || limits[0] === limits[1] ? {} : { [stat]: limits });
  return {
    values: known({ count, avg: avg === undefined ? undefined : clamp(avg), min: min?.[0], med, max: max?.[1], ...middles }),
    bounds: { ...bounds, ...between('min', min), ...between('max', max) },
  };
}

type Limits = readonly [low: number, high: number];

function middle([low, high]: Limits): number {
  return low + (high - low) / 2;
}

/** What the smallest sample lies in: a lost runner's is only known by its bucket. */
function leastOf({ min, buckets }: Grid): Limits | undefined {
  const [first] = buckets ?? [];
  if (first !== undefined) return [first.low, first.high];
  return min === undefined ? undefined : [min, min];
}

function mostOf({ max, buckets }: Grid): Limits | undefined {
  const last = buckets?.at(-1);
  if (last !== undefined) return [last.low, last.high];
  return max === undefined ? undefined : [max, max];
}

function readExtreme(pick: (a: number, b: number) => number, limits: readonly (Limits | undefined)[]): Limits | undefined {
  const low = extreme(
    pick,
    limits.map((one) => one?.[0]),
  );
  const high = extreme(
    pick,
    limits.map((one) => one?.[1]),
  );
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** Rounding must not bring a percentile beyond the samples that it lies between. */
function readPercentiles(
  grids: readonly Part<'trend'>['grid'][],
  percentiles: readonly string[],
  clamp: (value: number) => number,
): Record<string, [number, number]> {
  const pooled = poolGrids(grids);
  const entries = percentiles.flatMap((stat): [string, [number, number]][] => {
    const level = percentileLevel(stat);
    const found = level === undefined ? undefined : pooled(level);
    return found ? [[stat, [clamp(found.low), clamp(found.high)]]] : [];
  });
  return Object.fromEntries(entries);
}

function average(parts: readonly Part<'trend'>[]): number | undefined {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only.avg;
  const total = sum(parts.map(({ avg, grid }) => (avg === undefined ? undefined : avg * grid.count)));
  const count = sum(parts.map(({ grid }) => grid.count));
  return total === undefined || count === undefined || count === 0 ? undefined : total / count;
}

/** In the order of size, so that rounding does not depend on the order of runners; undefined if any is unknown. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  const all = allKnown(values);
  return all?.toSorted((a, b) => a - b).reduce((total, value) => total + value, 0);
}

function extreme(pick: (a: number, b: number) => number, values: readonly (number | undefined)[]): number | undefined {
  const all = allKnown(values);
  return all === undefined || all.length === 0 ? undefined : all.reduce((a, b) => pick(a, b));
}

function allKnown(values: readonly (number | undefined)[]): readonly number[] | undefined {
  const all = values.filter((value) => value !== undefined);
  return all.length === values.length ? all : undefined;
}

function known(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([stat, value]): [string, number][] => (value === undefined ? [] : [[stat, value]])),
  );
}
