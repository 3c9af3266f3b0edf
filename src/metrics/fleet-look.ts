import type { Milliseconds } from '../core/quantities.js';
import type { LiveLook } from './abort-watch.js';
import type { ProbeCount } from './criterion.js';
import type { LiveNumbers } from './live-numbers.js';
import type { LiveTotal, Span } from './live-total.js';
import type { Picks } from './series.js';
import { hasWindow, windowTag } from './window.js';

/** What is known of a fleet at one moment of its load. */
export interface FleetMoment {
  readonly elapsedMs: Milliseconds;
  /** Since the load began, when each runner that reports was last heard of. */
  readonly heardMs: readonly Milliseconds[];
  /** How many runners there are, reporting or not. */
  readonly runners: number;
  /** Good and all health probes so far; undefined where nothing is probed. */
  readonly probes: ProbeCount | undefined;
  /** Picks what belongs to an iteration, where that is told apart. */
  readonly picks: Picks | undefined;
}

/** Samples of setup() belong to no iteration: where iterations carry the tag of the judged window, those do not. */
export function iterationsOnly(tagged: boolean): Picks | undefined {
  return tagged ? (tags) => windowTag.tag in tags : undefined;
}

/** What an abort rule and a threshold see of the fleet. */
export function fleetLook(numbers: LiveNumbers, moment: FleetMoment): LiveLook {
  const { elapsedMs, heardMs, picks } = moment;
  return {
    elapsedMs,
    seconds: secondsReceived(moment),
    total: (metric) => numbers.total(metric),
    inIterations: (metric) => {
      if (heardMs.length === 0) return undefined;
      if (metric === 'availability') return availability(numbers, moment);
      return numbers.total(metric, hasWindow(metric) ? picks : undefined);
    },
  };
}

function secondsReceived({ elapsedMs, heardMs, runners }: FleetMoment): Span | undefined {
  return heardMs.length < runners ? undefined : { low: Math.min(...heardMs) / 1000, high: elapsedMs / 1000 };
}

/** The share of good health probes; of good requests where nothing is probed. */
function availability(numbers: LiveNumbers, { probes, picks }: FleetMoment): LiveTotal | undefined {
  if (probes !== undefined) return { kind: 'rate', contains: 'default', passes: probes.good, total: probes.total };
  const failed = numbers.total('http_req_failed', picks);
  return failed?.kind === 'rate' ? { ...failed, passes: failed.total - failed.passes } : undefined;
}
