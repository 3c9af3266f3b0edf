import type { Milliseconds } from '../core/quantities.js';
import type { LiveNumbers } from './live-numbers.js';
import type { LiveTotal } from './live-total.js';
import { emptyHistogram, histogramSince, type NativeHistogram } from './native-histogram.js';
import type { Picks } from './series.js';

/** A stretch of a load has one line, however many seconds it has. */
export const stretchMs: Milliseconds = 10_000;
/** A limit may keep more names apart than there is room for in a line. */
const mostNames = 500;

/** A histogram as it is written: k6's buckets that hold something, by their index. */
export interface WrittenHistogram {
  readonly count: number;
  /** Of the values, in milliseconds. */
  readonly sum: number;
  /** How many took no time at all. */
  readonly zero?: number;
  /** Bucket i holds what took more than 1000 · 2^((i−1)/8) ms, and 1000 · 2^(i/8) ms at most. */
  readonly buckets: Readonly<Record<string, number>>;
}

/** Of one name, or of all requests: how long they took. */
export interface WrittenLatency {
  readonly all: WrittenHistogram;
  /** Of those whose answer was expected; missing where that is all of them. */
  readonly expected?: WrittenHistogram;
}

/** A line of histograms.ndjson, but for when it was written: http_req_duration of the whole fleet in a stretch of its load. */
export interface HistogramLine extends WrittenLatency {
  /** Of the load, from its start. */
  readonly fromMs: Milliseconds;
  readonly toMs: Milliseconds;
  /** By the name of requests; one that did nothing is left out, and so are those beyond 500. */
  readonly endpoints: Readonly<Record<string, WrittenLatency>>;
}

/** Hands out the line of a stretch when it is over. */
export interface HistogramLines {
  /** The stretch up to now where it is long enough, or the last one; undefined where nothing is to be written yet. */
  next(elapsedMs: Milliseconds, isLast: boolean): HistogramLine | undefined;
}

interface Kept {
  readonly all: NativeHistogram;
  readonly expected: NativeHistogram;
}

const nothing: Kept = { all: emptyHistogram, expected: emptyHistogram };
const duration = 'http_req_duration';
const expectedDuration = `${duration}{expected_response:true}`;

/** The {@link HistogramLines} of a load; `picks` lets iterations through, and not setup(). What it keeps grows with the names alone. */
export function histogramLines(numbers: LiveNumbers, picks?: Picks): HistogramLines {
  let whole = nothing;
  let names = new Map<string, Kept>();
  let fromMs = 0;
  return {
    next: (elapsedMs, isLast) => {
      if (elapsedMs - fromMs < stretchMs && !isLast) return undefined;
      const now = { all: trendOf(numbers.total(duration, picks)), expected: trendOf(numbers.total(expectedDuration, picks)) };
      const nowByName = byName(numbers);
      const latency = writtenSince(now, whole);
      const did = [...nowByName].flatMap(([name, kept]) => {
        const written = writtenSince(kept, names.get(name) ?? nothing);
        return written === undefined ? [] : [[name, written] as const];
      });
      const endpoints = did.length <= mostNames ? did : did.sort(([, a], [, b]) => b.all.count - a.all.count).slice(0, mostNames);
      const line = latency && { fromMs, toMs: elapsedMs, ...latency, endpoints: Object.fromEntries(endpoints) };
      [whole, names, fromMs] = [now, nowByName, elapsedMs];
      return line;
    },
  };
}

function byName(numbers: LiveNumbers): Map<string, Kept> {
  const expected = numbers.totalsBy('name', expectedDuration);
  const all = numbers.totalsBy('name', duration);
  return new Map([...all].map(([name, total]) => [name, { all: trendOf(total), expected: trendOf(expected.get(name)) }]));
}

function trendOf(total: LiveTotal | undefined): NativeHistogram {
  return total?.kind === 'trend' ? total.histogram : emptyHistogram;
}

function writtenSince(now: Kept, before: Kept): WrittenLatency | undefined {
  const all = histogramSince(now.all, before.all);
  if (all.count === 0) return undefined;
  const expected = histogramSince(now.expected, before.expected);
  return { all: written(all), ...(expected.count === all.count ? {} : { expected: written(expected) }) };
}

/** k6 pushes times in seconds; a time is never below zero. */
function written({ count, sum, zeroCount, positive }: NativeHistogram): WrittenHistogram {
  const buckets = [...positive].sort(([a], [b]) => a - b).map(([index, samples]) => [String(index), samples] as const);
  return {
    count,
    sum: Math.round(sum * 1e6) / 1000,
    ...(zeroCount > 0 ? { zero: zeroCount } : {}),
    buckets: Object.fromEntries(buckets),
  };
}

/** A histogram that was written, as it was counted: in seconds. */
export function histogramOf({ count, sum, zero = 0, buckets }: WrittenHistogram): NativeHistogram {
  const positive = new Map(Object.entries(buckets).map(([index, samples]) => [Number(index), samples]));
  return { count, sum: sum / 1000, zeroCount: zero, positive, negative: new Map() };
}
