import { type ExitReason, LoadctlError } from '../../core/errors.js';
import type { Phase } from '../../core/events.js';
import type { DataContext } from '../data/lock.js';

/** Runs a phase between its two events; the error that ends it is passed on. */
export async function tellPhase<T>(
  { profile, emit, clock }: Pick<DataContext, 'profile' | 'emit' | 'clock'>,
  phase: Phase,
  title: string,
  work: () => Promise<T>,
  reasonsOf: (result: T) => readonly ExitReason[] = () => [],
): Promise<T> {
  const startedAt = clock.now();
  const finish = (reasons: readonly ExitReason[]) => emit({ type: 'phase-finished', phase, elapsedMs: clock.now() - startedAt, reasons });
  emit({ type: 'phase-started', phase, environment: profile.environment, title });
  try {
    const result = await work();
    finish(reasonsOf(result));
    return result;
  } catch (error) {
    finish([error instanceof LoadctlError ? error.reason : 'bug']);
    throw error;
  }
}
