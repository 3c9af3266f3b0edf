import { originOf } from '../../core/origin.js';
import type { Milliseconds } from '../../core/quantities.js';
import { repeat } from '../../core/timer.js';
import type { Watching } from './watching.js';

const everyMs: Milliseconds = 1000;
/** Clocks are put right all the time, a little at a time. */
const jumpMs: Milliseconds = 1000;
/** A look that comes later than this was not slow: nothing of loadctl ran. */
const lateMs: Milliseconds = 2000;

/**
 * Tells when the wall clock of this machine was set, or the machine slept, and when loadctl itself did not run. Nothing is
 * measured by either; the returned function ends it, after one last look.
 */
export function watchClocks({ clock, emit, beside }: Pick<Watching, 'clock' | 'emit' | 'beside'>): () => Promise<void> {
  let origin = originOf(clock);
  let lookedAt = clock.elapsed();
  const look = () => {
    const byMs = Math.round(originOf(clock) - origin);
    const forMs = Math.round(clock.elapsed() - lookedAt - everyMs);
    origin += byMs;
    lookedAt = clock.elapsed();
    if (Math.abs(byMs) > jumpMs) emit({ type: 'warned', code: 'clock-jumped', byMs });
    if (forMs > lateMs) emit({ type: 'warned', code: 'stood-still', forMs });
  };
  return beside(async (over) => {
    await repeat(clock, everyMs, over, look);
    look();
  });
}
