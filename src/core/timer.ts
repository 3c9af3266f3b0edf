import type { Clock } from './os.js';
import type { Milliseconds } from './quantities.js';

/** A reason of its own: without one each abort makes an exception with its stack. */
const over = Symbol('over');

/** Calls `work` after `ms`, unless the function that it returns was called before. */
export function callAfter(clock: Pick<Clock, 'sleep'>, ms: Milliseconds, work: () => void): () => void {
  const off = new AbortController();
  void clock.sleep(ms, off.signal).then(() => {
    if (!off.signal.aborted) work();
  });
  return () => off.abort(over);
}

/** Does `work` with a signal that aborts after `ms`, as that of AbortSignal.timeout does. */
export async function within<T>(clock: Pick<Clock, 'sleep'>, ms: Milliseconds, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = () => limit.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  const letGo = callAfter(clock, ms, late);
  try {
    return await work(limit.signal);
  } finally {
    letGo();
  }
}

/** Starts to measure: the function that it returns says how long ago that was, in whole milliseconds. */
export function stopwatch(clock: Pick<Clock, 'elapsed'>): () => Milliseconds {
  const begun = clock.elapsed();
  return () => Math.round(clock.elapsed() - begun);
}

/**
 * Does `work` after every `everyMs`, until `signal` aborts. A tick that it comes too late for, as the work took longer or
 * this process did not run, is left out: nothing is caught up on.
 */
export async function repeat(
  clock: Pick<Clock, 'elapsed' | 'sleep'>,
  everyMs: Milliseconds,
  signal: AbortSignal,
  work: () => void | Promise<void>,
): Promise<void> {
  const begun = clock.elapsed();
  for (let tick = 1; ; ) {
    await clock.sleep(Math.max(0, begun + tick * everyMs - clock.elapsed()), signal);
    if (signal.aborted) return;
    await work();
    tick = Math.max(tick + 1, Math.ceil((clock.elapsed() - begun) / everyMs));
  }
}
