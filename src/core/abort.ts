import { LoadctlError } from './errors.js';

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What `work` comes to; undefined when `signal` is aborted first. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const done = new AbortController();
  const given = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, given]);
  } finally {
    done.abort('done'); // with a reason: without one, an error with a stack is made
  }
}

/** Whether a promise has not come to anything yet. */
export async function isPending(work: Promise<unknown>): Promise<boolean> {
  const nothing = Symbol();
  const first = await Promise.race([work, Promise.resolve(nothing)]).catch(() => undefined);
  return first === nothing;
}

/** Throws what a signal was aborted with, as an interrupt where that says nothing. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw interruptOf(signal);
}

/** What a signal was aborted with, as an interrupt where that says nothing. */
export function interruptOf({ reason }: AbortSignal): LoadctlError {
  return reason instanceof LoadctlError ? reason : new LoadctlError('interrupted', 'interrupted');
}
