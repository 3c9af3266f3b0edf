import { type RunnerId, runnerId } from '../core/ids.js';

/** What one runner executes of the test: k6's execution segment, and the sequence that all runners share. */
export interface RunnerSegment {
  /** `1`, `2`, … */
  readonly id: RunnerId;
  /** `1/3:2/3` */
  readonly segment: string;
  /** `0,1/3,2/3,1` */
  readonly sequence: string;
}

/** Cuts the test into `count` equal parts, in exact fractions: k6 would round decimals. */
export function cutSegments(count: number): RunnerSegment[] {
  const marks = Array.from({ length: count + 1 }, (_, index) => fraction(index, count));
  const sequence = marks.join(',');
  return marks.slice(1).map((end, index) => ({ id: runnerId(index + 1), segment: `${marks[index]}:${end}`, sequence }));
}

function fraction(part: number, whole: number): string {
  if (part === 0 || part === whole) return part === 0 ? '0' : '1';
  const divisor = greatestCommonDivisor(part, whole);
  return `${part / divisor}/${whole / divisor}`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
