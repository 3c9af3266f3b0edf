import { mkdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/errors.js';
import { harmlessJson } from '../core/sanitise.js';
import { runFiles } from './layout.js';
import { readLines } from './read.js';
import { misfit } from './shape.js';
import type { RunDirectory } from './write.js';

const ending = '.backlog';

/** Keeps what an output could not send, in order, for who sends it later. */
export function keepBacklog(directory: RunDirectory, output: string, lines: readonly unknown[]): void {
  mkdirSync(directory.file(runFiles.outputs), { recursive: true, mode: 0o700 });
  for (const line of lines) directory.append(backlogFile(output), line);
}

const parcelMisfit = (line: unknown) => misfit(line, { body: 'text' });

/** What every output of a run could not send, by its name. Throws `unavailable` where it is damaged. */
export async function readBacklogs(directory: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const names = await readdir(join(directory, runFiles.outputs)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const outputs = names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
  return new Map(
    await Promise.all(outputs.map(async (output) => [output, await readLines(directory, backlogFile(output), parcelMisfit)] as const)),
  );
}

/** Leaves only this of an output's backlog; no file where nothing is left. */
export async function leaveBacklog(directory: string, output: string, lines: readonly unknown[]): Promise<void> {
  const file = join(directory, backlogFile(output));
  if (lines.length === 0) return rm(file, { force: true });
  await writeFile(file, lines.map((line) => `${harmlessJson(JSON.stringify(line))}\n`).join(''), { mode: 0o600 });
}

function backlogFile(output: string): string {
  return join(runFiles.outputs, `${output}${ending}`);
}
