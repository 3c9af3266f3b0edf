import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { Sealable } from '../connection/sealable.js';

/** How long something is tried again that may mend itself. */
export interface Patience {
  /** Waits a little, longer each time; false when it has been too long since the first wait. */
  wait(): Promise<boolean>;
  /** Something went well: the time begins anew. */
  reset(): void;
}

const longestPauseMs = 1000;

/** Patience for so long, on this clock; a pause ends at once when the signal aborts. */
export function patienceFor(ms: Milliseconds, clock: Clock, signal: Sealable): Patience {
  let waits = 0;
  let until: number | undefined;
  return {
    async wait() {
      until ??= clock.elapsed() + ms;
      if (clock.elapsed() >= until) return false;
      await clock.sleep(Math.min(longestPauseMs, 25 * 2 ** waits++), signal.current());
      signal.throwIfAborted();
      return true;
    },
    reset() {
      waits = 0;
      until = undefined;
    },
  };
}
