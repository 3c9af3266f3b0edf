import { join } from 'node:path';
import { isPending } from '../core/abort.js';
import { type ExitReason, LoadctlError } from '../core/errors.js';
import type { Phase } from '../core/events.js';
import type { RunId } from '../core/ids.js';
import type { Receipt } from '../core/receipt.js';
import { redactData } from '../core/redact-data.js';
import { scope } from '../core/scope.js';
import { runFiles, runsRoot } from '../runs/layout.js';
import { keepReceipt } from '../runs/receipt-file.js';
import { writeJson } from '../runs/write.js';
import { checkCleanup } from './data/cleanings.js';
import { cleanup } from './data/cleanup.js';
import { remembered, withReceipt } from './data/kept.js';
import { takeLock } from './data/lock.js';
import { type SeedReport, seed } from './data/seed.js';
import type { PhaseContext } from './frame/context.js';
import { loadBy } from './load-by.js';
import { renewPage } from './report/keep-page.js';
import type { KnownTest } from './run/inspect-test.js';
import type { RunResult } from './run/run.js';
import { verify } from './verify/verify.js';

/** What ended one phase of a whole test. */
export interface PhaseFailure {
  readonly phase: Phase;
  readonly error: unknown;
}

/** What came of a whole test. */
export interface TestResult {
  readonly run: RunId;
  readonly seeded: SeedReport | undefined;
  readonly result: RunResult | undefined;
  readonly receipt: Receipt | undefined;
  /** The errors that ended a phase, in order. The phases after it that need it were left out, cleanup was not. */
  readonly failures: readonly PhaseFailure[];
  /** Everything that the exit status could be; empty for a pass. */
  readonly reasons: readonly ExitReason[];
}

/**
 * seed → run → verify → cleanup under one lock. Cleanup runs whatever happened before it, but never before the lock
 * was held: the rows of somebody else's run are not ours to delete. What would keep the cleanup from its work is found
 * before anything is written. Ctrl-C ends the load and goes on to the cleanup; a second one ends that too. A lock that
 * was lost for good is taken anew for the cleanup.
 */
export async function test(context: PhaseContext, options: { readonly test: KnownTest; readonly seeded: boolean }): Promise<TestResult> {
  const { profile, world, signal, killed } = context;
  const runId = options.test.run;
  const made = withReceipt(context.emit);
  const data = { ...context, ...(await remembered(context)), emit: made.emit, run: runId };
  return scope(async (defer) => {
    const lock = await takeLock(data, 'test');
    defer(() => lock.release());
    await checkCleanup({ ...data, lock }, options.seeded);
    const failures: PhaseFailure[] = [];
    const attempt = async <T>(phase: Phase, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        failures.push({ phase, error });
        return undefined;
      }
    };

    const seeded = await attempt('seed', () => seed({ ...data, lock }, { isLookedAhead: true }));
    // A seed that failed halfway may have kept what it was about to write.
    const known = seeded === undefined ? await remembered(context) : { ...data, before: seeded.before };
    const result =
      failures.length > 0 || signal.aborted
        ? undefined
        : await attempt('run', () => loadBy(context, { test: options.test, lock: { held: lock } }));
    const judged = result && (await attempt('run', () => verify(result.directory, world)));
    if (result) await renewPage(result.directory); // whatever becomes of the cleanup; the end of the command writes it once more
    const locked = (await isPending(lock.lost)) ? { lock } : {};
    const cleaned = await attempt('cleanup', () =>
      cleanup({ ...data, ...known, ...locked, signal: killed }, { dryRun: false, seeded: options.seeded, isLookedAhead: true }).catch(
        (error: unknown) => {
          throw notCleaned(error, data.named ?? `--env ${profile.environment}`, options.seeded);
        },
      ),
    );
    const receipt = made.receipt();
    if (receipt && result) await writeJson(join(runsRoot(world.cwd), runId, runFiles.receipt), redactData(receipt, context.redact));
    else if (receipt) await keepReceipt(world.cwd, profile.environment, redactData(receipt, context.redact));

    const reasons = new Set<ExitReason>([
      ...failures.map(({ error }) => reasonOf(error)),
      ...(judged?.reasons ?? []),
      ...(cleaned?.reasons ?? []),
    ]);
    if (signal.aborted) reasons.add('interrupted');
    return { run: runId, seeded, result, receipt, failures, reasons: [...reasons] };
  });
}

/** What the test wrote is still there: whatever kept the cleanup from its work, that is the worst of it. */
function notCleaned(error: unknown, named: string, seeded: boolean): unknown {
  if (!(error instanceof LoadctlError)) return error;
  const again = `loadctl cleanup ${named}${seeded ? ' --seeded' : ''}`;
  return new LoadctlError('cleanup-not-proven', `the test data was not removed: ${error.message}`, {
    hint: `${error.hint ?? 'Fix that.'} Then remove it: ${again}`,
    lines: error.lines,
    cause: error,
  });
}

function reasonOf(error: unknown): ExitReason {
  return error instanceof LoadctlError ? error.reason : 'bug';
}
