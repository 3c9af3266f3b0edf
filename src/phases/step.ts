import { errorMessage } from '../core/errors.js';
import type { PhaseContext } from './context.js';

/** Tells of a piece of work: that it began, and how it ended. */
export async function step<T>(
  { emit, world }: Pick<PhaseContext, 'emit' | 'world'>,
  name: string,
  title: string,
  work: () => Promise<{ value: T; detail: string }>,
): Promise<T> {
  const begun = world.clock.now();
  emit({ type: 'step-started', step: name, title });
  try {
    const { value, detail } = await work();
    emit({ type: 'step-finished', step: name, elapsedMs: world.clock.now() - begun, detail });
    return value;
  } catch (error) {
    emit({ type: 'step-failed', step: name, message: errorMessage(error) });
    throw error;
  }
}
