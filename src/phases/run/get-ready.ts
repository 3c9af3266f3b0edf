import { stopwatch } from '../../core/timer.js';
import { withSecrets } from '../../plan/access.js';
import { backendNamed } from '../../runners/index.js';
import type { Runner } from '../../runners/runner/types.js';
import { step } from '../frame/step.js';
import { type LiveData, openLiveData } from '../watch/live-data.js';
import type { Attempt } from './attempt.js';
import { checkHosts } from './check-capacity.js';
import { expectedOf } from './expected.js';
import { awaitReady, endHard, type FleetContext, keepFiles, startFleet, withinLimit } from './fleet.js';
import { launches } from './launches.js';
import { namesOfInterest } from './limits.js';
import { watchfulness } from './runner-watch.js';
import { noSetUp, type SetUp, setUpOnce } from './set-up.js';
import { type ClockOrigins, readOrigins } from './start-skew.js';
import { type Teardown, teardownOf } from './teardown.js';

/** A fleet at the barrier: paused, set up once, heard from the first second on. */
export interface ReadyFleet {
  readonly runners: readonly Runner[];
  readonly fleet: FleetContext;
  readonly live: LiveData;
  readonly setUp: SetUp;
  /** Due since setup() was asked for. */
  readonly teardown: Teardown;
  /** What the hosts' clocks said when the load began. */
  readonly origins: ClockOrigins;
}

/** Starts the runners, waits until all have their VUs, and runs setup() once. Throws what keeps the load from beginning. */
export async function getReady(attempt: Attempt): Promise<ReadyFleet> {
  const { context, test, stop, defer } = attempt;
  const { plan, access, world, emit, killed } = context;
  const { fleet: planned } = withSecrets(plan, access);
  const { clock } = world;
  const ids = plan.runners.map(({ id }) => id);
  const { noticeMs, pushEveryMs: pushEveryOf, open } = await backendNamed(planned.backend);
  const pushEveryMs = pushEveryOf(ids.length);
  const live = await openLiveData(ids, namesOfInterest(context, test), { clock, emit, pushEveryMs }, defer);
  context.watchNumbers(live.numbers);
  const profile = { ...planned, ...access.machine };
  const backend = open({ ...world, profile, signal: stop.signal, redact: context.redact, expected: expectedOf(plan, test) });
  defer(() => backend.close());
  const closely = watchfulness(ids.length, noticeMs);
  const fleet: FleetContext = {
    clock,
    emit,
    signal: stop.signal,
    killed,
    beside: stop.beside,
    watchOf: ({ id }) => ({ ...closely, clock, pushedAt: () => live.heardAt.get(id), scheduledMs: world.scheduledMs }),
  };
  const start = async () => {
    const took = stopwatch(clock);
    const starting = startFleet(backend, launches(attempt, live, pushEveryMs));
    const started = await stop.race(withinLimit(starting, planned.readyTimeout, clock)).catch((error: unknown) => {
      stop.check();
      throw error;
    });
    defer(() => keepFiles(started));
    defer(() => endHard(started));
    for (const [index, runner] of started.entries()) await tellStarted(runner, plan.runners[index]?.segment ?? '', emit);
    await checkHosts(started, context, test);
    await stop.race(awaitReady(started, planned.readyTimeout, { ...fleet, tookMs: took() }));
    return started;
  };
  const runners = await step({ clock, emit }, { kind: 'start-runners', runners: ids.length }, start, () => ({ result: 'ready' }));
  const { hasSetup, hasTeardown } = test;
  const teardown = teardownOf(runners, { hasSetup, hasTeardown, timeoutMs: test.teardownTimeoutMs }, fleet, defer);
  if (hasSetup) teardown.due();
  const setUp = hasSetup ? await setUpOnce(runners, test.setupTimeoutMs, fleet, teardown.holders) : noSetUp;
  stop.check();
  return { runners, fleet, live, setUp, teardown, origins: await readOrigins(runners) };
}

async function tellStarted(runner: Runner, segment: string, emit: Attempt['context']['emit']): Promise<void> {
  const pid = await runner.pid();
  emit({ type: 'runner-started', runner: runner.id, host: runner.host, segment, ...(pid === undefined ? {} : { pid }) });
}
