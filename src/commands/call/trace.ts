import type { Emit, LoggedEvent, Moment } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { redactData } from '../../core/redact-data.js';
import type { Redactor } from '../../core/redactor.js';
import type { RunDirectory } from '../../runs/write.js';

/** Everything that one command tells: each event with its moment, to all who listen, and into the directory of its run. */
export interface Trace {
  readonly emit: Emit;
  readonly moment: Moment;
  /** Writes every event, those before this call too, into a run directory; {@link Trace.close} closes it. */
  keepIn(directory: RunDirectory): void;
  /** No more events are kept. */
  close(): void;
}

/** A trace whose first event is at t = 0. `listener` hears each event at once; secrets are taken out before anybody does. */
export function openTrace(clock: Clock, redact: Redactor, listener: (event: LoggedEvent) => void): Trace {
  const begun = clock.elapsed();
  let earlier: LoggedEvent[] = [];
  let directory: RunDirectory | undefined;
  let closed = false;
  const moment: Moment = () => ({ at: clock.stamp(), t: Math.round(clock.elapsed() - begun) });
  return {
    moment,
    emit: (event) => {
      const logged = { ...moment(), ...redactData(event, redact) };
      if (directory !== undefined) directory.log(logged);
      else if (!closed) earlier.push(logged);
      listener(logged);
    },
    keepIn: (kept) => {
      for (const event of earlier) kept.log(event);
      earlier = [];
      directory = kept;
    },
    close: () => {
      closed = true;
      directory?.close();
      directory = undefined;
    },
  };
}
