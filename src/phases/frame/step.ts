import { errorMessage } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';

/** Tells of a piece of work: that it began, and how it ended; `detail` says in a few words what came of it. */
export async function step<T>(
  { emit, clock }: { readonly emit: Emit; readonly clock: Clock },
  name: string,
  title: string,
  work: () => Promise<T>,
  detail: (result: T) => string = String,
): Promise<T> {
  const begun = clock.now();
  emit({ type: 'step-started', step: name, title });
  try {
    const result = await work();
    emit({ type: 'step-finished', step: name, elapsedMs: clock.now() - begun, detail: detail(result) });
    return result;
  } catch (error) {
    emit({ type: 'step-failed', step: name, message: errorMessage(error) });
    throw error;
  }
}
