import { howItEnded } from '../core/ends.js';
import { type ExitReason, exitCodesOf, LoadctlError } from '../core/errors.js';
import type { Emit } from '../core/events.js';
import { type Defer, scope } from '../core/scope.js';
import type { Verdict } from '../metrics/criterion.js';
import type { Summary } from '../metrics/summary.js';
import { realTarget } from '../plan/plan.js';
import { shownPath } from '../profile/find.js';
import { backendNamed } from '../runners/index.js';
import type { Runner } from '../runners/types.js';
import { checkCapacity } from './capacity.js';
import { cleanupAdvice, type PhaseContext } from './context.js';
import {
  awaitReady,
  dismiss,
  endHard,
  type FleetContext,
  type LoadEnd,
  releaseTogether,
  setupOnce,
  startFleet,
  stopLoad,
  teardownOnce,
  watchLoad,
} from './fleet.js';
import { collectFleet } from './gathering.js';
import { watchGenerators } from './generators.js';
import { requireTarget, startHealthProbe } from './health-probe.js';
import { type Interruptions, interruptions } from './interruptions.js';
import { judgeRun } from './judgement.js';
import { launches } from './launches.js';
import { openLiveData } from './live-data.js';
import { type Lock, takeLock } from './lock.js';
import { type FoundK6, type PreparedTest, prepareTest } from './prepare.js';
import { startLiveView } from './progress.js';
import { createRunDirectory, makeRunId, type RunDirectory, runFiles } from './run-directory.js';
import { recordRun } from './run-record.js';
import { handOverSummary } from './script-summary.js';
import { countProbes, namesOfInterest, watchFor } from './watching.js';

/** What came of a run. */
export interface RunResult {
  readonly run: string;
  readonly directory: string;
  readonly verdict: Verdict;
  readonly summary: Summary | undefined;
  readonly reasons: readonly ExitReason[];
}

/** What a run may be given by the phases around it. */
export interface RunOptions {
  readonly k6: FoundK6;
  /** The lock that a whole test already holds; the run takes its own where it is missing. */
  readonly lock?: Lock;
  /** The id of the run, where phases before it already use it. */
  readonly run?: string;
}

/**
 * Runs the fleet as one test, from the plan to the verdict. Rejects when no load was made (the target is down, the
 * script throws in setup()); once load was made there is a result, whatever happened to it.
 */
export async function run(context: PhaseContext, options: RunOptions): Promise<RunResult> {
  return scope(async (defer) => {
    const { world, plan } = context;
    const begun = world.clock.now();
    const directory = await createRunDirectory(world.cwd, options.run ?? makeRunId(begun), context.redact);
    defer(() => directory.close());
    const emit = emitInto(directory, context);
    emit({
      type: 'phase-started',
      phase: 'run',
      environment: plan.environment,
      title: `${plan.runners.length} runner${plan.runners.length === 1 ? '' : 's'} (${plan.backend}) → ${plan.target.url}`,
    });
    try {
      const result = await runInto(directory, { ...context, emit }, options, defer);
      emit({ type: 'phase-finished', phase: 'run', elapsedMs: world.clock.now() - begun, reasons: result.reasons });
      return result;
    } catch (error) {
      const reason = error instanceof LoadctlError ? error.reason : 'bug';
      emit({ type: 'phase-finished', phase: 'run', elapsedMs: world.clock.now() - begun, reasons: [reason] });
      throw error;
    }
  });
}

async function runInto(directory: RunDirectory, context: PhaseContext, options: RunOptions, defer: Defer): Promise<RunResult> {
  const { plan, profile, world, emit } = context;
  const { clock } = world;
  const userAgent = `loadctl/${directory.run}`;
  // A whole test cleans up by itself.
  const advice = options.lock === undefined ? cleanupAdvice(context) : undefined;
  const stop = interruptions(context, directory, advice, defer);
  const fleet: FleetContext = { clock, emit, signal: stop.signal, killed: context.killed };

  const { lock, test } = await beforeAnythingStarts(directory, context, options, stop, defer);
  stop.onLockLost(lock);
  emit({ type: 'run-opened', run: directory.run, directory: directory.path, planHash: plan.hash });
  const record = await recordRun(context, test, directory.run);
  await directory.write(runFiles.run, record);

  const live = await openLiveData(
    plan.runners.map(({ id }) => id),
    namesOfInterest(context, test),
    { clock, emit },
    defer,
  );
  const { spawn, execute } = world;
  const backend = backendNamed(plan.backend, { spawn, execute, clock, profile: profile.runners, signal: stop.signal });
  defer(() => backend.close());
  const runners = await step(context, 'ready', `start ${plan.runners.length} runner${plan.runners.length === 1 ? '' : 's'}`, async () => {
    const started = await startFleet(backend, launches(plan, test, live, directory, userAgent)).catch((error: unknown) => {
      stop.check();
      throw error;
    });
    defer(() => endHard(started));
    for (const [index, runner] of started.entries()) await tellStarted(runner, plan.runners[index]?.segment ?? '', emit);
    await stop.race(awaitReady(started, profile.runners.readyTimeout, fleet));
    return { value: started, detail: 'all runners ready' };
  });
  const setupData = test.hasSetup ? await stop.race(setupOnce(runners, test.script.setupTimeoutMs, fleet)) : undefined;
  stop.check();

  const probes = countProbes(emit);
  const { health } = realTarget(profile.target);
  const stopProbing = health === undefined ? undefined : startHealthProbe(health, userAgent, { clock, emit: probes.emit });
  defer(() => stopProbing?.(true));
  await releaseTogether(runners, fleet);
  const endWatch = watchGenerators(runners, directory, { clock, emit });
  defer(endWatch);
  const releasedAt = clock.now();
  const view = startLiveView({
    clock,
    emit,
    live,
    directory,
    runners: runners.length,
    totalMs: plan.load?.duration ?? test.requirements.totalMs,
    probes: () => (health === undefined ? undefined : probes.count()),
    watch: watchFor(context, test),
    crossed: stop.onCrossing,
  });
  defer(view.stop);
  const end = await watchLoad(runners, backend.noticeMs, fleet);
  await view.stop();
  await endLoad(end, runners, stop, fleet);
  emit({ type: 'load-ended', elapsedMs: clock.now() - releasedAt });
  await endWatch();
  if (end.how !== 'finished' && advice !== undefined) emit({ type: 'noted', message: advice });
  await stopProbing?.(end.how !== 'finished');

  if (test.hasTeardown) await teardownOnce(runners, test.script.teardownTimeoutMs, fleet);
  await dismiss(runners, fleet);
  view.finish(); // k6 pushes its last before it ends
  live.tellRejected();
  const summary = await collectFleet(runners, test, directory, context, end, { live, releasedAt });
  if (summary && test.script.functions.includes('handleSummary')) await handOverSummary(test, summary, setupData, context);
  if (end.how === 'finished' && stop.signal.aborted) tellLateSignal(stop, emit, advice);
  const { verdict, reasons } = await judgeRun(directory.path);
  await directory.write(runFiles.verdict, { ...verdict, ...exitCodesOf(reasons) });
  emit({ type: 'judged', run: directory.run, verdict });
  return { run: directory.run, directory: directory.path, verdict, summary, reasons };
}

/** Everything that can refuse the run; when it does, the run directory goes again, as nothing began. */
async function beforeAnythingStarts(
  directory: RunDirectory,
  context: PhaseContext,
  options: RunOptions,
  stop: Interruptions,
  defer: Defer,
): Promise<{ lock: Lock; test: PreparedTest }> {
  try {
    const lock = options.lock ?? (await ownLock(directory, context, defer));
    await step(context, 'target', `look whether ${context.plan.target.url} is up`, async () => {
      await requireTarget(realTarget(context.profile.target), `loadctl/${directory.run}`, context.world.clock);
      return { value: undefined, detail: 'healthy' };
    });
    const test = await step(context, 'archive', `archive ${shownPath(context.plan.script, context.world.cwd)}`, async () => {
      const prepared = await prepareTest(context, options.k6, directory, defer);
      return { value: prepared, detail: `k6 ${prepared.k6Version}, sha256 ${prepared.archiveSha256.slice(0, 12)}` };
    });
    stop.check();
    await checkCapacity(context, test);
    return { lock, test };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

async function ownLock(directory: RunDirectory, context: PhaseContext, defer: Defer): Promise<Lock> {
  const { profile, world, emit, signal } = context;
  const lock = await takeLock({ profile, run: directory.run, emit, clock: world.clock, who: world.who, signal }, 'run');
  defer(() => lock.release());
  return lock;
}

async function endLoad(end: LoadEnd, runners: readonly Runner[], stop: Interruptions, fleet: FleetContext): Promise<void> {
  if (end.how === 'finished') return;
  if (end.how === 'aborted-by-script')
    fleet.emit({ type: 'fleet-stopped', cause: 'script', reason: `The script called test.abort() in runner ${end.runner.id}.` });
  if (end.how === 'lost') {
    fleet.emit({
      type: 'fleet-stopped',
      cause: 'runner-lost',
      reason: `Runner ${end.lost.runner.id} was lost: ${howItEnded(end.lost.end)}.`,
    });
    end.lost.runner.end('hard');
  }
  if (end.how === 'stopped') fleet.emit({ type: 'fleet-stopped', ...stop.why() });
  await stopLoad(runners, fleet);
}

/** Ctrl-C after the load, in teardown() or handleSummary(): what was measured is whole, but the run was not left to end. */
function tellLateSignal(stop: Interruptions, emit: Emit, advice: string | undefined): void {
  const why = stop.why();
  if (why.cause !== 'signal') return;
  emit({ type: 'fleet-stopped', ...why });
  if (advice !== undefined) emit({ type: 'noted', message: advice });
}

async function tellStarted(runner: Runner, segment: string, emit: Emit): Promise<void> {
  const pid = await runner.pid();
  emit({ type: 'runner-started', runner: runner.id, host: runner.host, segment, ...(pid === undefined ? {} : { pid }) });
}

/** Tells of a piece of work: that it began, and how it ended. */
async function step<T>(
  { emit, world }: PhaseContext,
  name: string,
  title: string,
  work: () => Promise<{ value: T; detail: string }>,
): Promise<T> {
  const begun = world.clock.now();
  emit({ type: 'step-started', step: name, title });
  try {
    const { value, detail } = await work();
    emit({ type: 'step-finished', step: name, elapsedMs: world.clock.now() - begun, detail });
    return value;
  } catch (error) {
    emit({ type: 'step-failed', step: name, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

function emitInto(directory: RunDirectory, { emit, world }: PhaseContext): Emit {
  return (event) => {
    directory.log(event, world.clock.now());
    emit(event);
  };
}
