import { unroll } from '../../metrics/unroll.js';
import type { CheckTotal } from '../kind/check-totals.js';
import { nanoseconds, type Point } from './line.js';
import type { Common } from './of-events.js';

/** How many samples of checks a point stands for: all that they came to is written at once, so that many become few. */
export function checksWeight(totals: readonly CheckTotal[], maxPoints: number): number {
  const samples = totals.reduce((sum, { passes, fails }) => sum + passes + fails, 0);
  return Math.max(1, Math.ceil(samples / maxPoints));
}

/** What k6's own output writes of checks, a point of 1 or 0 for `weight` of their samples; all of them in the second before `at`. */
export function pointsOfChecks(totals: readonly CheckTotal[], weight: number, at: number, { testid }: Common): Point[] {
  return totals.flatMap(({ tags, passes, fails }) => {
    const sides = [
      { value: 0, count: fails },
      { value: 1, count: passes },
    ];
    const values = unroll(sides, weight, weight / 2);
    return values.map((value, index) => ({
      measurement: 'checks',
      tags: { ...tags, testid },
      fields: { value },
      // Equal moments would be one point.
      at: nanoseconds(at - 1000 + ((index + 1) * 1000) / values.length),
    }));
  });
}
