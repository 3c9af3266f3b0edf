import type { LiveNumbers } from '../../metrics/live-numbers.js';
import { addHistograms, type NativeHistogram, pushedSchema } from '../../metrics/native-histogram.js';
import type { Tags } from '../../metrics/series.js';
import { likelyForm } from '../../metrics/wire-names.js';
import type { Labels, Sample } from './wire.js';

/** Two limits to each doubling: every one of them is a limit of the buckets that k6 pushes, so that no count is a guess. */
const step = 2 ** pushedSchema / 2;
/** As bucket indexes: times from 1 ms to 64 s, all else from 1 to 2^40 by its doublings. */
const timeLimits = range(-10, 6, step);
const otherLimits = range(0, 40, 2 * step);

function range(fromLog2: number, toLog2: number, by: number): number[] {
  const perDoubling = 2 ** pushedSchema;
  const count = ((toLog2 - fromLog2) * perDoubling) / by + 1;
  return Array.from({ length: count }, (_, index) => fromLog2 * perDoubling + index * by);
}

/** The parts of a request's time: who looks at them looks at all requests, and by name they would be most of all series. */
const whole = /^(http_req_(blocked|connecting|tls_handshaking|sending|waiting|receiving)|iteration_duration|group_duration)_seconds$/;
/** Those of a trend that came later are one series without tags. */
const mostTagSets = 500;

/** How the fleet's trends stand as classic histograms: `_bucket` with `le`, `_sum`, `_count`. */
export function classicSamples(numbers: LiveNumbers, common: Labels): readonly Sample[] {
  const trends = new Map<string, { readonly tags: Tags; readonly histogram: NativeHistogram }[]>();
  for (const { name, state } of numbers.series()) {
    if (!state.isTrend) continue;
    const of = trends.get(name) ?? [];
    trends.set(name, of);
    of.push(state);
  }
  return [...trends].flatMap(([name, parts]) => {
    const apart = whole.test(name) ? [] : parts.slice(0, mostTagSets);
    const rest = parts.slice(apart.length).map(({ histogram }) => histogram);
    const written = [...apart, ...(rest.length === 0 ? [] : [{ tags: {}, histogram: addHistograms(rest) }])];
    const limits = likelyForm(name, true).contains === 'time' ? timeLimits : otherLimits;
    return written.flatMap(({ tags, histogram }) => samplesIn(`k6_${name}`, { ...tags, ...common }, histogram, limits));
  });
}

function samplesIn(name: string, labels: Labels, histogram: NativeHistogram, limits: readonly number[]): Sample[] {
  const { count, sum } = histogram;
  const counts = cumulative(histogram, limits);
  const grown = (of: string, value: number, more: Labels = {}): Sample => ({
    name: `${name}_${of}`,
    labels: { ...labels, ...more },
    value,
    grows: true,
  });
  return [
    ...limits.map((limit, index) => grown('bucket', counts[index] ?? 0, { le: String(2 ** (limit / 2 ** pushedSchema)) })),
    grown('bucket', count, { le: '+Inf' }),
    grown('sum', sum),
    grown('count', count),
  ];
}

/** How many samples are at most as large as each limit. */
function cumulative({ negative, zeroCount, positive }: NativeHistogram, limits: readonly number[]): number[] {
  const counts = limits.map(() => 0);
  for (const [index, count] of positive) {
    const at = limits.findIndex((limit) => index <= limit);
    if (at >= 0) counts[at] = (counts[at] ?? 0) + count;
  }
  let total = zeroCount + [...negative.values()].reduce((sum, count) => sum + count, 0);
  return counts.map((count) => {
    total += count;
    return total;
  });
}
