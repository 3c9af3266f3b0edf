import type { Clock } from './os.js';
import type { EpochMs } from './quantities.js';

/**
 * What the wall clock said when elapsed() stood at 0: the one place where the two clocks meet. It changes when somebody sets
 * the wall clock, and when the machine sleeps, which elapsed() does not count.
 */
export function originOf(clock: Pick<Clock, 'stamp' | 'elapsed'>): EpochMs {
  return between(clock.stamp(), clock.elapsed());
}

function between(stamp: EpochMs, elapsed: number): EpochMs {
  return stamp - elapsed;
}
