import { closeSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { platform } from 'node:os';
import { basename, dirname } from 'node:path';
import { errorCode } from '../core/errors.js';
import type { LockState } from '../core/os.js';

/** The path of a UNIX socket has 104 bytes on macOS and 108 on Linux. */
const longestPath = 96;

/**
 * Holds the lock that this file is, until the process ends: a UNIX socket that it listens on. The kernel lets go of it with
 * the process, however that ends, and any other process of this machine can ask it, from whichever container. Resolves
 * with a function that takes the file away; undefined where the file system has no sockets.
 */
export async function holdLock(file: string): Promise<(() => void) | undefined> {
  const server = createServer((asking) => asking.destroy());
  const held = await within(file, async (path) => {
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(`${path}.new`, () => resolve(true));
    });
    // Until it is listened on it would look as if nobody held it.
    if (listens) renameSync(`${path}.new`, path);
    return listens;
  });
  if (!held) return undefined;
  server.unref();
  return () => {
    try {
      unlinkSync(file);
    } catch {
      // it went with its folder
    }
  };
}

/** Whether some process holds the lock that this file is. */
export function lockState(file: string): Promise<LockState> {
  return within(file, (path) => {
    return new Promise<LockState>((resolve) => {
      const asking = connect(path);
      asking.once('connect', () => resolve('held')).once('connect', () => asking.destroy());
      asking.once('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED' ? 'free' : 'unknown'));
    });
  });
}

/** Linux knows a shorter path to any file: by its folder, once that is open. */
async function within<T>(file: string, use: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(file) <= longestPath || platform() !== 'linux') return use(file);
  let folder: number;
  try {
    folder = openSync(dirname(file), 'r');
  } catch {
    return use(file);
  }
  try {
    return await use(`/proc/self/fd/${folder}/${basename(file)}`);
  } finally {
    closeSync(folder);
  }
}
