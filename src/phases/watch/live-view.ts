import type { Crossing } from '../../core/criterion.js';
import type { RunnerId } from '../../core/ids.js';
import type { Milliseconds } from '../../core/quantities.js';
import { repeat } from '../../core/timer.js';
import type { LiveLook } from '../../metrics/abort-watch.js';
import type { ProbeCount } from '../../metrics/criterion.js';
import { fleetLook, iterationsOnly } from '../../metrics/fleet-look.js';
import { type FleetTotals, fleetSecond, fleetTotals, nothingYet, remembered } from '../../metrics/fleet-second.js';
import { histogramLines } from '../../metrics/histogram-lines.js';
import type { RateCounts } from '../../metrics/rate-counts.js';
import { runFiles } from '../../runs/layout.js';
import type { LiveData } from './live-data.js';
import type { LoadEndAt } from './load-end.js';
import type { Watching } from './watching.js';

const everyMs: Milliseconds = 1000;
/** What is told of the last seconds is of so many, or one more. */
const recentMs: Milliseconds = 10_000;

/** What a live view is given. */
export interface LiveViewContext extends Watching {
  readonly live: LiveData;
  /** The runners whose load is not over. */
  expected(): readonly RunnerId[];
  readonly endAt: LoadEndAt;
  /** How long setup() took: the script's own limits on rates count it. */
  readonly setupMs: Milliseconds;
  /** Whether samples of iterations are told from those of setup() by the tag of the judged window. */
  readonly tagged: boolean;
  /** Good and all health probes so far; undefined where nothing is probed. */
  probes(): ProbeCount | undefined;
  /** What pushes do not tell of rates: asked anew for every look. */
  rates(): Promise<RateCounts>;
  /** Finds out what metrics are called whose names on the wire do not tell. */
  names(): Promise<void>;
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
 * Tells once a second what the fleet does, from what its runners push; writes it to timeseries.ndjson, every 10 s how long
 * requests took to histograms.ndjson, and watches whether it must end.
 */
export function startLiveView(context: LiveViewContext): LiveView {
  const { live } = context;
  const looker = lookAtFleet(context);
  let done = false;
  const look = async () => {
    if (live.heardAt.size === 0) return;
    const [rates] = await Promise.all([context.rates(), context.names()]);
    looker.tell(false);
    const crossing = done ? undefined : looker.judge(rates);
    if (crossing === undefined) return;
    done = true;
    context.crossed(crossing);
  };
  const end = context.beside((over) => repeat(context.clock, everyMs, over, look));
  return {
    stop: async () => {
      done = true;
      await end();
    },
    finish: () => {
      if (live.heardAt.size > 0) looker.tell(true);
    },
  };
}

/** Looks at the fleet when it is called: tells and keeps the second since the call before, and judges whether the fleet must end. */
function lookAtFleet(context: LiveViewContext): { tell(isLast: boolean): void; judge(rates: RateCounts): Crossing | undefined } {
  const { clock, emit, moment, live, directory, endAt, setupMs, probes } = context;
  const begun = clock.elapsed();
  const picks = iterationsOnly(context.tagged);
  const heardSince = (runners: Iterable<RunnerId>, since: Milliseconds) =>
    [...runners].flatMap((runner) => live.heardAt.get(runner) ?? []).filter((heardAt) => heardAt > since);
  const histograms = histogramLines(live.numbers, picks);
  let before = nothingYet;
  const past: FleetTotals[] = [nothingYet];
  return {
    tell: (isLast) => {
      const at = clock.elapsed();
      const elapsedMs = Math.round(at - begun);
      const totals = fleetTotals(live.numbers, elapsedMs, picks);
      const runnersReporting = heardSince(live.heardAt.keys(), at - live.silentMs).length;
      while ((past[1]?.elapsedMs ?? elapsedMs) <= elapsedMs - recentMs) past.shift();
      const [recentFrom = nothingYet] = past;
      const { sample, line } = fleetSecond(totals, before, { totalMs: endAt(elapsedMs), runnersReporting, recentFrom });
      before = totals;
      past.push(remembered(totals));
      directory.append(runFiles.timeseries, { ...moment(), ...line });
      const stretch = histograms.next(elapsedMs, isLast);
      if (stretch !== undefined) directory.append(runFiles.histograms, { ...moment(), ...stretch });
      emit(sample);
      live.tellExcess();
    },
    judge: (rates) => {
      const at = clock.elapsed();
      const expected = context.expected();
      const heardMs = heardSince(expected, at - live.silentMs).map((heardAt) => heardAt - begun);
      const moment = {
        elapsedMs: Math.round(at - begun),
        setupMs,
        expected: expected.length,
        heardMs,
        probes: probes(),
        picks,
        rates,
        silentMs: live.silentMs,
      };
      return context.watch(fleetLook(live.numbers, moment));
    },
  };
}
