import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../core/errors.js';

/**
 * Makes a folder and those above it that are missing; one that is there stays as it is. Rejects with the system's error. Node's own way
 * (`recursive`) never comes back where a system says ENOENT below a folder that is there, as /proc does.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return requireFolder(path, error);
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path), mode);
    await mkdir(path, { mode }).catch((again: unknown) =>
      errorCode(again) === 'EEXIST' ? requireFolder(path, again) : Promise.reject(again),
    );
  }
}

async function requireFolder(path: string, error: unknown): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw error;
}
