import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { nearest } from './words/near.js';

/** The files that profiles are read from. */
export interface ProfileFiles {
  /** A file's text; undefined where there is none. */
  readFile(path: string): string | undefined;
  /** The names in a folder; none where there is no folder. */
  listFolder(path: string): readonly string[];
}

/** The files of this machine's disk. */
export const diskFiles: ProfileFiles = {
  readFile: (path) => unlessMissing(path, () => readFileSync(path, 'utf8')),
  listFolder: (path) => unlessMissing(path, () => readdirSync(path)) ?? [],
};

/** The file beside a missing one whose name is nearest to it. */
export function nearFile(path: string, files: ProfileFiles): string | undefined {
  return nearest(basename(path), [...files.listFolder(dirname(path))]);
}

function unlessMissing<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new LoadctlError('invalid-profile', `${path} cannot be read (${code ?? 'unknown error'})`, {
      hint: `Make ${path} readable`,
      cause: error,
    });
  }
}
