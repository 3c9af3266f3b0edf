import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import { binaryName, cachedBinary, pinnedVersion } from './platform.js';
import type { FoundK6, Surroundings } from './types.js';
import { acceptedVersion, askVersion } from './version.js';

/**
 * The k6 that is here already: LOADCTL_K6, then PATH, then loadctl's cache. Nothing is fetched: undefined where there is
 * none. One that was named or is on the PATH and does not do is an error, so that no other takes its place unseen.
 */
export async function findK6(surroundings: Surroundings): Promise<FoundK6 | undefined> {
  return (await named(surroundings)) ?? (await onPath(surroundings)) ?? (await cached(surroundings));
}

/** The first executable of this name on the PATH. */
export async function lookUp(name: string, env: Surroundings['env']): Promise<string | undefined> {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of folders) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function named(surroundings: Surroundings): Promise<FoundK6 | undefined> {
  const { LOADCTL_K6 = '' } = surroundings.env;
  if (LOADCTL_K6 === '') return undefined;
  const path = resolve(surroundings.cwd, LOADCTL_K6);
  if (!(await isExecutable(path))) {
    const hint = 'Set LOADCTL_K6 to a k6 binary, or unset it: then loadctl finds one itself';
    throw new LoadctlError('unavailable', `LOADCTL_K6 is ${LOADCTL_K6}, which is not a program`, { hint });
  }
  return { path, version: await acceptedVersion(path, 'from LOADCTL_K6', surroundings), source: 'LOADCTL_K6', why: 'LOADCTL_K6 names it' };
}

async function onPath(surroundings: Surroundings): Promise<FoundK6 | undefined> {
  const path = await lookUp(binaryName, surroundings.env);
  if (path === undefined) return undefined;
  return { path, version: await acceptedVersion(path, 'on your PATH', surroundings), source: 'PATH', why: 'it is the first on your PATH' };
}

/** A cached file that is damaged counts as missing and is downloaded again. */
async function cached(surroundings: Surroundings): Promise<FoundK6 | undefined> {
  const path = cachedBinary(surroundings);
  if (!(await isExecutable(path))) return undefined;
  const said = await askVersion(path, surroundings);
  if ('problem' in said || said.version !== pinnedVersion) return undefined;
  return { path, version: said.version, source: 'cache', why: 'none is on your PATH; loadctl downloaded this one before' };
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
