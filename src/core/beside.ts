import type { Defer } from './scope.js';

/**
 * Starts work that goes on beside whoever starts it, until `over` is aborted. Its scope waits for it in the end; the returned
 * function ends it, and waits for it, sooner.
 */
export type Beside = (work: (over: AbortSignal) => Promise<void>) => () => Promise<void>;

/** {@link Beside} in the scope of `defer`; `failed` hears at once of work that fails. */
export function besideIn(defer: Defer, failed: (error: unknown) => void): Beside {
  return (work) => {
    const over = new AbortController();
    const going = work(over.signal).catch(failed);
    const end = async () => {
      over.abort();
      await going;
    };
    defer(end);
    return end;
  };
}
