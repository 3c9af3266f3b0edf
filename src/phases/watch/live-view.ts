import type { Crossing } from '../../core/criterion.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { EpochMs } from '../../core/quantities.js';
import type { LiveLook } from '../../metrics/abort-watch.js';
import type { ProbeCount } from '../../metrics/criterion.js';
import { fleetLook, iterationsOnly } from '../../metrics/fleet-look.js';
import { fleetSecond, fleetTotals, nothingYet } from '../../metrics/fleet-second.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import { type LiveData, silentMs } from './live-data.js';
import type { LoadEndAt } from './load-end.js';

const everyMs = 1000;

/** What a live view is given. */
export interface LiveViewContext {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly live: LiveData;
  readonly directory: RunDirectory;
  /** How many runners there are. */
  readonly runners: number;
  readonly endAt: LoadEndAt;
  /** Whether samples of iterations are told from those of setup() by the tag of the judged window. */
  readonly tagged: boolean;
  /** Good and all health probes so far; undefined where nothing is probed. */
  probes(): ProbeCount | undefined;
  /** Whether the fleet must end, by what is known now. */
  watch(look: LiveLook): Crossing | undefined;
  /** Called once, with the first crossing. */
  crossed(crossing: Crossing): void;
}

/** The live view of a load. */
export interface LiveView {
  /** Stops looking every second; a second call does nothing. */
  stop(): Promise<void>;
  /** One last look, when every runner has pushed its last. */
  finish(): void;
}

/**
 * Tells once a second what the fleet does, from what its runners push; writes it to timeseries.ndjson, and watches
 * whether it must end.
 */
export function startLiveView(context: LiveViewContext): LiveView {
  const { clock, live } = context;
  const stopped = new AbortController();
  const begun = clock.now();
  const look = looker(context, begun);
  let done = false;
  const lookNow = () => {
    if (live.heardAt.size === 0) return;
    const crossing = look({ watching: !done });
    if (crossing === undefined) return;
    done = true;
    context.crossed(crossing);
  };
  const loop = async () => {
    for (let next = begun + everyMs; !stopped.signal.aborted; next += everyMs) {
      await clock.sleep(Math.max(0, next - clock.now()), stopped.signal);
      if (!stopped.signal.aborted) lookNow();
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      done = true;
      stopped.abort();
      await looping;
    },
    finish: () => {
      done = true;
      lookNow();
    },
  };
}

/** Looks at the fleet when it is called: tells and keeps the second since the call before, and asks whether the fleet must end. */
function looker(context: LiveViewContext, begun: EpochMs): (asked: { watching: boolean }) => Crossing | undefined {
  const { clock, emit, live, directory, runners, endAt, probes, watch } = context;
  const picks = iterationsOnly(context.tagged);
  let before = nothingYet;
  return ({ watching }) => {
    const at = clock.now();
    const elapsedMs = at - begun;
    const heardMs = [...live.heardAt.values()].filter((heard) => at - heard < silentMs).map((heard) => heard - begun);
    const now = fleetTotals(live.numbers, elapsedMs, picks);
    const { sample, line } = fleetSecond(now, before, { totalMs: endAt(elapsedMs), runnersReporting: heardMs.length });
    before = now;
    directory.append(runFiles.timeseries, { at, ...line });
    emit(sample);
    live.tellExcess();
    return watching ? watch(fleetLook(live.numbers, { elapsedMs, heardMs, runners, probes: probes(), picks })) : undefined;
  };
}
