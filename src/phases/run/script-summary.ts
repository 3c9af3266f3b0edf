import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { howItEnded } from '../../core/ends.js';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { Output } from '../../core/os.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import { scope } from '../../core/scope.js';
import { editArchive, readMetadata } from '../../k6/archive.js';
import { handOverCommand } from '../../k6/arguments.js';
import { handOverOptions } from '../../k6/fleet-options.js';
import { type HandOverFiles, handOverMark, handOverSource } from '../../k6/hand-over.js';
import { inOneLine, logErrors, parseLogLine } from '../../k6/log.js';
import { handleSummaryData } from '../../metrics/handle-summary.js';
import type { Summary } from '../../metrics/summary.js';
import { milliseconds } from '../../plan/inspection.js';
import type { RunContext } from '../frame/context.js';
import type { PreparedTest } from './prepare.js';

/** k6's own limit for handleSummary, where the script sets none. */
const usualMs: Milliseconds = 120_000;
/** What k6 gets beside that: init code runs again. */
const besidesMs: Milliseconds = 20_000;

/**
 * The user's own handleSummary, once, on the fleet's merged data in the shape that k6 hands over, with the script's own
 * options. Files that it names are written where k6 would write them: relative to the working directory. What it throws is a
 * warning: the test is over.
 */
export async function handOverSummary(test: PreparedTest, summary: Summary, setupData: unknown, context: RunContext): Promise<void> {
  const { world, emit, killed, noColor } = context;
  if (killed.aborted) return;
  const call = scope(async (defer) => {
    const folder = await mkdtemp(join(await world.privateFolder(), 'summary-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    const files = { thrown: join(folder, 'thrown'), stderr: join(folder, 'stderr') };
    const terminal = { stdout: world.stdout.isTerminal, stderr: world.stderr.isTerminal };
    const data = handleSummaryData(summary, { options: test.options, setupData, terminal, noColor });
    const archive = join(folder, 'hand-over.tar');
    await writeFile(archive, await archiveOf(test, data, files), { mode: 0o600 });
    const limitMs = milliseconds(test.options.handleSummaryTimeout) ?? usualMs;
    const command = { ...handOverCommand(test.k6, archive), cwd: world.cwd };
    const output = await world.execute(command, { timeoutMs: limitMs + besidesMs, signal: killed });
    const failure = (await textOf(files.thrown)) ?? failureOf(output, limitMs);
    if (failure !== undefined) emit({ type: 'warned', code: 'handle-summary-failed', message: inOneLine(failure) });
    const said = { stdout: output.stdout, stderr: `${consoleOf(output.stderr)}${(await textOf(files.stderr)) ?? ''}` };
    if (said.stdout.trim() !== '' || said.stderr.trim() !== '') emit({ type: 'summary-handled', ...said });
  });
  // Without room for it in the temporary folder the numbers are there all the same.
  await call.catch((error: unknown) => {
    if (errorCode(error) === undefined) throw error;
    emit({ type: 'warned', code: 'handle-summary-failed', message: errorMessage(error) });
  });
}

/** The runners' archive once more, with another main module. */
async function archiveOf({ archive, source, before, options }: PreparedTest, data: unknown, files: HandOverFiles): Promise<Buffer> {
  const bytes = await readFile(archive);
  const main = handOverSource({ before, script: source.url, data, own: options, files });
  return editArchive(bytes, { main, filename: readMetadata(bytes)?.filename ?? source.url, options: handOverOptions(options) });
}

function failureOf(output: Output, limitMs: Milliseconds): string | undefined {
  const errors = logErrors(output.stderr);
  const isLate = errors.some(({ message }) => message.includes('handleSummary() execution timed out'));
  if (isLate) return `it took longer than ${formatDuration(limitMs)} (handleSummaryTimeout)`;
  const [first] = errors;
  return first?.message ?? (output.exitCode === 0 ? undefined : `k6 ended with ${howItEnded(output)}`);
}

/** What handleSummary said by `console`, line by line. */
function consoleOf(log: string): string {
  const lines = log.split('\n').map(parseLogLine);
  const said = lines.slice(lines.findIndex(({ message }) => message === handOverMark) + 1).filter(({ byScript }) => byScript);
  return said.map(({ message }) => `${message}\n`).join('');
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
