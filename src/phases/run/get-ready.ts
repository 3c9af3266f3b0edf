import type { Milliseconds } from '../../core/quantities.js';
import { withSecrets } from '../../plan/access.js';
import { backendNamed } from '../../runners/index.js';
import type { Runner } from '../../runners/runner/types.js';
import { step } from '../frame/step.js';
import { type LiveData, openLiveData } from '../watch/live-data.js';
import type { Attempt } from './attempt.js';
import { checkHosts } from './check-capacity.js';
import { awaitReady, endHard, keepFiles, type SetUp, setupOnce, startFleet } from './fleet.js';
import { launches } from './launches.js';
import { namesOfInterest } from './limits.js';

/** A fleet at the barrier: paused, set up once, heard from the first second on. */
export interface ReadyFleet {
  readonly runners: readonly Runner[];
  readonly live: LiveData;
  /** How soon a runner that is gone is noticed, at the latest. */
  readonly noticeMs: Milliseconds;
  readonly setUp: SetUp;
}

/** Starts the runners, waits until all have their VUs, and runs setup() once. Throws what keeps the load from beginning. */
export async function getReady(attempt: Attempt): Promise<ReadyFleet> {
  const { context, test, stop, fleet, defer } = attempt;
  const { plan, access, world, emit } = context;
  const { fleet: planned } = withSecrets(plan, access);
  const ids = plan.runners.map(({ id }) => id);
  const live = await openLiveData(ids, namesOfInterest(context, test), { clock: world.clock, emit }, defer);
  const { noticeMs, pushEveryMs, open } = await backendNamed(planned.backend);
  const backend = open({ ...world, profile: { ...planned, ...access.machine }, signal: stop.signal, redact: context.redact });
  defer(() => backend.close());
  const start = async () => {
    const started = await startFleet(backend, launches(attempt, live, pushEveryMs(ids.length))).catch((error: unknown) => {
      stop.check();
      throw error;
    });
    defer(() => keepFiles(started));
    defer(() => endHard(started));
    for (const [index, runner] of started.entries()) await tellStarted(runner, plan.runners[index]?.segment ?? '', emit);
    await checkHosts(started, context, test);
    await stop.race(awaitReady(started, planned.readyTimeout, fleet));
    return started;
  };
  const runners = await step(fleet, { kind: 'start-runners', runners: ids.length }, start, () => ({ result: 'ready' }));
  const setUp = test.hasSetup ? await stop.race(setupOnce(runners, test.setupTimeoutMs, fleet)) : { data: undefined };
  stop.check();
  return { runners, live, noticeMs, setUp };
}

async function tellStarted(runner: Runner, segment: string, emit: Attempt['context']['emit']): Promise<void> {
  const pid = await runner.pid();
  emit({ type: 'runner-started', runner: runner.id, host: runner.host, segment, ...(pid === undefined ? {} : { pid }) });
}
