import { type ExitReason, exitCodesOf, LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { type Defer, scope } from '../../core/scope.js';
import type { Verdict } from '../../core/verdict.js';
import type { Summary } from '../../metrics/summary.js';
import { type LoadTarget, shownTarget } from '../../plan/target.js';
import { shownPath } from '../../profile/find.js';
import { makeRunId, runFiles } from '../../runs/layout.js';
import { createRunDirectory, type RunDirectory } from '../../runs/write.js';
import { type Lock, takeLock } from '../data/lock.js';
import { cleanupAdvice, type PhaseContext } from '../frame/context.js';
import { step } from '../frame/step.js';
import { requireTarget } from '../target/health-probe.js';
import { type LiveWatch, watchColours } from '../target/watch-colours.js';
import { judgeRun } from '../verify/judgement.js';
import type { Attempt } from './attempt.js';
import { checkCapacity } from './check-capacity.js';
import { collectFleet } from './collect-fleet.js';
import { dismiss, type FleetContext, teardownOnce } from './fleet.js';
import { getReady } from './get-ready.js';
import { type Interruptions, interruptions } from './interruptions.js';
import { makeLoad } from './make-load.js';
import { type FoundK6, type PreparedTest, prepareTest } from './prepare.js';
import { recordRun } from './record-run.js';
import { handOverSummary } from './script-summary.js';

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
      title: `${plan.runners.length} runner${plan.runners.length === 1 ? '' : 's'} (${plan.backend}) → ${inWords(context.target)}`,
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
  const { plan, world, emit } = context;
  // A whole test cleans up by itself.
  const advice = options.lock === undefined ? cleanupAdvice(context) : undefined;
  const stop = interruptions(context, directory, advice, defer);
  const fleet: FleetContext = { clock: world.clock, emit, signal: stop.signal, killed: context.killed };

  const userAgent = `loadctl/${directory.run}`;
  const colourWatch = watchColours(context, userAgent, stop.onLiveColour, defer);
  const { lock, test } = await beforeAnythingStarts(directory, context, options, { stop, colourWatch, defer });
  stop.onLockLost(lock);
  // A whole test's lock tells only the terminal by itself.
  if (options.lock !== undefined) defer(lock.hear((event) => directory.log(event, world.clock.now())));
  emit({ type: 'run-opened', run: directory.run, directory: directory.path, planHash: plan.hash });
  await directory.write(runFiles.run, await recordRun(context, test, directory.run));

  const attempt: Attempt = { context, directory, test, stop, fleet, colourWatch, userAgent, defer };
  const ready = await getReady(attempt);
  const { end, lost, releasedAt, lastLook } = await makeLoad(attempt, ready);
  if (end.how !== 'finished' && advice !== undefined) emit({ type: 'noted', message: advice });

  const { runners, live, setupData } = ready;
  if (test.hasTeardown) await teardownOnce(runners, test.script.teardownTimeoutMs, fleet);
  await dismiss(runners, fleet);
  lastLook();
  live.tellRejected();
  const summary = await collectFleet(runners, test, directory, context, lost, { live, releasedAt });
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
  { stop, colourWatch, defer }: { readonly stop: Interruptions; readonly colourWatch: LiveWatch; readonly defer: Defer },
): Promise<{ lock: Lock; test: PreparedTest }> {
  try {
    const { plan, target, world, emit } = context;
    await stop.race(colourWatch.look());
    colourWatch.begin();
    const lock = options.lock ?? (await ownLock(directory, context, defer));
    const teller = { emit, clock: world.clock };
    const isUp = () => requireTarget(target, `loadctl/${directory.run}`, world.clock);
    await step(teller, 'target', `look whether ${shownTarget(target).url} is up`, isUp, () => 'healthy');
    const archive = () => prepareTest(context, options.k6, directory, defer);
    const test = await step(teller, 'archive', `archive ${shownPath(plan.script, world.cwd)}`, archive, told);
    stop.check();
    await checkCapacity(context, test);
    return { lock, test };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

function inWords(target: LoadTarget): string {
  const { url, colour } = shownTarget(target);
  return colour === undefined ? url : `${colour.loaded}, ${url} (${colour.live} is live)`;
}

function told({ k6Version, archiveSha256 }: PreparedTest): string {
  return `k6 ${k6Version}, sha256 ${archiveSha256.slice(0, 12)}`;
}

async function ownLock(directory: RunDirectory, context: PhaseContext, defer: Defer): Promise<Lock> {
  const { profile, world, emit, signal } = context;
  const lock = await takeLock({ profile, run: directory.run, emit, clock: world.clock, who: world.who, signal }, 'run');
  defer(() => lock.release());
  return lock;
}

/** Ctrl-C after the load, in teardown() or handleSummary(): what was measured is whole, but the run was not left to end. */
function tellLateSignal(stop: Interruptions, emit: Emit, advice: string | undefined): void {
  const why = stop.why();
  if (why.cause !== 'signal') return;
  emit({ type: 'fleet-stopped', ...why });
  if (advice !== undefined) emit({ type: 'noted', message: advice });
}

function emitInto(directory: RunDirectory, { emit, world }: PhaseContext): Emit {
  return (event) => {
    directory.log(event, world.clock.now());
    emit(event);
  };
}
