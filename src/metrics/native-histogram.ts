/**
 * A histogram whose buckets grow by a constant factor, as k6 pushes it. `count` may exceed the buckets' sum by samples
 * that are not numbers.
 */
export interface NativeHistogram {
  readonly count: number;
  readonly sum: number;
  /** How many were zero. */
  readonly zeroCount: number;
  /** Counts by bucket index: bucket i holds what is above growth^(i−1) and at most growth^i. */
  readonly positive: ReadonlyMap<number, number>;
  /** The same for negative values, by their size. */
  readonly negative: ReadonlyMap<number, number>;
}

/** The schema that k6 pushes: 2^3 buckets to each doubling, 9% a bucket. */
export const pushedSchema = 3;

const growthLog2 = 2 ** -pushedSchema;

const noBuckets: ReadonlyMap<number, number> = new Map();

/** The histogram of nothing. */
export const emptyHistogram: NativeHistogram = { count: 0, sum: 0, zeroCount: 0, positive: noBuckets, negative: noBuckets };

/** A histogram that others are added to in place. */
export interface HistogramSum extends NativeHistogram {
  /** Adds what `now` holds and `before`, an earlier state of the same histogram, did not. */
  grow(now: NativeHistogram, before: NativeHistogram): void;
}

/** A sum of histograms, of none so far. */
export function histogramSum(): HistogramSum {
  const positive = new Map<number, number>();
  const negative = new Map<number, number>();
  const total = { count: 0, sum: 0, zeroCount: 0 };
  return {
    get count() {
      return total.count;
    },
    get sum() {
      return total.sum;
    },
    get zeroCount() {
      return total.zeroCount;
    },
    positive,
    negative,
    grow: (now, before) => {
      total.count += now.count - before.count;
      total.sum += now.sum - before.sum;
      total.zeroCount += now.zeroCount - before.zeroCount;
      growBuckets(positive, now.positive, before.positive);
      growBuckets(negative, now.negative, before.negative);
    },
  };
}

/** Buckets only ever grow: what is in `before` is also in `now`. */
function growBuckets(into: Map<number, number>, now: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): void {
  for (const [index, count] of now) {
    const more = count - (before.get(index) ?? 0);
    if (more !== 0) into.set(index, (into.get(index) ?? 0) + more);
  }
}

/** All histograms as one. Associative and commutative, but for the rounding of `sum`. */
export function addHistograms(parts: readonly NativeHistogram[]): NativeHistogram {
  const total = histogramSum();
  for (const part of parts) total.grow(part, emptyHistogram);
  return freeze(total);
}

/** What `now` holds and `before`, an earlier state of it, did not. */
export function histogramSince(now: NativeHistogram, before: NativeHistogram): NativeHistogram {
  const total = histogramSum();
  total.grow(now, before);
  return freeze(total);
}

function freeze({ count, sum, zeroCount, positive, negative }: NativeHistogram): NativeHistogram {
  return { count, sum, zeroCount, positive: new Map(positive), negative: new Map(negative) };
}

/** Some of the samples: how many, and what each of them certainly lies in. */
export interface Bucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/**
 * The filled buckets in ascending order, their limits times `scale`. Widened by an ulp or two: k6 divides by a thousand
 * before it picks the bucket, and rounds.
 */
export function bucketsOf({ negative, zeroCount, positive }: NativeHistogram, scale: number): Bucket[] {
  const ascending = (a: readonly [number, number], b: readonly [number, number]) => a[0] - b[0];
  const below = [...negative].sort(ascending).map(([index, count]) => ({ low: -above(index, scale), high: -under(index, scale), count }));
  const over = [...positive].sort(ascending).map(([index, count]) => ({ low: under(index, scale), high: above(index, scale), count }));
  const zero = zeroCount > 0 ? [{ low: 0, high: 0, count: zeroCount }] : [];
  return [...below.reverse(), ...zero, ...over];
}

const rounding = 2 ** -50;

function under(index: number, scale: number): number {
  return 2 ** ((index - 1) * growthLog2) * scale * (1 - rounding);
}

function above(index: number, scale: number): number {
  return 2 ** (index * growthLog2) * scale * (1 + rounding);
}
