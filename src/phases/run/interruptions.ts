import type { Crossing } from '../../core/criterion.js';
import { errorData, LoadctlError } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import type { Stop } from '../../core/stop.js';
import { noteText } from '../../reporters/sentences/note.js';
import { stopReason } from '../../reporters/sentences/stop.js';
import { stopAsked } from '../../runs/stop.js';
import type { RunDirectory } from '../../runs/write.js';
import type { Lock } from '../data/lock.js';
import type { CleanupAdvice, RunContext } from '../frame/context.js';

/** Why a load has to end before its time, from whichever side it comes first. */
export interface Interruptions {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** What it was; undefined while it is not time to stop. */
  why(): Stop | undefined;
  /** Also stop when this lock is lost. */
  onLockLost(lock: Lock): void;
  /** Stop now: the colour under load went live, or nobody knows any more whether it did. */
  onLiveColour(error: LoadctlError): void;
  /** Stop now: the fleet's live data says so. */
  onCrossing(crossing: Crossing): void;
  /** Throws `interrupted` (or what else it was) when it is time to stop: for the time before there is load. */
  check(): void;
  /** Resolves with `work`, or throws like {@link Interruptions.check} as soon as it is time to stop. */
  race<T>(work: Promise<T>): Promise<T>;
}

/**
 * Puts together everything that ends a load from outside: Ctrl-C, a run directory that cannot be written, a lost
 * lock, a colour that went live, a crossed limit. `advice` is what is left to do by hand then.
 */
export function interruptions(
  context: RunContext,
  directory: RunDirectory,
  advice: CleanupAdvice | undefined,
  defer: Defer,
): Interruptions {
  const { signal } = context;
  const byHand = advice === undefined ? {} : { hint: noteText(advice) };
  const stopped = new AbortController();
  let known: { readonly why: Stop; readonly error: LoadctlError } | undefined;
  const stop = (why: Stop, error = new LoadctlError('interrupted', stopReason(why), byHand)) => {
    known ??= { why, error };
    stopped.abort();
  };
  const onSignal = () => stop({ cause: 'signal' });
  if (signal.aborted) onSignal();
  signal.addEventListener('abort', onSignal);
  defer(() => signal.removeEventListener('abort', onSignal));
  void directory.failed.then((error) => stop({ cause: 'directory-lost', error: errorData(error) }, error));
  const over = new AbortController();
  defer(() => over.abort());
  void stopAsked(directory.path, context.world.clock, over.signal).then(({ by }) => stop({ cause: 'asked', by }));
  const check = () => {
    if (stopped.signal.aborted && known) throw known.error;
  };
  return {
    signal: stopped.signal,
    why: () => known?.why,
    onLiveColour: (error) => stop({ cause: 'live-colour', error: errorData(error) }, error),
    onCrossing: (crossing) => stop(crossing, new LoadctlError('sla-failed', stopReason(crossing))),
    onLockLost: (lock) => void lock.lost.then((error) => stop({ cause: 'lock-lost', error: errorData(error) }, error)),
    check,
    race: async (work) => {
      const interrupted = new Promise<never>((_, reject) => {
        const onStop = () => reject(known?.error);
        if (stopped.signal.aborted) onStop();
        stopped.signal.addEventListener('abort', onStop, { once: true });
      });
      interrupted.catch(() => {});
      const value = await Promise.race([work, interrupted]);
      check();
      return value;
    },
  };
}
