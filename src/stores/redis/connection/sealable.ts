import { throwIfAborted } from '../../../core/abort.js';
import { afterGrace } from '../../kind/after-grace.js';
import type { StoreContext } from '../../kind/types.js';

/** A signal that can be told to leave what is under way some time yet. */
export interface Sealable {
  throwIfAborted(): void;
  /** The signal that counts now, for what waits. */
  current(): AbortSignal;
  /** Aborts some time after the other one: what no answer came to by then gets none. */
  readonly late: AbortSignal;
  /** From here on what is under way may go on for that time; throws when the signal has aborted already. */
  seal(): void;
  /** It is not needed any more. */
  over(): void;
}

/** Half written is worse than written late: what must not be cut in two is sealed, for as long as a server answers. */
export function sealable(context: Pick<StoreContext, 'signal' | 'clock'>): Sealable {
  const { signal: late, over } = afterGrace(context);
  let signal = context.signal;
  return {
    throwIfAborted: () => throwIfAborted(signal),
    current: () => signal,
    late,
    seal() {
      throwIfAborted(signal);
      signal = late;
    },
    over,
  };
}
