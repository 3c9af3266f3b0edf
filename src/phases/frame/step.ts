import { errorMessage } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { stopwatch } from '../../core/timer.js';
import type { Work, WorkResult } from '../../core/work.js';

/** Whom a piece of work is told to, and by what clock. */
export interface Teller {
  readonly emit: Emit;
  readonly clock: Clock;
}

/** The teller of a phase. */
export function tellerOf({ emit, world }: { readonly emit: Emit; readonly world: { readonly clock: Clock } }): Teller {
  return { emit, clock: world.clock };
}

/** Tells of a piece of work: that it began, and how it ended; `came` says what came of it. There is one of each kind in a phase. */
export async function step<T>({ emit, clock }: Teller, work: Work, does: () => Promise<T>, came: (value: T) => WorkResult): Promise<T> {
  const took = stopwatch(clock);
  emit({ type: 'step-started', step: work.kind, work });
  try {
    const value = await does();
    emit({ type: 'step-finished', step: work.kind, elapsedMs: took(), ...came(value) });
    return value;
  } catch (error) {
    emit({ type: 'step-failed', step: work.kind, message: errorMessage(error) });
    throw error;
  }
}
