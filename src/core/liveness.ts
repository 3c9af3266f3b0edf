import type { Clock } from './os.js';
import type { Milliseconds } from './quantities.js';

/** A tick that is later than this was not slow: this machine itself stood still (asleep, frozen), and could hear nothing. */
const lateMs: Milliseconds = 500;

/** When something was last heard of, which is now at first, and the ticks of whoever listens for it. */
export type LastSign = ReturnType<typeof lastSign>;

/** Listens for something by the given clock. */
export function lastSign(clock: Pick<Clock, 'elapsed' | 'sleep'>) {
  let at = clock.elapsed();
  return {
    hear: () => {
      at = clock.elapsed();
    },
    /** How long nothing was heard, but for what this machine stood still in ticks. */
    silentMs: () => clock.elapsed() - at,
    /** Waits for the next tick, or until `signal` aborts. */
    tick: async (everyMs: Milliseconds, signal: AbortSignal) => {
      const begun = clock.elapsed();
      await clock.sleep(everyMs, signal);
      const overMs = clock.elapsed() - begun - everyMs;
      if (overMs > lateMs) at += overMs;
    },
  };
}
