import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { Redactor } from '../../core/redactor.js';
import { type RunnerFiles, runnerFiles } from './types.js';
import { jsonToKeep, linesToKeep } from './without-secrets.js';

/** What a runner writes as numbers, and how large it may be, in bytes: 250 Trends make a summary of 6 MB. */
export const numberFiles = [
  { name: runnerFiles.summary, most: 64 * 1024 * 1024 },
  { name: runnerFiles.facts, most: 1024 * 1024 },
] as const;

type NumberFile = (typeof numberFiles)[number];

/** What a file of this machine holds; undefined where it cannot be read: it is not there, or gone with its process. */
export function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** Where files lie on this machine as a runner wrote them, and where copies without secrets are kept. */
export interface Keeping {
  readonly from: string;
  readonly to: string;
  readonly redact: Redactor;
}

/** Takes a copy away that came out torn, as the disk is full: the run's own files need the room. */
export async function giveUp(copy: string): Promise<void> {
  await rm(copy, { force: true }).catch(() => undefined);
}

/** Keeps copies of the numbers that a runner wrote, without secrets. Never rejects. */
export async function keepNumbers({ from, to, redact }: Keeping): Promise<RunnerFiles> {
  const troubles: string[] = [];
  const keep = async ({ name, most }: NumberFile): Promise<NumberFile | undefined> => {
    try {
      const { size } = await stat(join(from, name));
      if (size > most) throw new Error(`${name} has ${size} bytes: ${most} are the most`);
      const text = await readFile(join(from, name), 'utf8');
      const kept = jsonToKeep(text, redact) ?? linesToKeep(text, redact);
      await writeFile(join(to, name), kept, { mode: 0o600 }).catch(async (error) => {
        troubles.push(errorMessage(error));
        await giveUp(join(to, name));
      });
      return { name, most };
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') troubles.push(errorMessage(error)); // it did not come to write it
      return undefined;
    }
  };
  const [summary, facts] = await Promise.all(numberFiles.map(keep));
  const read = async (file: NumberFile | undefined) => (file === undefined ? undefined : textOf(join(from, file.name)));
  return { read: async () => ({ summary: await read(summary), facts: await read(facts) }), folder: to, troubles };
}
