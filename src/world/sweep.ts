import { constants, lstat, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../core/errors.js';
import type { World } from '../core/os.js';
import { ownerLock } from './private-folder.js';

const privateName = /^loadctl-[A-Za-z0-9]{6}$/;
const agentName = /^loadctl-[0-9a-f]{16}$/;
/** In an agent's folder (src/runners/agent/script.ts): a pipe that the agent and all that it started hold open; and what it was told to leave. */
const agentFile = { lock: 'lock', kept: 'kept' } as const;

/** What sweeping asks of the system, and whose folders are swept. */
export interface Sweeper extends Pick<World, 'lockState'> {
  readonly uid: number | undefined;
}

/**
 * Takes away what dead processes of this user left in the temporary folder: private folders whose lock nobody holds, and
 * folders of agents that are gone with all their runners. Never rejects: what cannot be taken away stays.
 */
export async function sweepTemporary(sweeper: Sweeper): Promise<void> {
  for (const where of new Set([tmpdir(), '/tmp'])) {
    const names = await readdir(where).catch(() => []);
    for (const name of names) if (await isLeft(join(where, name), name, sweeper)) await remove(join(where, name));
  }
}

async function isLeft(folder: string, name: string, sweeper: Sweeper): Promise<boolean> {
  if (!privateName.test(name) && !agentName.test(name)) return false;
  const about = await lstat(folder).catch(() => undefined);
  if (!about?.isDirectory() || about.uid !== sweeper.uid) return false;
  if (agentName.test(name)) return isLeftByAgent(folder);
  return (await sweeper.lockState(join(folder, ownerLock))) === 'free';
}

async function isLeftByAgent(folder: string): Promise<boolean> {
  const files: string[] = await readdir(folder).catch(() => []);
  if (!files.includes(agentFile.lock) || files.includes(agentFile.kept)) return false;
  // Nobody waits for a reader of the pipe: where there is none, the system says so.
  const pipe = await open(join(folder, agentFile.lock), constants.O_WRONLY | constants.O_NONBLOCK).catch(errorCode);
  if (typeof pipe === 'object') await pipe.close();
  return pipe === 'ENXIO';
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}
