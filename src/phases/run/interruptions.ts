import { unlessAborted } from '../../core/abort.js';
import { type Beside, besideIn } from '../../core/beside.js';
import type { Crossing } from '../../core/criterion.js';
import { errorData, LoadctlError } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import type { Stop } from '../../core/stop.js';
import { noteText } from '../../reporters/sentences/note.js';
import { stopReason } from '../../reporters/sentences/stop.js';
import { stopAsked } from '../../runs/stop.js';
import type { RunDirectory } from '../../runs/write.js';
import type { CleanupAdvice, RunContext } from '../frame/context.js';

/** Why a load has to end before its time, from whichever side it comes first. */
export interface Interruptions {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** What it was; undefined while it is not time to stop. */
  why(): Stop | undefined;
  /** Starts work that goes on beside the run; when it fails, that is a reason to stop. */
  readonly beside: Beside;
  /** Also stop when this lock is lost. */
  onLockLost(lock: { readonly lost: Promise<LoadctlError> }): void;
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
 * lock, a colour that went live, a crossed limit, what goes on beside it and fails. `advice` is what is left to do by hand then.
 */
export function interruptions(
  context: RunContext,
  directory: RunDirectory,
  advice: CleanupAdvice | undefined,
  defer: Defer,
): Interruptions {
  const { signal, world } = context;
  const byHand = advice === undefined ? {} : { hint: noteText(advice) };
  const stopped = new AbortController();
  let known: { readonly why: Stop; readonly error: unknown } | undefined;
  const stop = (why: Stop, error: unknown = new LoadctlError('interrupted', stopReason(why), byHand)) => {
    known ??= { why, error };
    stopped.abort();
  };
  const onSignal = () => stop({ cause: 'signal' });
  if (signal.aborted) onSignal();
  signal.addEventListener('abort', onSignal);
  defer(() => signal.removeEventListener('abort', onSignal));
  const beside = besideIn(defer, (error) => stop({ cause: 'failed', error: errorData(error) }, error));
  /** What an error that comes at some time means. */
  const onError = (coming: Promise<LoadctlError>, causeOf: (error: LoadctlError) => Stop) =>
    beside(async (over) => {
      const error = await unlessAborted(coming, over);
      if (error !== undefined) stop(causeOf(error), error);
    });
  onError(directory.failed, (error) => ({ cause: 'directory-lost', error: errorData(error) }));
  beside(async (over) => {
    const asked = await stopAsked(directory.path, world.clock, over);
    if (asked !== undefined) stop(asked);
  });
  const check = () => {
    if (known !== undefined) throw known.error;
  };
  return {
    signal: stopped.signal,
    why: () => known?.why,
    beside,
    onLiveColour: (error) => stop({ cause: 'live-colour', error: errorData(error) }, error),
    onCrossing: (crossing) => stop(crossing, new LoadctlError('sla-failed', stopReason(crossing))),
    onLockLost: ({ lost }) => {
      onError(lost, (error) => ({ cause: 'lock-lost', error: errorData(error) }));
    },
    check,
    race: async (work) => {
      const value = await unlessAborted(
        work.then((done) => ({ done })),
        stopped.signal,
      );
      check();
      if (value === undefined) throw new Error('stopped for an unknown reason');
      return value.done;
    },
  };
}
