import type { Milliseconds } from '../../core/quantities.js';
import type { Stretch } from './series.js';

/** What of a load is judged: its steady part, as far as it came. */
export function judgedWindow(load: Stretch, steady: Stretch | undefined): Stretch {
  const { from, to } = steady ?? { from: 0, to: Number.POSITIVE_INFINITY };
  return { from: load.from + from, to: Math.min(load.to, load.from + to) };
}

/** How many whole periods lie in a window of this length: at least, and at most; it may begin at any moment of one. */
export function wholePeriods(windowMs: Milliseconds, periodMs: Milliseconds): { readonly least: number; readonly most: number } {
  const most = Math.floor(windowMs / periodMs);
  return { least: Math.max(0, most - 1), most };
}
