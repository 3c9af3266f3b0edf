import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';

/** The raw samples of all runners, in order. */
export function pooledOf(samples: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(samples.flat()).sort();
}

/** Expects merged percentiles to be where those of the pooled samples are; hands back how wide their bounds are, as a share. */
export function expectWithinBounds(merged: Summary['metrics'][string] | undefined, pooled: Float64Array): Record<string, number> {
  const widths: Record<string, number> = {};
  for (const level of [0.5, 0.9, 0.95, 0.99, 0.999]) {
    const stat = `p(${level * 100})`;
    const [low, high] = merged?.bounds[stat] ?? [Number.NaN, Number.NaN];
    const truth = quantile(pooled, level);
    // k6's CSV has six decimals: the truth is known to half a millionth of a millisecond.
    expect(truth, stat).toBeGreaterThanOrEqual(low - 1e-6);
    expect(truth, stat).toBeLessThanOrEqual(high + 1e-6);
    widths[stat] = (high - low) / truth;
  }
  return widths;
}

/** k6's own: linear between the neighbours of p·(n−1). */
function quantile(sorted: Float64Array, p: number): number {
  const rank = p * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** The `http_req_duration` samples in what k6's CSV output wrote. */
export async function durationsIn(csv: string): Promise<number[]> {
  const found: number[] = [];
  for await (const line of createInterface({ input: createReadStream(csv) })) {
    const [metric, , value] = line.split(',');
    if (metric === 'http_req_duration') found.push(Number(value));
  }
  return found;
}
