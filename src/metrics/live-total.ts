import { addHistograms, bucketsOf, histogramSince, type NativeHistogram } from './native-histogram.js';
import { interpolateBuckets } from './pooled-bounds.js';
import { percentileLevel } from './quantile-grid.js';
import type { Contains, SummaryMetric } from './summary.js';

/** What was received of a metric or sub-metric, from the start up to a moment, before anything is computed from it. */
export type LiveTotal =
  | { readonly kind: 'counter'; readonly contains: Contains; readonly count: number }
  /** A rate whose samples can be counted. */
  | { readonly kind: 'rate'; readonly contains: Contains; readonly passes: number; readonly total: number }
  /** Rates of which only the shares are known: the true one lies between the least and the largest. */
  | { readonly kind: 'share'; readonly contains: Contains; readonly low: number; readonly high: number }
  /** The last value is one of those between `low` and `high`; of VUs their sum. */
  | {
      readonly kind: 'gauge';
      readonly contains: Contains;
      readonly low: number;
      readonly high: number;
      readonly min: number;
      readonly max: number;
    }
  /** A trend of which only some stats are known, each from its least to its largest value. */
  | { readonly kind: 'stats'; readonly contains: Contains; readonly bounds: Readonly<Record<string, readonly [number, number]>> }
  /** In `scale` times the metric's unit: k6 pushes times in seconds. */
  | { readonly kind: 'trend'; readonly contains: Contains; readonly scale: number; readonly histogram: NativeHistogram };

/** How long a count took, in seconds; runners push once a second, so it is only known from `low` to `high`. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

/** What came after `before`, an earlier state of the same metric. Shares, stats and gauges have no past: they stay as they are. */
export function totalSince(now: LiveTotal, before: LiveTotal | undefined): LiveTotal {
  if (before === undefined) return now;
  if (now.kind === 'counter' && before.kind === 'counter') return { ...now, count: now.count - before.count };
  if (now.kind === 'rate' && before.kind === 'rate') return { ...now, passes: now.passes - before.passes, total: now.total - before.total };
  if (now.kind === 'trend' && before.kind === 'trend') return { ...now, histogram: histogramSince(now.histogram, before.histogram) };
  return now;
}

/** The parts of a metric as one; undefined without parts, or where they are not of one kind. Associative and commutative. */
export function addTotals(parts: readonly LiveTotal[]): LiveTotal | undefined {
  const [first] = parts;
  if (first === undefined || parts.some(({ kind }) => kind !== first.kind)) return undefined;
  const of = <K extends LiveTotal['kind']>(kind: K) => parts.filter((part): part is Extract<LiveTotal, { kind: K }> => part.kind === kind);
  switch (first.kind) {
    case 'counter':
      return { ...first, count: sum(of('counter').map(({ count }) => count)) };
    case 'rate':
      return { ...first, passes: sum(of('rate').map(({ passes }) => passes)), total: sum(of('rate').map(({ total }) => total)) };
    case 'share':
      return { ...first, low: least(of('share').map(({ low }) => low)), high: most(of('share').map(({ high }) => high)) };
    case 'gauge':
      return {
        ...first,
        low: least(of('gauge').map(({ low }) => low)),
        high: most(of('gauge').map(({ high }) => high)),
        min: least(of('gauge').map(({ min }) => min)),
        max: most(of('gauge').map(({ max }) => max)),
      };
    case 'stats':
      return undefined;
    case 'trend':
      return { ...first, histogram: addHistograms(of('trend').map(({ histogram }) => histogram)) };
  }
}

/** The sum of a gauge that is counted, not measured: VUs. Undefined where the parts are no gauges. */
export function sumGauges(parts: readonly LiveTotal[]): LiveTotal | undefined {
  const gauges = parts.filter((part) => part.kind === 'gauge');
  const [first] = gauges;
  if (first === undefined) return undefined;
  const value = sum(gauges.map(({ high }) => high));
  return { ...first, low: value, high: value, min: sum(gauges.map(({ min }) => min)), max: sum(gauges.map(({ max }) => max)) };
}

/**
 * A total as a metric of a summary, with the percentiles in `stats`; what is not known exactly has bounds. A metric
 * without samples has no values.
 */
export function readTotal(total: LiveTotal, stats: readonly string[], seconds: Span): SummaryMetric {
  const { contains } = total;
  switch (total.kind) {
    case 'counter':
      return { type: 'counter', contains, ...readCounter(total.count, seconds) };
    case 'rate': {
      const { passes, total: all } = total;
      return { type: 'rate', contains, values: all > 0 ? { rate: passes / all, passes, fails: all - passes } : {}, bounds: {} };
    }
    case 'share':
      return { type: 'rate', contains, ...between('rate', total.low, total.high) };
    case 'gauge':
      return { type: 'gauge', contains, ...between('value', total.low, total.high) };
    case 'stats':
      return { type: 'trend', contains, ...readStats(total.bounds) };
    case 'trend':
      return { type: 'trend', contains, ...readHistogram(total.histogram, total.scale, stats) };
  }
}

type Read = Pick<SummaryMetric, 'values' | 'bounds'>;

/** Whole numbers add up exactly; others round a little with every push. */
const relativeRounding = 1e-9;

function readCounter(count: number, { low, high }: Span): Read {
  const slack = Number.isInteger(count) ? 0 : Math.abs(count) * relativeRounding;
  const counted: Read = { values: { count }, bounds: slack === 0 ? {} : { count: [count - slack, count + slack] } };
  if (low <= 0) return counted;
  const [slow, fast] = [count / high, count / low].sort((a, b) => a - b) as [number, number];
  const rates: readonly [number, number] = [slow - slack / low, fast + slack / low];
  return { values: { count, rate: slow }, bounds: { ...counted.bounds, ...(rates[0] === rates[1] ? {} : { rate: rates }) } };
}

function between(stat: string, low: number, high: number): Read {
  return low === high
    ? { values: { [stat]: low }, bounds: {} }
    : { values: { [stat]: low + (high - low) / 2 }, bounds: { [stat]: [low, high] } };
}

function readStats(bounds: Read['bounds']): Read {
  return { values: Object.fromEntries(Object.entries(bounds).map(([stat, [low, high]]) => [stat, low + (high - low) / 2])), bounds };
}

function readHistogram(histogram: NativeHistogram, scale: number, stats: readonly string[]): Read {
  const buckets = bucketsOf(histogram, scale);
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (first === undefined || last === undefined) return { values: {}, bounds: {} };
  const quantile = interpolateBuckets(buckets);
  const clamp = (value: number) => Math.min(last.high, Math.max(first.low, value));
  const percentiles = stats.flatMap((stat): [string, readonly [number, number]][] => {
    const level = percentileLevel(stat);
    const found = level === undefined ? undefined : quantile(level);
    return found === undefined ? [] : [[stat, [clamp(found.low), clamp(found.high)]]];
  });
  const bounds = Object.fromEntries([...percentiles, ['min', [first.low, first.high]], ['max', [last.low, last.high]]] as [
    string,
    readonly [number, number],
  ][]);
  const middles = Object.fromEntries(Object.entries(bounds).map(([stat, [low, high]]) => [stat, low + (high - low) / 2]));
  const { count, sum: total } = histogram;
  const avg = clamp((total * scale) / count);
  // Adding n floats up rounds n times, each time by half an ulp of the largest sum on the way.
  const slack = (count + 4) * 2 ** -52 * Math.max(Math.abs(first.low), Math.abs(last.high));
  const values = { count, avg, ...middles, min: first.low, max: last.high };
  return { values, bounds: { ...bounds, avg: [clamp(avg - slack), clamp(avg + slack)] } };
}

function sum(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b).reduce((total, value) => total + value, 0);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}
