import type { Stamp } from '../../core/events.js';
import type { Milliseconds } from '../../core/quantities.js';

/** A wall clock that is slewed goes to and fro by less. */
const slewMs: Milliseconds = 1000;

/**
 * Stamps for what is written to databases, whose order is that of what happened: where the wall clock is set back in a run, its time
 * goes on as it was. A second that is written under the moment of an earlier one would overwrite it, or be refused.
 */
export function steadyTime(): <T extends Stamp>(stamped: T) => T {
  let ahead = Number.NEGATIVE_INFINITY;
  return (stamped) => {
    ahead = Math.max(ahead, stamped.at - stamped.t);
    const steady = Math.round(stamped.t + ahead);
    return steady - stamped.at > slewMs ? { ...stamped, at: steady } : stamped;
  };
}
