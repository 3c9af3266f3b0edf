import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runnerFiles } from '../../runners/runner/types.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';

/**
 * Takes out the secrets that a script wrote: to its log, or into the names of its checks and metrics. For when the runners
 * are gone, however far they came.
 */
export async function cleanRunnerFiles({ plan, redact }: Pick<RunContext, 'plan' | 'redact'>, directory: RunDirectory): Promise<void> {
  for (const { id } of plan.runners)
    for (const name of Object.values(runnerFiles)) await cleanFile(join(directory.file(runFiles.runners), id, name), redact);
}

async function cleanFile(file: string, redact: RunContext['redact']): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => ''); // it did not come to write it
  const clean = redact(text);
  if (clean !== text) await writeFile(file, clean, { mode: 0o600 });
}
