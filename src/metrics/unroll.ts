import type { Bucket } from './native-histogram.js';

const golden = (Math.sqrt(5) - 1) / 2;

/**
 * Where among the sorted samples of the `turn`th second the first one is taken that stands for `weight` of them. It moves from
 * second to second: else the samples of what has fewer than `weight` a second would always be the same ones, its tail never among them,
 * and those of a bucket with one sample a second would all be its middle.
 */
export function firstPosition(weight: number, turn: number): number {
  return ((0.5 + turn * golden) % 1) * weight;
}

/**
 * Samples for the buckets of one second, in ascending order: one for each `weight` of them, from position `first` among all on, each as
 * far up its bucket as its place among the bucket's samples; a bucket is even on a logarithmic scale.
 */
export function unroll(buckets: readonly Bucket[], weight: number, first: number): number[] {
  const values: number[] = [];
  let position = first;
  let below = 0;
  for (const { low, high, count } of buckets) {
    for (; position < below + count; position += weight) values.push(within(low, high, (position - below) / count));
    below += count;
  }
  return values;
}

function within(low: number, high: number, share: number): number {
  if (low > 0) return low * (high / low) ** share;
  return high < 0 ? low * (high / low) ** share : low + (high - low) * share;
}

/** Places 0…count−1 in an order in which neighbours lie far apart: what is sorted by size is not sorted by time then. */
export function scattered(count: number): number[] {
  let stride = Math.max(1, Math.round(count * golden));
  while (greatestDivisor(stride, count) > 1) stride += 1;
  return Array.from({ length: count }, (_, index) => (index * stride) % count);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
