import type { Criterion } from '../core/criterion.js';
import type { BrokenLimit } from '../core/monitors.js';
import type { LiveValue, Milliseconds } from '../core/quantities.js';

/** How a limit stands at one moment; without an outcome nobody knows. */
export interface LimitNow {
  readonly limit: Criterion;
  /** Over the last seconds. */
  readonly outcome?: 'pass' | 'fail' | 'undecided';
  /** By the worst value since the look before, where values are known one by one. */
  readonly latest?: 'pass' | 'fail';
  /** It is broken for sure: nothing is waited for. */
  readonly atOnce?: true;
  readonly actual?: LiveValue;
  readonly monitor?: string;
  readonly source?: string;
}

/** News of a limit: it has been broken for a while, or holds again; `over`: the run ended while it was broken. */
export type LimitNews = BrokenLimit & { readonly is: 'breached' | 'recovered' | 'over'; readonly forMs: Milliseconds };

/** A limit must be broken, or hold again, for so long before it is told: a blip is no news. */
const sustainMs: Milliseconds = 10_000;
/** ... and a break that is shorter than this is none. */
const breakMs: Milliseconds = 5000;

interface Standing {
  /** The first value that broke it, and the last one so far. */
  readonly since: Milliseconds;
  badAt: Milliseconds;
  /** When it was broken last over the last seconds, and how. */
  failed?: { readonly at: Milliseconds; readonly is: BrokenLimit };
  told: boolean;
}

/** Follows limits through the judged window, second by second. */
export interface BreachWatch {
  /** What is new at this moment. */
  look(limits: readonly LimitNow[], at: Milliseconds): LimitNews[];
  /** The window is over: what is broken still. */
  close(at: Milliseconds): LimitNews[];
}

/** A {@link BreachWatch} at its beginning. */
export function breachWatch(): BreachWatch {
  const standings = new Map<Criterion, Standing>();
  return {
    look: (limits, at) => limits.flatMap((now) => follow(standings, now, at)),
    close: (at) => {
      const open = [...standings.values()].flatMap(({ told, failed, since }) => (told && failed ? [{ failed, since }] : []));
      standings.clear();
      return open.map(({ failed, since }) => ({ ...failed.is, is: 'over', forMs: at - since }));
    },
  };
}

/**
 * What the last seconds come to says whether a limit is broken; how long it has been, is counted from the first value that broke it
 * to the last, lest those seconds are added at both ends.
 *
 *       broken for 10 s, or `for`        held for 10 s
 *     holds ──────────────────▶ told ──────────────────▶ holds
 *       ▲ held for 5 s            │ broken again: goes on
 */
function follow(standings: Map<Criterion, Standing>, now: LimitNow, at: Milliseconds): LimitNews[] {
  const { limit, outcome, actual, latest } = now;
  if (outcome === undefined || outcome === 'undecided' || actual === undefined) return [];
  const isBad = (latest ?? outcome) === 'fail';
  const standing = standings.get(limit) ?? { since: at, badAt: at, told: false };
  if (isBad) standing.badAt = at;
  if (isBad || outcome === 'fail') standings.set(limit, standing);
  if (outcome === 'fail') return broken(standing, now, at, brokenLimit(now, actual));
  return isBad && !standing.told ? [] : holding(standings, { standing, limit, at, actual });
}

function broken(standing: Standing, { limit, atOnce }: LimitNow, at: Milliseconds, is: BrokenLimit): LimitNews[] {
  standing.failed = { at, is };
  const forMs = standing.badAt - standing.since;
  if (standing.told || (atOnce === undefined && forMs < Math.max(sustainMs, limit.for ?? 0))) return [];
  standing.told = true;
  return [{ ...is, is: 'breached', forMs }];
}

interface Held {
  readonly standing: Standing;
  readonly limit: Criterion;
  readonly at: Milliseconds;
  readonly actual: LiveValue;
}

function holding(standings: Map<Criterion, Standing>, { standing, limit, at, actual }: Held): LimitNews[] {
  const { failed, told, since, badAt } = standing;
  // A limit with `for` is about every moment, and what was never broken is counted from bad values in a row: a break begins anew.
  const pauseMs = limit.for === undefined && failed !== undefined ? breakMs : 0;
  const endedAt = Math.min(badAt, failed?.at ?? badAt);
  if (at - endedAt < (told ? sustainMs : pauseMs)) return [];
  standings.delete(limit);
  return told && failed !== undefined ? [{ ...failed.is, actual, is: 'recovered', forMs: endedAt - since }] : [];
}

function brokenLimit({ limit, monitor, source }: LimitNow, actual: LiveValue): BrokenLimit {
  return { limit, actual, ...(monitor === undefined ? {} : { monitor }), ...(source === undefined ? {} : { source }) };
}
