import { type ExitReason, LoadctlError } from '../../core/errors.js';
import type { Emit, PhaseAim } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { stopwatch } from '../../core/timer.js';

/** Runs a phase between its two events; the error that ends it is passed on. */
export async function tellPhase<T>(
  { environment, emit, clock }: { readonly environment: string; readonly emit: Emit; readonly clock: Clock },
  aim: PhaseAim,
  work: () => Promise<T>,
  reasonsOf: (result: T) => readonly ExitReason[] = () => [],
): Promise<T> {
  const { phase } = aim;
  const took = stopwatch(clock);
  const finish = (reasons: readonly ExitReason[]) => emit({ type: 'phase-finished', phase, elapsedMs: took(), reasons });
  emit({ type: 'phase-started', environment, ...aim });
  try {
    const result = await work();
    finish(reasonsOf(result));
    return result;
  } catch (error) {
    finish([error instanceof LoadctlError ? error.reason : 'bug']);
    throw error;
  }
}
