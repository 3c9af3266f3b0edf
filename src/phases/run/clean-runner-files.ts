import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { redactForeign } from '../../core/redact-data.js';
import type { Redactor } from '../../core/redactor.js';
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

async function cleanFile(file: string, redact: Redactor): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => ''); // it did not come to write it
  if (!redact.mayHold(text)) return;
  const cleanLine = (line: string) => (redact.mayHold(line) ? (cleanJson(line, redact) ?? redact.output(line)) : line);
  const clean = cleanJson(text, redact) ?? text.split('\n').map(cleanLine).join('\n');
  if (clean !== text) await writeFile(file, clean, { mode: 0o600 });
}

/** JSON without its secrets; undefined for a text that is none. */
function cleanJson(text: string, redact: Redactor): string | undefined {
  try {
    const data: unknown = JSON.parse(text);
    const [before, after] = [data, redactForeign(data, redact)].map((value) => JSON.stringify(value));
    return before === after ? text : after;
  } catch {
    return undefined;
  }
}
