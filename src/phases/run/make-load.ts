import type { Clock } from '../../core/os.js';
import type { EpochMs } from '../../core/quantities.js';
import { reachOf } from '../../k6/reach.js';
import { countProbes, startHealthProbe } from '../target/health-probe.js';
import { watchGenerators } from '../watch/generators.js';
import { startLiveView } from '../watch/live-view.js';
import { loadEndAt } from '../watch/load-end.js';
import type { Attempt } from './attempt.js';
import { type LoadEnd, type LostRunner, releaseTogether, stopLoad, watchLoad } from './fleet.js';
import type { ReadyFleet } from './get-ready.js';
import { watchFor } from './limits.js';
import { lossesOf } from './losses.js';

/** A load that is over. */
export interface Loaded {
  readonly end: LoadEnd;
  readonly lost: readonly LostRunner[];
  readonly releasedAt: EpochMs;
  /** To be called when the runners are gone: k6 pushes its last before it ends. */
  readonly lastLook: () => void;
}

/** What there is of a load whose setup() failed: nothing. */
export function noLoad(clock: Clock): Loaded {
  return { end: { how: 'never-begun' }, lost: [], releasedAt: clock.now(), lastLook: () => {} };
}

/**
 * Releases the fleet and listens to it, to the target's health, to which colour is live and to the generators, until all runners are done or the
 * first reason to stop. When it resolves, no runner makes load any more.
 */
export async function makeLoad(attempt: Attempt, ready: ReadyFleet): Promise<Loaded> {
  const { context, directory, test, stop, fleet, colourWatch, userAgent, defer } = attempt;
  const { emit } = context;
  const { clock } = fleet;
  const { runners, live } = ready;
  const { health } = context.target;

  await stop.race(colourWatch.look());
  const probes = countProbes(emit);
  const stopProbing =
    health === undefined ? undefined : startHealthProbe(health, { userAgent, clock, reach: reachOf(test.options) }, probes.emit);
  defer(() => stopProbing?.(true));

  await releaseTogether(runners, fleet);
  const releasedAt = clock.now();
  const endAt = loadEndAt(test.load.scenarios, live.numbers);
  const endWatch = watchGenerators(runners, directory, { clock, emit });
  defer(endWatch);
  const view = startLiveView({
    clock,
    emit,
    live,
    directory,
    runners: runners.length,
    endAt,
    tagged: test.tagged,
    probes: () => (health === undefined ? undefined : probes.count()),
    watch: watchFor(context, test),
    crossed: stop.onCrossing,
  });
  defer(view.stop);

  const { goOnWithout } = lossesOf(context, fleet, { releasedAt, endAt });
  const { end, lost } = await watchLoad(runners, ready.noticeMs, fleet, goOnWithout);
  await view.stop();
  if (end.how !== 'finished') {
    tellWhy(end, { stop, fleet });
    await stopLoad(runners, fleet);
  }
  colourWatch.end();
  emit({ type: 'load-ended', elapsedMs: clock.now() - releasedAt });
  await endWatch();
  await stopProbing?.(end.how !== 'finished');
  return { end, lost, releasedAt, lastLook: view.finish };
}

function tellWhy(end: LoadEnd, { stop, fleet: { emit } }: Pick<Attempt, 'stop' | 'fleet'>): void {
  if (end.how === 'aborted-by-script') {
    emit({ type: 'fleet-stopped', cause: 'script', runner: end.runner.id });
  } else if (end.how === 'lost') {
    const { runner, end: how } = end.lost;
    emit({ type: 'fleet-stopped', cause: 'runner-lost', runner: runner.id, end: how });
    runner.end('hard');
  } else {
    const why = stop.why();
    if (why !== undefined) emit({ type: 'fleet-stopped', ...why });
  }
}
