import type { CloudEnd } from '../../core/cloud.js';
import { exitCodesOf } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import { shownPath } from '../../core/shown-path.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import { type CleanupAdvice, cleanupAdvice, type RunContext } from '../frame/context.js';
import { step } from '../frame/step.js';
import { type Interruptions, interruptions } from '../run/interruptions.js';
import { phaseOfRun } from '../run/phase-of-run.js';
import { scriptReader } from '../run/read-script.js';
import { recordRun } from '../run/record-run.js';
import { lockOf, type RunOptions, type RunResult } from '../run/run.js';
import { judgeRun } from '../verify/judgement.js';
import { followK6 } from './follow-k6.js';
import { type CloudTest, cloudOf, prepareCloud } from './prepare-cloud.js';

/**
 * Has Grafana Cloud make the load, by stock `k6 cloud run`: there is no common start and nothing to merge, and whether thresholds
 * hold is all that comes back. Rejects when no run came about there.
 */
export async function runInCloud(context: RunContext, options: RunOptions): Promise<RunResult> {
  return phaseOfRun(context, options.test.run, (directory, defer) => runInto(directory, context, options, defer));
}

async function runInto(directory: RunDirectory, context: RunContext, options: RunOptions, defer: Defer): Promise<RunResult> {
  const { plan, emit } = context;
  const advice = 'held' in options.lock ? undefined : cleanupAdvice(context);
  const stop = interruptions(context, directory, advice, defer);
  const test = await beforeAnythingStarts(directory, context, options, { stop, defer });
  context.keepIn(directory);
  emit({ type: 'run-opened', run: directory.run, directory: directory.path, planHash: plan.hash });
  await directory.write(runFiles.run, await recordRun(context, test, directory.run));

  const { awayTimeout } = cloudOf(plan, context.access);
  const outcome = await followK6({ context, directory, test, stop, awayTimeoutMs: awayTimeout });
  emit({ type: 'cloud-run-ended', ...outcome });
  adviseCleanup(context, outcome.how, advice);

  const { verdict, reasons } = await judgeRun(directory.path);
  await directory.write(runFiles.verdict, { ...verdict, ...exitCodesOf(reasons) });
  emit({ type: 'judged', run: directory.run, verdict });
  return { run: directory.run, directory: directory.path, verdict, summary: undefined, reasons };
}

/** A whole test cleans up by itself, and that is too soon where the run may go on. */
function adviseCleanup(context: RunContext, how: CloudEnd, advice: CleanupAdvice | undefined): void {
  const { emit } = context;
  const { command, hasData } = cleanupAdvice(context);
  if (mayGoOn.includes(how) && hasData) emit({ type: 'noted', code: 'cleanup-later', command });
  else if (how !== 'passed' && how !== 'thresholds-failed' && advice !== undefined) emit({ type: 'noted', ...advice });
}

const mayGoOn: readonly CloudEnd[] = ['left', 'progress-lost', 'unknown'];

/** Everything that can refuse the run; when it does, the run directory goes again, as nothing began. */
async function beforeAnythingStarts(
  directory: RunDirectory,
  context: RunContext,
  options: RunOptions,
  { stop, defer }: { readonly stop: Interruptions; readonly defer: Defer },
): Promise<CloudTest> {
  try {
    const { plan, world, emit } = context;
    stop.onLockLost(await lockOf(directory, options.lock, defer));
    const script = shownPath(plan.script, world.cwd);
    const reading = { script, limitMs: plan.fleet.readyTimeout, signal: stop.signal, emit };
    const listening = { ...context, world: { ...world, execute: scriptReader(world, reading) } };
    const archive = () => prepareCloud(listening, options.test, directory, defer);
    const test = await step({ emit, clock: world.clock }, { kind: 'archive-script', script }, archive, ({ k6Version, archiveSha256 }) => ({
      result: 'archived',
      k6Version,
      sha256: archiveSha256,
    }));
    stop.check();
    return test;
  } catch (error) {
    await directory.remove();
    stop.check();
    throw error;
  }
}
