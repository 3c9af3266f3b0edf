/** Multiples of it, without their whole part, are even over any stretch of them. */
export const golden = (Math.sqrt(5) - 1) / 2;

/**
 * Where among the sorted samples of the `turn`th second the first one is taken that stands for `weight` of them. It moves from
 * second to second: else the samples of what has fewer than `weight` a second would always be the same ones, its tail never among them.
 */
export function firstPosition(weight: number, turn: number): number {
  return ((0.5 + turn * golden) % 1) * weight;
}

/** Values in the order given: one for each `weight` of the samples that have them, from position `first` among all on. */
export function unroll(sides: readonly { readonly value: number; readonly count: number }[], weight: number, first: number): number[] {
  const values: number[] = [];
  let position = first;
  let below = 0;
  for (const { value, count } of sides) {
    for (; position < below + count; position += weight) values.push(value);
    below += count;
  }
  return values;
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
