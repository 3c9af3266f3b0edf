import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunnerFiles, runnerFiles } from './types.js';

/** What a file of this machine holds; undefined where it cannot be read: it is not there, or gone with its process. */
export function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** Reads what a runner left in its folder on this machine. */
export async function readRunnerFiles(folder: string): Promise<RunnerFiles> {
  const { summary, facts, log } = runnerFiles;
  const [numbers, known, said] = await Promise.all([summary, facts, log].map((name) => textOf(join(folder, name))));
  return { summary: numbers, facts: known, log: said ?? '', folder };
}
