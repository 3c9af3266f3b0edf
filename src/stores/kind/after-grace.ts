import type { Milliseconds } from '../../core/quantities.js';
import { callAfter } from '../../core/timer.js';
import type { StoreContext } from './types.js';

/** So long what is under way may go on after an interrupt: what is about to end is not cut off, and is in. */
const graceMs: Milliseconds = 2000;

/** A signal that is aborted some time after that of the context; `over` ends the wait for it. */
export function afterGrace({ signal, clock }: Pick<StoreContext, 'signal' | 'clock'>): { readonly signal: AbortSignal; over(): void } {
  const late = new AbortController();
  let keep = () => {};
  const begin = () => {
    keep = callAfter(clock, graceMs, () => late.abort(signal.reason));
  };
  if (signal.aborted) late.abort(signal.reason);
  else signal.addEventListener('abort', begin, { once: true });
  return {
    signal: late.signal,
    over() {
      signal.removeEventListener('abort', begin);
      keep();
    },
  };
}
