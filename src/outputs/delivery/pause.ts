import type { Milliseconds } from '../../core/quantities.js';

const firstMs: Milliseconds = 500;
const longestMs: Milliseconds = 30_000;

/** How long to wait after so many failures in a row: 0.5 s, 1 s, 2 s… 30 s, less up to half of it, so that many do not come back at once. */
export function pauseAfter(failures: number, random: () => number): Milliseconds {
  const most = Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
  return Math.round(most * (1 - random() / 2));
}
