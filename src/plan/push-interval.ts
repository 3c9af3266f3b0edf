import type { Milliseconds } from '../core/quantities.js';

/** Pushes that runners elsewhere make a second, all together: what one conductor takes in beside its other work. */
export const mostPushes = 300;

/** A push goes the way of the link, and back. */
const leastMs: Milliseconds = 1000;
/** The fleet's numbers are judged once a second. */
const judgedEveryMs: Milliseconds = 1000;

/** How often each of so many runners elsewhere pushes what it measured, in whole tenths of a second. */
export function pushEveryElsewhere(runners: number): Milliseconds {
  return Math.max(leastMs, Math.ceil((runners * 10) / mostPushes) * 100);
}

/** How old a sample may be when an abort rule sees it: it waits for its push, and that for the next look. */
export function abortLatency(pushEveryMs: Milliseconds): Milliseconds {
  return pushEveryMs + judgedEveryMs;
}
