import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../core/os.js';
import { runFiles } from './layout.js';

/** Beside what was not sent, as the run's directory may have been copied to where it has no neighbours. */
const lockName = 'resending-';

/**
 * Holds what a run left unsent until this process ends; false where another process holds it: both would send it. Two that begin at the
 * same moment may both hear false, never both true. Where the file system has no sockets it is always true.
 */
export async function holdResend(directory: string, { holdLock, lockState }: Pick<World, 'holdLock' | 'lockState'>): Promise<boolean> {
  const folder = join(directory, runFiles.outputs);
  const own = `${lockName}${randomUUID()}`;
  // Held before it looks: of two that do so, the later one sees the other.
  await holdLock(join(folder, own));
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(lockName) && name !== own);
  const states = await Promise.all(names.map((name) => stateOf(join(folder, name), lockState)));
  return !states.includes('held');
}

/** One of a process that was killed goes. */
async function stateOf(file: string, lockState: World['lockState']) {
  const state = await lockState(file);
  if (state === 'free') await rm(file, { force: true }).catch(() => undefined);
  return state;
}
