import type { Clock } from './os.js';
import type { Milliseconds } from './quantities.js';

/** Calls `work` after `ms`, unless the function that it returns was called before. */
export function callAfter(clock: Pick<Clock, 'sleep'>, ms: Milliseconds, work: () => void): () => void {
  const off = new AbortController();
  void clock.sleep(ms, off.signal).then(() => {
    if (!off.signal.aborted) work();
  });
  return () => off.abort();
}
