import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountedBefore } from '../core/events.js';
import { stateRoot } from './layout.js';
import { readJson } from './read.js';
import { writeJson } from './write.js';

/** Keeps it for a cleanup that comes later: one file for each environment, as of the latest seed. */
export async function keepCountedBefore(cwd: string, environment: string, counted: CountedBefore): Promise<void> {
  await mkdir(stateRoot(cwd), { recursive: true, mode: 0o700 }).catch(() => undefined); // writing says why it cannot be
  await writeJson(join(stateRoot(cwd), fileFor(environment)), { version: 1, environment, ...counted });
}

/** What the latest seed of this environment counted here; undefined where there was none: cleanup needs no such file. */
export async function readCountedBefore(cwd: string, environment: string): Promise<CountedBefore | undefined> {
  const kept = (await readJson(stateRoot(cwd), fileFor(environment)).catch(() => undefined)) as Partial<CountedBefore> | undefined;
  const { at, others } = kept ?? {};
  return typeof at === 'string' && Array.isArray(others) ? { at, others } : undefined;
}

function fileFor(environment: string): string {
  return `before-${environment}.json`;
}
