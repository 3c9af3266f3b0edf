import type { Emit } from '../../core/events.js';
import type { Shell } from '../../core/os.js';
import type { Defer } from '../../core/scope.js';
import type { Note } from '../../core/warnings.js';
import { DoorAway, type DoorClient } from '../../door/client.js';

/** What signals do to a command whose run is elsewhere. */
export interface Signals {
  /** Aborted by a signal before there is a conductor: nothing is begun. */
  readonly interrupted: AbortSignal;
  /** Aborted where the command is to leave, and the run to go on as it is. */
  readonly leaving: AbortSignal;
  /** From now on SIGINT and SIGTERM are passed on to this conductor, and SIGHUP leaves. */
  passTo(door: DoorClient, endsBy: EndsBy): void;
}

const retryMs = 1000;

/** What ends a run that no stop reaches. */
export type EndsBy = Extract<Note, { code: 'stop-undelivered' }>['endsBy'];

/** Listens to signals until the scope ends. A third one leaves, whatever the conductor does. */
export function listenToSignals({ onInterrupt, clock }: Pick<Shell, 'onInterrupt' | 'clock'>, emit: Emit, defer: Defer): Signals {
  const [interrupted, leaving] = [new AbortController(), new AbortController()];
  let conductor: { readonly door: DoorClient; readonly endsBy: EndsBy } | undefined;
  let early: NodeJS.Signals | undefined;
  const pass = async (signal: 'SIGINT' | 'SIGTERM') => {
    if (conductor === undefined) return;
    const { door, endsBy } = conductor;
    for (let tries = 1; !leaving.signal.aborted; tries += 1) {
      try {
        return await door.stop({ signal });
      } catch (error) {
        if (!(error instanceof DoorAway)) return;
        if (tries === 1) emit({ type: 'noted', code: 'stop-undelivered', why: error.message, endsBy });
        await clock.sleep(retryMs, leaving.signal);
      }
    }
  };
  const act = (count: number, signal: NodeJS.Signals) => {
    if (signal === 'SIGHUP' || count > 2) leaving.abort();
    else void pass(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  };
  defer(
    onInterrupt((count, signal) => {
      if (conductor !== undefined) return act(count, signal);
      early ??= signal;
      interrupted.abort();
    }),
  );
  defer(() => leaving.abort());
  return {
    interrupted: interrupted.signal,
    leaving: leaving.signal,
    passTo: (door, endsBy) => {
      conductor = { door, endsBy };
      // It came while the hand-in was under way: too late to begin nothing.
      if (early !== undefined) act(1, early);
    },
  };
}
