import { type ExitReason, exitCodesOf } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { Defer } from '../../core/scope.js';
import { shownPath } from '../../core/shown-path.js';
import type { Verdict } from '../../core/verdict.js';
import { reachOf } from '../../k6/reach.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import type { Summary } from '../../metrics/summary.js';
import { shownTarget } from '../../plan/target.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { Lock } from '../data/lock.js';
import { type CleanupAdvice, cleanupAdvice, type RunContext } from '../frame/context.js';
import { step } from '../frame/step.js';
import { requireTarget } from '../target/health-probe.js';
import { type LiveWatch, watchColours } from '../target/watch-colours.js';
import { judgeRun } from '../verify/judgement.js';
import { nobodyWatches, type ServersWatch, watchServers } from '../watch/watch-servers.js';
import type { Attempt } from './attempt.js';
import { checkCapacity, imagesOf } from './check-capacity.js';
import { collectFleet } from './collect-fleet.js';
import { dismiss } from './fleet.js';
import { getReady } from './get-ready.js';
import type { KnownTest } from './inspect-test.js';
import { type Interruptions, interruptions } from './interruptions.js';
import { makeLoad, noLoad } from './make-load.js';
import { phaseOfRun } from './phase-of-run.js';
import { type PreparedTest, prepareTest } from './prepare.js';
import { scriptReader } from './read-script.js';
import { recordRun } from './record-run.js';
import { handOverSummary } from './script-summary.js';

/** What came of a run. */
export interface RunResult {
  readonly run: RunId;
  readonly directory: string;
  readonly verdict: Verdict;
  readonly summary: Summary | undefined;
  readonly reasons: readonly ExitReason[];
}

/** What a run may be given by the phases around it. */
export interface RunOptions {
  readonly test: KnownTest;
  readonly lock: RunLock;
}

/** The lock that a whole test already holds, or how the run of this id takes its own, which it lets go in the end. */
type RunLock = { readonly held: Lock } | { readonly take: (run: RunId) => Promise<Lock> };

/**
 * Runs the fleet as one test, from the plan to the verdict. Rejects when no load was made (the target is down, the
 * script throws in setup()); once load was made there is a result, whatever happened to it.
 */
export async function run(context: RunContext, options: RunOptions): Promise<RunResult> {
  return phaseOfRun(context, options.test.run, (directory, defer) => runInto(directory, context, options, defer));
}

async function runInto(directory: RunDirectory, context: RunContext, options: RunOptions, defer: Defer): Promise<RunResult> {
  const { plan, emit } = context;
  // A whole test cleans up by itself.
  const advice = 'held' in options.lock ? undefined : cleanupAdvice(context);
  const stop = interruptions(context, directory, advice, defer);
  const userAgent = `loadctl/${directory.run}`;
  const colourWatch = watchColours(context, userAgent, { stop: stop.onLiveColour, beside: stop.beside });
  const { lock, test, servers } = await beforeAnythingStarts(directory, context, options, { stop, colourWatch, defer });
  stop.onLockLost(lock);
  context.keepIn(directory);
  emit({ type: 'run-opened', run: directory.run, directory: directory.path, planHash: plan.hash });
  const record = await recordRun(context, test, directory.run);
  await directory.write(runFiles.run, record);

  const attempt: Attempt = { context, directory, test, stop, colourWatch, servers, userAgent, defer };
  const ready = await getReady(attempt);
  const images = imagesOf(ready.runners);
  if (images.length > 0) await directory.write(runFiles.run, { ...record, images });
  const { fleet, live, setUp, teardown } = ready;
  const loaded = setUp.failed ? noLoad(ready) : await makeLoad(attempt, ready);
  const { end, lastLook } = loaded;
  if (end.how !== 'finished' && advice !== undefined) emit({ type: 'noted', ...advice });

  await teardown.run();
  const writing = await dismiss(ready.runners, fleet);
  lastLook();
  live.tellRejected();
  const summary = await collectFleet(attempt, ready, loaded, writing);
  if (summary && test.inspection.functions.includes('handleSummary')) await handOverSummary(test, summary, setUp.data, context);
  if (end.how === 'finished') {
    await servers.drained(loaded.at, stop.signal);
    await servers.settled(loaded.at, stop.signal);
  }
  await servers.end();
  if (end.how === 'finished') tellLateStop(stop, emit, advice);

  const { verdict, reasons } = await judgeRun(directory.path);
  await directory.write(runFiles.verdict, { ...verdict, ...exitCodesOf(reasons) });
  if (summary !== undefined && !setUp.failed) emit({ type: 'measured', run: directory.run, ...measuredNumbers(summary, plan.steady) });
  emit({ type: 'judged', run: directory.run, verdict });
  return { run: directory.run, directory: directory.path, verdict, summary, reasons };
}

/** Everything that can refuse the run; when it does, the run directory goes again, as nothing began. */
async function beforeAnythingStarts(
  directory: RunDirectory,
  context: RunContext,
  options: RunOptions,
  { stop, colourWatch, defer }: { readonly stop: Interruptions; readonly colourWatch: LiveWatch; readonly defer: Defer },
): Promise<{ lock: Lock; test: PreparedTest; servers: ServersWatch }> {
  try {
    const { plan, target, world, emit } = context;
    await stop.race(colourWatch.look());
    colourWatch.begin();
    const lock = await lockOf(directory, options.lock, defer);
    const teller = { emit, clock: world.clock };
    const reach = reachOf(options.test.inspection.options);
    const isUp = () => requireTarget(target, { userAgent: `loadctl/${directory.run}`, clock: world.clock, reach });
    await step(teller, { kind: 'look-at-target', url: shownTarget(target).url }, isUp, (came) => came);
    const script = shownPath(plan.script, world.cwd);
    const reading = { script, limitMs: plan.fleet.readyTimeout, signal: stop.signal, emit };
    const listening = { ...context, world: { ...world, execute: scriptReader(world, reading) } };
    const archive = () => prepareTest(listening, options.test, directory, defer);
    const test = await step(teller, { kind: 'archive-script', script }, archive, ({ k6Version, archiveSha256 }) => ({
      result: 'archived',
      k6Version,
      sha256: archiveSha256,
    }));
    stop.check();
    await checkCapacity(context, test);
    return { lock, test, servers: await startMonitors(directory, context, stop) };
  } catch (error) {
    await directory.remove();
    stop.check();
    throw error;
  }
}

/** From before the first runner on: a database that fills up later is still answered by. */
async function startMonitors(directory: RunDirectory, context: RunContext, stop: Interruptions): Promise<ServersWatch> {
  const { plan, emit, moment, world } = context;
  if (plan.monitors.length === 0) return nobodyWatches;
  const watching = { clock: world.clock, emit, moment, directory, beside: stop.beside };
  const start = () => stop.race(watchServers(context, watching, stop.signal));
  return step({ emit, clock: world.clock }, { kind: 'start-monitors', monitors: plan.monitors.length }, start, () => ({
    result: 'watching',
  }));
}

/** The lock of a run: the one that is held already, or its own until the scope ends. */
export async function lockOf({ run }: RunDirectory, given: RunLock, defer: Defer): Promise<Lock> {
  if ('held' in given) return given.held;
  const lock = await given.take(run);
  defer(() => lock.release());
  return lock;
}

/** Ctrl-C, `loadctl stop` or a lost client after the load, in teardown() or handleSummary(): what was measured is whole, but the run was not left to end. */
function tellLateStop(stop: Interruptions, emit: Emit, advice: CleanupAdvice | undefined): void {
  const why = stop.why();
  if (why?.cause !== 'signal' && why?.cause !== 'asked' && why?.cause !== 'unfollowed') return;
  emit({ type: 'fleet-stopped', ...why });
  if (advice !== undefined) emit({ type: 'noted', ...advice });
}
