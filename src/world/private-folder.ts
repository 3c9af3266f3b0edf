import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { holdLock } from './held-lock.js';

/** In each private folder: held while its process lives. */
export const ownerLock = 'owner';

/** Folders of mode 0700 that are this process's alone, by where they were made. `onExit` hears of its end, whatever it is. */
export function privateFolders(onExit: (undo: () => void) => void): (longest?: number) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  return (longest = Number.POSITIVE_INFINITY) => {
    const usual = resolve(tmpdir());
    const where = usual.length + nameLength <= longest ? usual : '/tmp';
    const folder = made.get(where) ?? makeIn(where, onExit);
    made.set(where, folder);
    return folder;
  };
}

const name = 'loadctl-';
const nameLength = '/loadctl-XXXXXX'.length;

async function makeIn(where: string, onExit: (undo: () => void) => void): Promise<string> {
  try {
    const folder = await mkdtemp(join(where, name));
    onExit(() => rmSync(folder, { recursive: true, force: true }));
    await holdLock(join(folder, ownerLock));
    return folder;
  } catch (cause) {
    throw new LoadctlError('unavailable', `The temporary folder ${where} cannot be used (${errorCode(cause) ?? 'unknown error'}).`, {
      cause,
      hint: 'Set TMPDIR to a directory that you can write to.',
    });
  }
}
