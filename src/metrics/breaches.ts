import type { Criterion } from '../core/criterion.js';
import type { BrokenLimit } from '../core/monitors.js';
import type { LiveValue, Milliseconds } from '../core/quantities.js';

/** How a limit stands at one moment; without an outcome nobody knows. */
export interface LimitNow {
  readonly limit: Criterion;
  readonly outcome?: 'pass' | 'fail' | 'undecided';
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
  /** When it was broken first, and last. */
  brokenSince: Milliseconds;
  brokenAt: Milliseconds;
  told: boolean;
  last: BrokenLimit;
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
      const open = [...standings.values()].filter(({ told }) => told);
      standings.clear();
      return open.map(({ last, brokenSince }) => ({ ...last, is: 'over', forMs: at - brokenSince }));
    },
  };
}

/**
 *             broken for 10 s            held for 10 s
 *     holds ──────────────────▶ told ──────────────────▶ holds
 *       ▲ held for 5 s            │ broken again: goes on
 */
function follow(standings: Map<Criterion, Standing>, now: LimitNow, at: Milliseconds): LimitNews[] {
  const { limit, outcome, actual } = now;
  const known = standings.get(limit);
  if (outcome === undefined || actual === undefined) return [];
  if (outcome === 'undecided') return [];
  if (outcome === 'fail') {
    const standing = known ?? { brokenSince: at, brokenAt: at, told: false, last: brokenLimit(now, actual) };
    standing.brokenAt = at;
    standing.last = brokenLimit(now, actual);
    standings.set(limit, standing);
    if (standing.told || (now.atOnce === undefined && at - standing.brokenSince < sustainMs)) return [];
    standing.told = true;
    return [{ ...standing.last, is: 'breached', forMs: at - standing.brokenSince }];
  }
  if (known === undefined || at - known.brokenAt < (known.told ? sustainMs : breakMs)) return [];
  standings.delete(limit);
  if (!known.told) return [];
  return [{ ...known.last, actual, is: 'recovered', forMs: known.brokenAt - known.brokenSince }];
}

function brokenLimit({ limit, monitor, source }: LimitNow, actual: LiveValue): BrokenLimit {
  return { limit, actual, ...(monitor === undefined ? {} : { monitor }), ...(source === undefined ? {} : { source }) };
}
