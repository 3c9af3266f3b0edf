import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { World } from '../core/os.js';
import { runFiles, runsRoot, stateRoot } from './layout.js';
import { makeFolder } from './make-folder.js';
import type { RunRecord } from './record.js';

/** Beside the runs, not in them: a run that was killed is a folder of plain files, which anybody may copy. */
const folderName = 'running';

/** What is asked of the system to know whether the loadctl of a run is there. */
export type RunWatcher = Pick<World, 'who' | 'mark' | 'isRunning' | 'lockState'>;

/** Holds the lock of a run until this process ends: as long as it does, the run has its loadctl. */
export async function holdRun(directory: string, { holdLock }: Pick<World, 'holdLock'>): Promise<void> {
  const file = lockOf(directory);
  await makeFolder(dirname(file), 0o700).catch(() => undefined);
  await holdLock(file);
}

/** Whether the loadctl of a run is there; `out-of-sight`: it is, or was, on another machine. */
export type Life = 'there' | 'gone' | 'out-of-sight';

/**
 * Whether the loadctl of a run is there: by the lock that it holds, which tells the same in every container of a machine;
 * where there is none, by its process, which is more than its id.
 */
export async function lifeOf(directory: string, { by }: Pick<RunRecord, 'by'>, world: RunWatcher): Promise<Life> {
  const state = await world.lockState(lockOf(directory));
  if (state === 'held') return 'there';
  const { boot } = await world.mark();
  const isHere = by.host === world.who.host || (by.boot !== undefined && by.boot === boot);
  if (!isHere) return 'out-of-sight';
  return state === 'unknown' && (await world.isRunning(by)) ? 'there' : 'gone';
}

/** Takes the locks of runs away that nobody holds any more, and what those runs kept for their end. */
export async function sweepRunLocks(cwd: string, { lockState }: Pick<World, 'lockState'>): Promise<void> {
  const folder = join(stateRoot(cwd), folderName);
  for (const name of await readdir(folder).catch(() => [])) {
    if ((await lockState(join(folder, name))) !== 'free') continue;
    for (const file of [join(folder, name), join(runsRoot(cwd), name, runFiles.reserve)])
      await rm(file, { force: true }).catch(() => undefined);
  }
}

/** The lock of the run in this directory. */
export function lockOf(directory: string): string {
  return join(dirname(dirname(directory)), folderName, basename(directory));
}
