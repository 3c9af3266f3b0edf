import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scope } from '../core/scope.js';
import { handOverCommand } from '../k6/arguments.js';
import { logErrors } from '../k6/log.js';
import { handOverSource } from '../k6/wrapper.js';
import { handleSummaryData } from '../metrics/handle-summary.js';
import type { Summary } from '../metrics/summary.js';
import type { PhaseContext } from './context.js';
import type { PreparedTest } from './prepare.js';

const limitMs = 130_000;

/**
 * The user's own handleSummary, once, on the fleet's merged data in the shape that k6 hands over. Files that it names
 * are written where k6 would write them: relative to the working directory. What it throws is a warning: the test is over.
 */
export async function handOverSummary(
  test: PreparedTest,
  summary: Summary,
  setupData: unknown,
  { world, emit, killed }: PhaseContext,
): Promise<void> {
  if (killed.aborted) return;
  await scope(async (defer) => {
    const folder = await mkdtemp(join(tmpdir(), 'loadctl-summary-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    const dataFile = join(folder, 'merged.json');
    const script = join(folder, 'hand-over.js');
    const terminal = { stdout: world.stdout.isTerminal, stderr: world.stderr.isTerminal };
    await writeFile(dataFile, JSON.stringify(handleSummaryData(summary, { options: test.options, setupData, terminal })), { mode: 0o600 });
    await writeFile(script, handOverSource(test.script.path, dataFile), { mode: 0o600 });
    const output = await world.execute({ ...handOverCommand(test.k6, script), cwd: world.cwd }, { timeoutMs: limitMs, signal: killed });
    const errors = logErrors(output.stderr);
    if (output.exitCode !== 0 || errors.length > 0) {
      emit({
        type: 'warned',
        message: `The script's handleSummary failed: ${errors[0]?.message ?? `exit code ${output.exitCode ?? '?'}`}`,
      });
    }
    if (output.stdout.trim() !== '') emit({ type: 'summary-handled', stdout: output.stdout });
  });
}
