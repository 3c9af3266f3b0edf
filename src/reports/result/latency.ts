import type { LiveLatency } from '../../core/events.js';
import type { Milliseconds } from '../../core/quantities.js';
import { type HistogramLine, histogramOf, type WrittenLatency } from '../../metrics/histogram-lines.js';
import {
  type Bucket,
  bucketsOf,
  emptyHistogram,
  type HistogramSum,
  histogramSum,
  type NativeHistogram,
} from '../../metrics/native-histogram.js';
import { interpolateBuckets } from '../../metrics/pooled-bounds.js';
import type { Stretch } from '../../metrics/servers/series.js';

/** How long requests took in a stretch of the load. */
export interface LatencyStretch extends Stretch {
  readonly all: NativeHistogram;
  readonly expected: NativeHistogram;
}

/** How long requests took over time, as merged histograms: percentiles of any of it have honest bounds. */
export interface LatencyCourse {
  readonly stretches: readonly LatencyStretch[];
  /** Of the stretches whose middle lies in the judged window. */
  readonly judged: Pick<LatencyStretch, 'all' | 'expected'>;
  /** In the order of the names that were asked for; without those that nothing was written of. */
  readonly endpoints: readonly { readonly name: string; readonly stretches: readonly LatencyStretch[] }[];
}

/** Takes the lines of histograms.ndjson in. */
export interface LatencyFold {
  add(line: HistogramLine): void;
  read(): LatencyCourse;
}

/** 40 minutes of 10 s each; those of a longer load are added up, two by two. */
const mostStretches = 240;

/** A {@link LatencyFold} for these endpoints; what it takes does not grow with the lines. */
export function latencyFold(names: readonly string[], window: Stretch): LatencyFold {
  const whole = stretches();
  const byName = new Map(names.map((name) => [name, stretches()]));
  const judged = { all: histogramSum(), expected: histogramSum() };
  return {
    add: (line) => {
      const { fromMs: from, toMs: to, endpoints } = line;
      whole.add({ from, to }, line);
      const middle = (from + to) / 2;
      if (middle >= window.from && middle <= window.to) grow(judged, line);
      for (const [name, own] of byName) {
        const written = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
        if (written !== undefined) own.add({ from, to }, written);
      }
    },
    read: () => ({
      stretches: whole.read(),
      judged,
      endpoints: [...byName].flatMap(([name, own]) => (own.read().length === 0 ? [] : [{ name, stretches: own.read() }])),
    }),
  };
}

interface Growing {
  readonly all: HistogramSum;
  readonly expected: HistogramSum;
}

type GrowingStretch = Growing & { from: Milliseconds; to: Milliseconds };

function stretches(): { add(stretch: Stretch, written: WrittenLatency): void; read(): readonly LatencyStretch[] } {
  let kept: GrowingStretch[] = [];
  let [perStretch, inLast] = [1, 0];
  return {
    add: ({ from, to }, written) => {
      if (kept.length === 0 || inLast >= perStretch) {
        kept.push({ from, to, all: histogramSum(), expected: histogramSum() });
        inLast = 0;
      }
      const last = kept.at(-1);
      if (last === undefined) return;
      inLast += 1;
      last.to = to;
      grow(last, written);
      if (kept.length <= mostStretches) return;
      inLast += kept.length % 2 === 0 ? perStretch : 0;
      kept = kept.flatMap((one, index) => (index % 2 === 0 ? [together(one, kept[index + 1])] : []));
      perStretch *= 2;
    },
    read: () => kept,
  };
}

function together(one: GrowingStretch, other: GrowingStretch | undefined): GrowingStretch {
  if (other === undefined) return one;
  one.to = other.to;
  one.all.grow(other.all, emptyHistogram);
  one.expected.grow(other.expected, emptyHistogram);
  return one;
}

function grow(into: Growing, { all, expected = all }: WrittenLatency): void {
  into.all.grow(histogramOf(all), emptyHistogram);
  into.expected.grow(histogramOf(expected), emptyHistogram);
}

/** Percentiles of a histogram, in milliseconds, with the bounds that they certainly lie in; undefined without requests. */
export function percentilesOf(histogram: NativeHistogram): LiveLatency | undefined {
  const quantile = interpolateBuckets(bucketsInMs(histogram));
  const [p50, p95, p99] = [50, 95, 99].map((level) => quantile(level));
  if (p50 === undefined || p95 === undefined || p99 === undefined) return undefined;
  const value = ({ low, high }: { low: number; high: number }) => ({ value: (low + high) / 2, low, high });
  return { p50: value(p50), p95: value(p95), p99: value(p99) };
}

/** The filled buckets of a histogram of requests, in milliseconds. */
export function bucketsInMs(histogram: NativeHistogram): Bucket[] {
  return bucketsOf(histogram, 1000);
}
