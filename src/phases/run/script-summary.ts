import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { howItEnded } from '../../core/ends.js';
import { errorCode } from '../../core/errors.js';
import { scope } from '../../core/scope.js';
import { handOverCommand } from '../../k6/arguments.js';
import { inOneLine, logErrors } from '../../k6/log.js';
import { handOverSource } from '../../k6/wrapper.js';
import { handleSummaryData } from '../../metrics/handle-summary.js';
import type { Summary } from '../../metrics/summary.js';
import type { RunContext } from '../frame/context.js';
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
  { world, emit, killed }: RunContext,
): Promise<void> {
  if (killed.aborted) return;
  await scope(async (defer) => {
    const folder = await mkdtemp(join(await world.privateFolder(), 'summary-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    const files = { data: join(folder, 'merged.json'), thrown: join(folder, 'thrown'), stderr: join(folder, 'stderr') };
    const script = join(folder, 'hand-over.js');
    const terminal = { stdout: world.stdout.isTerminal, stderr: world.stderr.isTerminal };
    await writeFile(files.data, JSON.stringify(handleSummaryData(summary, { options: test.options, setupData, terminal })), {
      mode: 0o600,
    });
    await writeFile(script, handOverSource(test.script.path, files), { mode: 0o600 });
    const output = await world.execute({ ...handOverCommand(test.k6, script), cwd: world.cwd }, { timeoutMs: limitMs, signal: killed });
    const thrown = await textOf(files.thrown);
    const [first] = logErrors(output.stderr);
    const failure = thrown ?? first?.message ?? (output.exitCode === 0 ? undefined : `k6 ended with ${howItEnded(output)}`);
    if (failure !== undefined) emit({ type: 'warned', code: 'handle-summary-failed', message: inOneLine(failure) });
    const said = { stdout: output.stdout, stderr: (await textOf(files.stderr)) ?? '' };
    if (said.stdout.trim() !== '' || said.stderr.trim() !== '') emit({ type: 'summary-handled', ...said });
  });
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
