import { type Bucket, bucketsOf, type NativeHistogram } from './native-histogram.js';
import { type Placed, tilted } from './tilt.js';
import { firstPosition, golden } from './unroll.js';

/** A bucket's neighbour with less than this share of its samples is next to nothing. Log-normal times with a sigma of 0.05 have more. */
const nothing = 1 / 30;

/** What is known of a bucket from the seconds before. */
interface Seen {
  count: number;
  /** Where in it the last second's samples were, as far as their sum tells: from 0, its low end, to 1, by the logarithm. */
  centre: number;
}

/** The samples of a second that lie in one bucket. */
interface Filled extends Placed {
  readonly bucket: Bucket;
  readonly seen: Seen;
}

/**
 * Unrolls one series second by second. Each call is given all that the series has had so far, and returns a value for each `weight`
 * samples since the call before, in ascending order of their buckets; at weight 1 they add up to what the samples do.
 */
export function trendPoints(weight: number, scale: number): (now: NativeHistogram) => number[] {
  const run = new Map<number, Seen>();
  let [count, sum, turn] = [0, 0, 0];
  return (now) => {
    const first = firstPosition(weight, turn);
    turn += 1;
    if (now.count === count) return [];
    const filled = filledSince(bucketsOf(now, scale), run);
    const values = tilted(filled, (now.sum - sum) * scale);
    [count, sum] = [now.count, now.sum];
    for (const [at, { bucket, seen }] of filled.entries()) seen.centre = centreOf(bucket, values[at] ?? []);
    return oneOfEach(weight, first, values.flat());
  };
}

function filledSince(all: readonly Bucket[], run: Map<number, Seen>): Filled[] {
  return all.flatMap((bucket, index) => {
    const { low, high, count } = bucket;
    const seen = run.get(low) ?? { count: 0, centre: 0.5 };
    const before = seen.count;
    if (count <= before) return [];
    run.set(low, seen);
    seen.count = count;
    const place = shapeOf(bucket, seen.centre, { below: all[index - 1], above: all[index + 1] });
    const width = high - low;
    // Steps by the golden section are even over any number of seconds.
    const shares = Array.from({ length: count - before }, (_, nth) => {
      const value = valueAt(bucket, place((0.5 + (before + nth) * golden) % 1));
      return offEnds(width > 0 ? (value - low) / width : 0.5);
    });
    return [{ bucket, seen, low, width, shares }];
  });
}

/**
 * Makes even places as dense as the run's samples are: a monotone cubic through their distribution at the bucket's limits, whose slope
 * there is the harmonic mean of the densities on both sides (Fritsch and Carlson). From a limit with next to nothing beyond it they are
 * drawn back to the centre: times that are nearly the same are alone in a bucket, or two.
 */
function shapeOf(
  bucket: Bucket,
  centre: number,
  beside: { below: Bucket | undefined; above: Bucket | undefined },
): (even: number) => number {
  const below = beside.below !== undefined && beside.below.high >= bucket.low ? beside.below.count / bucket.count : 0;
  const above = beside.above !== undefined && beside.above.low <= bucket.high ? beside.above.count / bucket.count : 0;
  const [from, to] = [(2 * below) / (1 + below), (2 * above) / (1 + above)];
  const [cubic, square] = [from + to - 2, 3 - 2 * from - to];
  const lowest = centre * (1 - Math.min(1, below / nothing));
  const highest = 1 - (1 - centre) * (1 - Math.min(1, above / nothing));
  return (even) => {
    let at = even;
    for (let step = 0; step < 4; step += 1) {
      const off = ((cubic * at + square) * at + from) * at - even;
      const slope = (3 * cubic * at + 2 * square) * at + from;
      at = Math.min(1, Math.max(0, at - off / Math.max(slope, 0.05)));
    }
    return lowest + at * (highest - lowest);
  };
}

/** From an end nothing could be moved. */
function offEnds(share: number): number {
  return Math.min(0.999, Math.max(0.001, share));
}

function valueAt({ low, high }: Bucket, place: number): number {
  return low === 0 ? 0 : low * (high / low) ** place;
}

function centreOf({ low, high }: Bucket, values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return low === high ? 0.5 : offEnds(Math.log(mean / low) / Math.log(high / low));
}

/** One of each `weight` values, from position `first` among the sorted ones on. */
function oneOfEach(weight: number, first: number, values: number[]): number[] {
  if (weight === 1) return values;
  values.sort((a, b) => a - b);
  const few: number[] = [];
  for (let position = first; position < values.length; position += weight) few.push(values[Math.floor(position)] ?? 0);
  return few;
}
