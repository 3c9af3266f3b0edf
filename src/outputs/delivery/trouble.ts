import type { Milliseconds } from '../../core/quantities.js';

/** What is told of an output that does not keep up. */
export type TroubleNews =
  | { readonly is: 'behind'; readonly why: string }
  | { readonly is: 'back'; readonly forMs: Milliseconds; readonly lost: number };

/** Follows whether an output keeps up. */
export interface Trouble {
  /** A parcel could not be sent; the attempt began at `since`. */
  failed(since: Milliseconds, why: string): void;
  /** The oldest that waits has waited so long, by now. */
  waits(now: Milliseconds, ageMs: Milliseconds): void;
  /** So much was dropped for want of room. */
  dropped(amount: number): void;
  /** Nothing waits any more. */
  caughtUp(now: Milliseconds): void;
}

/** So long is nobody's business: nothing is lost by it. */
const quietMs: Milliseconds = 5000;

/**
 *             waited for 5 s                  nothing waits
 *     well ─────────────────────▶ told behind ──────────────▶ told back, well
 *       ▲ nothing waits before that: well again, and nothing is told
 */
export function troubleTeller(tell: (news: TroubleNews) => void): Trouble {
  let why: string | undefined;
  let since: Milliseconds | undefined;
  let isTold = false;
  let lost = 0;
  const reset = () => {
    [why, since, isTold, lost] = [undefined, undefined, false, 0];
  };
  return {
    failed: (at, reason) => {
      since ??= at;
      why = reason;
    },
    dropped: (amount) => {
      lost += amount;
    },
    waits: (now, ageMs) => {
      if (ageMs > quietMs) since ??= now - ageMs;
      if (isTold || since === undefined || now - since < quietMs) return;
      isTold = true;
      tell({ is: 'behind', why: why ?? 'it is slow' });
    },
    caughtUp: (now) => {
      const over: TroubleNews | undefined =
        isTold && since !== undefined ? { is: 'back', forMs: Math.round(now - since), lost } : undefined;
      // First: who is told may look again at once.
      reset();
      if (over !== undefined) tell(over);
    },
  };
}
