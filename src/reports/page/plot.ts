import type { Unit } from '../../core/quantities.js';
import type { ChartData, HeatData, LineData } from '../result/chart-data.js';
import type { Column } from '../result/columns.js';
import { bucketsInMs, type LatencyStretch, percentilesOf } from '../result/latency.js';

/** What is drawn of a line: its measure, its name, its unit. */
export interface Shown {
  readonly measure: string;
  readonly label: string;
  readonly unit: Unit;
  readonly isBeside?: true;
}

/** Lines of a chart over time, from its columns. Those without any value are left out. */
export function linesOf(columns: readonly Column[], shown: readonly Shown[]): Pick<ChartData, 'x' | 'lines'> {
  const there = shown.filter(({ measure }) => columns.some(({ values }) => values[measure] !== undefined));
  return { x: columns.map(({ to }) => seconds(to)), lines: there.map((one) => lineOf(columns, one)) };
}

function lineOf(columns: readonly Column[], { measure, ...line }: Shown): LineData {
  const read = (which: 'low' | 'mean' | 'high') =>
    columns.map(({ values }) => (values[measure] === undefined ? null : short(values[measure][which])));
  const [low, values, high] = [read('low'), read('mean'), read('high')];
  const hasBand = low.some((value, index) => value !== high[index]);
  return { ...line, values, ...(hasBand ? { low, high } : {}) };
}

/** Percentiles of stretches, with their bounds as bands. */
export function percentileLines(stretches: readonly LatencyStretch[]): LineData[] {
  const read = stretches.map(({ all }) => percentilesOf(all));
  return (['p50', 'p95', 'p99'] as const).map((label) => {
    const of = (which: 'value' | 'low' | 'high') => read.map((latency) => (latency === undefined ? null : short(latency[label][which])));
    return { label, unit: 'ms', values: of('value'), low: of('low'), high: of('high') };
  });
}

/** Requests and unexpected answers a second of stretches. */
export function rateLines(stretches: readonly LatencyStretch[]): LineData[] {
  const rate = (count: (stretch: LatencyStretch) => number) =>
    stretches.map((stretch) => short((count(stretch) * 1000) / Math.max(1, stretch.to - stretch.from)));
  const failed = stretches.some(({ all, expected }) => all.count > expected.count);
  return [
    { label: 'requests/s', unit: '/s', values: rate(({ all }) => all.count) },
    ...(failed ? [{ label: 'failed/s', unit: '/s' as const, values: rate(({ all, expected }) => all.count - expected.count) }] : []),
  ];
}

/** When stretches ended, in seconds of the load. */
export function endsOf(stretches: readonly LatencyStretch[]): number[] {
  return stretches.map(({ to }) => seconds(to));
}

/** Every stretch's requests by how long they took; neighbouring buckets are put together where there are many. */
export function heatOf(stretches: readonly LatencyStretch[]): HeatData {
  const indexes = stretches.flatMap(({ all }) => [...all.positive.keys()]);
  if (indexes.length === 0) return { edges: [], counts: [] };
  const [first, last] = [least(indexes), most(indexes)];
  const each = Math.max(1, Math.ceil((last - first + 1) / mostBands));
  const bands = Math.ceil((last - first + 1) / each);
  const edge = (index: number) => short(1000 * 2 ** ((index - 1) / 8));
  return {
    edges: Array.from({ length: bands + 1 }, (_, band) => edge(first + band * each)),
    counts: stretches.map(({ all }) => {
      const counts = Array.from({ length: bands }, () => 0);
      for (const [index, count] of all.positive) {
        const band = Math.floor((index - first) / each);
        counts[band] = (counts[band] ?? 0) + count;
      }
      counts[0] = (counts[0] ?? 0) + all.zeroCount;
      return counts;
    }),
  };
}

const mostBands = 60;

/** How many requests took how long, bucket by bucket: all, and those whose answer was expected. */
export function distributionOf({ all, expected }: Pick<LatencyStretch, 'all' | 'expected'>): Pick<ChartData, 'x' | 'lines'> {
  const buckets = bucketsInMs(all);
  const ofExpected = new Map(bucketsInMs(expected).map(({ high, count }) => [high, count]));
  const line = (label: string, values: number[]): LineData => ({ label, unit: '', values });
  const same = all.count === expected.count;
  return {
    x: buckets.map(({ high }) => short(Math.max(high, smallest))),
    lines: [
      line(
        same ? 'requests' : 'all requests',
        buckets.map(({ count }) => count),
      ),
      ...(same
        ? []
        : [
            line(
              'expected answers',
              buckets.map(({ high }) => ofExpected.get(high) ?? 0),
            ),
          ]),
    ],
  };
}

/** A logarithmic scale has no zero. */
const smallest = 0.001;

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}

/** Four figures are what a screen shows. */
function short(value: number): number {
  return Number(value.toPrecision(4));
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}
