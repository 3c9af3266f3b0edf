import type { Milliseconds } from '../core/quantities.js';
import type { LiveLook } from './abort-watch.js';
import type { ProbeCount } from './criterion.js';
import type { LiveNumbers } from './live-numbers.js';
import type { LiveTotal, Span } from './live-total.js';
import { baseName } from './metric-key.js';
import type { RateCounts } from './rate-counts.js';
import { containsOf } from './runner-summary.js';
import type { Picks } from './series.js';
import { hasWindow, windowTag } from './window.js';

/** What is known of a fleet at one moment of its load. */
export interface FleetMoment {
  readonly elapsedMs: Milliseconds;
  /** How long setup() took. */
  readonly setupMs: Milliseconds;
  /** How many runners are to push: those that are gone are not. */
  readonly expected: number;
  /** Since the load began, when each of them that reports was last heard of. */
  readonly heardMs: readonly Milliseconds[];
  /** A runner may be so late with its first push; 3 s where it is not said. */
  readonly silentMs?: Milliseconds;
  /** Good and all health probes so far; undefined where nothing is probed. */
  readonly probes: ProbeCount | undefined;
  /** Picks what belongs to an iteration, where that is told apart. */
  readonly picks: Picks | undefined;
  /** What the runners told of rates that pushes hold as shares only. */
  readonly rates: RateCounts;
}

/** Samples of setup() belong to no iteration: where iterations carry the tag of the judged window, those do not. */
export function iterationsOnly(tagged: boolean): Picks | undefined {
  return tagged ? (tags) => windowTag.tag in tags : undefined;
}

/** What an abort rule and a threshold see of the fleet. */
export function fleetLook(numbers: LiveNumbers, moment: FleetMoment): LiveLook {
  const { elapsedMs, setupMs, picks, rates } = moment;
  const seconds = secondsReceived(moment);
  return {
    elapsedMs,
    seconds,
    wholeSeconds: seconds && { low: seconds.low + setupMs / 1000, high: seconds.high + setupMs / 1000 },
    total: (metric) => rates.get(metric) ?? numbers.total(metric),
    inIterations: (metric) => {
      if (metric === 'availability') return availability(numbers, moment);
      return rates.get(metric) ?? numbers.total(metric, hasWindow(metric) ? picks : undefined) ?? neverCounted(metric);
    },
  };
}

/** At first, runners have not pushed yet. */
const usualSilentMs: Milliseconds = 3000;

/**
 * How long what was received took. A runner that is silent later on makes nothing unknown: what it may have made counts as not
 * made, as nobody can tell.
 */
function secondsReceived({ elapsedMs, heardMs, expected, silentMs = usualSilentMs }: FleetMoment): Span | undefined {
  if (heardMs.length < expected && elapsedMs < silentMs) return undefined;
  return { low: Math.min(elapsedMs, ...heardMs) / 1000, high: elapsedMs / 1000 };
}

/** k6 pushes a counter of its own when it is first added to: until then it is 0. */
const ownCounters = ['http_reqs', 'iterations', 'dropped_iterations', 'data_sent', 'data_received'];

function neverCounted(metric: string): LiveTotal | undefined {
  return ownCounters.includes(baseName(metric)) ? { kind: 'counter', contains: containsOf(metric, {}), count: 0 } : undefined;
}

/** The share of good health probes; of good requests where nothing is probed. */
function availability(numbers: LiveNumbers, { probes, picks, rates }: FleetMoment): LiveTotal | undefined {
  if (probes !== undefined) return { kind: 'rate', contains: 'default', passes: probes.good, total: probes.total };
  const failed = rates.get('http_req_failed') ?? numbers.total('http_req_failed', picks);
  return failed?.kind === 'rate' ? { ...failed, passes: failed.total - failed.passes } : undefined;
}
