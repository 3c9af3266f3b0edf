import type { Criterion } from '../../core/criterion.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Segment, Stretch } from './series.js';
import type { Reading } from './values.js';

/** What a limit asks of a series: its statistic, how long it must be broken to count, and which side is the bad one. */
export type Asked = Pick<Criterion, 'stat' | 'operator' | 'for'>;

/** Reads a statistic over a window; undefined where nothing is known of it. */
export function statisticOf(segments: readonly Segment[], reading: Reading, asked: Asked, window: Stretch): number | undefined {
  const inside = whole.includes(reading.from) ? within(segments, window) : clipped(segments, window);
  if (inside.length === 0) return undefined;
  if (reading.from === 'growth') return inside.reduce((sum, { value }) => sum + value, 0);
  if (asked.for !== undefined) return held(inside, asked.for, isUpper(asked));
  if (asked.stat === 'max') return inside.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (asked.stat === 'min') return inside.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const [, percent] = /^p(\d+(?:\.\d+)?)$/.exec(asked.stat) ?? [];
  return percent === undefined ? mean(inside, reading) : percentile(inside, Number(percent) / 100);
}

/** Whether more is worse. */
export function isUpper({ operator }: Pick<Criterion, 'operator'>): boolean {
  return !operator.startsWith('>');
}

/** Of counters last minus first, of gauges weighted by how long each value counted. */
function mean(segments: readonly Segment[], reading: Reading): number | undefined {
  if (reading.from === 'share' || reading.from === 'rate') {
    const [of, by] = segments.reduce(([a, b], { grew }) => [a + (grew?.of ?? 0), b + (grew?.by ?? 0)], [0, 0]);
    return by > 0 ? of / by : undefined;
  }
  const ms = segments.reduce((sum, { from, to }) => sum + to - from, 0);
  return segments.reduce((sum, { from, to, value }) => sum + value * (to - from), 0) / ms;
}

/** The value that the series was at or below for this share of its time. */
function percentile(segments: readonly Segment[], level: number): number | undefined {
  const sorted = [...segments].sort((a, b) => a.value - b.value);
  const ms = sorted.reduce((sum, { from, to }) => sum + to - from, 0);
  let passed = 0;
  for (const { from, to, value } of sorted) {
    passed += to - from;
    if (passed >= ms * level - 1e-6) return value;
  }
  return sorted.at(-1)?.value;
}

/** What of these reaches over an end of the window says something of what lies outside. */
const whole: readonly Reading['from'][] = ['share', 'rate', 'growth', 'period'];

/** What lies in a window as a whole: of counters what they grew by from the first sample in it to the last. */
export function within(segments: readonly Segment[], { from, to }: Stretch): Segment[] {
  return segments.filter((segment) => segment.from >= from && segment.to <= to);
}

/** The worst level that was never left for so long without a break; the best of all where nothing lasted so long. */
function held(segments: readonly Segment[], ms: Milliseconds, upper: boolean): number {
  const milder = (a: number, b: number) => (upper ? Math.min(a, b) : Math.max(a, b));
  const worse = (a: number, b: number) => (upper ? Math.max(a, b) : Math.min(a, b));
  const levels = segments.flatMap(({ from }, start) => {
    let [level, until] = [segments[start]?.value ?? 0, from];
    for (let at = start; at < segments.length; at += 1) {
      const segment = segments[at];
      if (segment === undefined || segment.from > until) return [];
      level = milder(level, segment.value);
      until = segment.to;
      if (until - from >= ms) return [level];
    }
    return [];
  });
  const none = segments.reduce((best, { value }) => milder(best, value), segments[0]?.value ?? 0);
  return levels.reduce(worse, none);
}

/** What of the segments lies in a window. */
function clipped(segments: readonly Segment[], { from, to }: Stretch): Segment[] {
  return segments.flatMap((segment) => {
    const part = { from: Math.max(from, segment.from), to: Math.min(to, segment.to) };
    if (part.to <= part.from) return [];
    return [{ ...segment, ...part }];
  });
}
