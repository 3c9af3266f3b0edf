import { LoadctlError } from '../../../core/errors.js';

/** A signal that can be told not to end anything any more. */
export interface Sealable {
  throwIfAborted(): void;
  /** The signal while it still counts, for what waits. */
  current(): AbortSignal | undefined;
  /** From here on nothing is ended; throws when the signal has aborted already. */
  seal(): void;
}

/** Half written is worse than written late: what must not be cut in two is sealed. */
export function sealable(signal: AbortSignal): Sealable {
  let sealed = false;
  const throwIfAborted = () => {
    if (sealed || !signal.aborted) return;
    throw signal.reason instanceof LoadctlError ? signal.reason : new LoadctlError('interrupted', 'interrupted');
  };
  return {
    throwIfAborted,
    current: () => (sealed ? undefined : signal),
    seal() {
      throwIfAborted();
      sealed = true;
    },
  };
}
