import type { Emit, LoadAim } from '../../core/events.js';
import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import { stopwatch } from '../../core/timer.js';
import { reachOf } from '../../k6/reach.js';
import { longestMs } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';
import { plannedShares } from '../../plan/requests.js';
import type { Runner } from '../../runners/runner/types.js';
import { countProbes, startHealthProbe } from '../target/health-probe.js';
import { nameAsker } from '../watch/ask-names.js';
import { watchClocks } from '../watch/clocks.js';
import { watchGenerators } from '../watch/generators.js';
import { startLiveView } from '../watch/live-view.js';
import { loadEndAt } from '../watch/load-end.js';
import type { Attempt } from './attempt.js';
import { stopLoad } from './fleet.js';
import type { ReadyFleet } from './get-ready.js';
import { limitsOf } from './limits.js';
import { type LoadSoFar, lossPolicy } from './losses.js';
import { standstill } from './standstill.js';
import { type LoadEnd, watchLoad } from './watch-load.js';

/** A load that is over. */
export interface Loaded {
  readonly end: LoadEnd | { readonly how: 'never-begun' };
  /** How the load of each runner ended; those that were stopped with the fleet are not in it. */
  readonly ends: ReadonlyMap<Runner, RunnerEnd>;
  /** By elapsed(). */
  readonly releasedAt: Milliseconds;
  /** The same by the run's `t`, and when the last runner's load ended. */
  readonly at: { readonly from: Milliseconds; readonly to: Milliseconds };
  /** From the release to the end of the last runner's load. */
  readonly lastedMs: Milliseconds;
  /** How long a runner stood still meanwhile. */
  readonly stillMs: (runner: Runner) => Milliseconds;
  /** To be called when the runners are gone: k6 pushes its last before it ends. */
  readonly lastLook: () => void;
}

/** A runner may go on for so long after its planned end and the grace of its iterations. */
const overtimeMs: Milliseconds = 30_000;

/** What there is of a load whose setup() failed: nothing. */
export function noLoad({ fleet }: ReadyFleet): Loaded {
  return {
    end: { how: 'never-begun' },
    ends: new Map(),
    releasedAt: fleet.clock.elapsed(),
    at: { from: 0, to: 0 },
    lastedMs: 0,
    stillMs: () => 0,
    lastLook: () => {},
  };
}

/**
 * Releases the fleet and listens to it, to the target's health, to which colour is live and to the generators, until all runners are done or the
 * first reason to stop. When it resolves, no runner makes load any more.
 */
export async function makeLoad(attempt: Attempt, ready: ReadyFleet): Promise<Loaded> {
  const { context, directory, test, stop, colourWatch, userAgent } = attempt;
  const { emit, moment, plan } = context;
  const { runners, live, fleet } = ready;
  const { clock } = fleet;
  const { health } = context.target;

  await stop.race(colourWatch.look());
  const probes = countProbes(emit);
  const limits = limitsOf(attempt, ready);
  const heard: Emit = (event) => {
    probes.emit(event);
    limits.heard(event);
  };
  const from = moment().t;
  emit({ type: 'fleet-released', runners: runners.length, ...aimOf(plan) });
  ready.teardown.due();
  const took = stopwatch(clock);
  const releasedAt = clock.elapsed();
  const load: LoadSoFar = { plan, test, live, releasedAt };
  const ceilingMs = longestMs(test) + overtimeMs;
  const standing = new Map(runners.map((runner) => [runner, standstill()]));
  const watchOf = (runner: Runner) => ({ ...fleet.watchOf(runner), ceilingMs, standstill: standing.get(runner) ?? standstill() });
  // Before anything else begins, which would come between the first release and the last.
  const watched = watchLoad({ runners, watchOf, goOnWithout: lossPolicy(load, fleet) }, fleet.signal);
  const endProbes =
    health === undefined
      ? undefined
      : startHealthProbe(health, { userAgent, clock, reach: reachOf(test.options) }, { emit: heard, beside: stop.beside });

  const endAt = loadEndAt(test.load.scenarios, live.numbers);
  const expected = () => runners.filter(({ gone }) => !gone.aborted).map(({ id }) => id);
  const watching = { clock, emit, moment, directory, beside: stop.beside };
  const endWatch = watchGenerators(runners, watching);
  const endClocks = watchClocks(watching);
  const names = nameAsker(runners, live.numbers);
  const view = startLiveView({
    ...watching,
    live,
    endAt,
    tagged: test.tagged,
    crossed: stop.onCrossing,
    setupMs: ready.setUp.elapsedMs,
    probes: () => (health === undefined ? undefined : probes.count()),
    watch: limits.watch,
    expected,
    rates: () => limits.rates(expected()),
    names: () => names(expected()),
  });

  const { end, ends } = await watched;
  await view.stop();
  limits.close();
  if (end.how !== 'finished') {
    tellWhy(end, attempt);
    await stopLoad(runners, fleet);
  }
  await colourWatch.end();
  const lastedMs = took();
  emit({ type: 'load-ended', elapsedMs: lastedMs });
  await Promise.all([endWatch(), endClocks(), endProbes?.(end.how !== 'finished')]);
  const stillMs = (runner: Runner) => standing.get(runner)?.ms() ?? 0;
  return { end, ends, releasedAt, at: { from, to: from + lastedMs }, lastedMs, stillMs, lastLook: view.finish };
}

function aimOf({ steady, draws }: Plan): LoadAim {
  const shares = plannedShares(draws);
  return { ...(steady === undefined ? {} : { judged: steady }), ...(shares === undefined ? {} : { shares }) };
}

function tellWhy(end: LoadEnd, { stop, context: { emit } }: Attempt): void {
  if (end.how === 'aborted') emit({ type: 'fleet-stopped', cause: 'script', runner: end.runner.id });
  else if (end.how === 'lost') emit({ type: 'fleet-stopped', cause: 'runner-lost', runner: end.runner.id, end: end.end });
  else {
    const why = stop.why();
    if (why !== undefined) emit({ type: 'fleet-stopped', ...why });
  }
}
