import { join } from 'node:path';
import { errorMessage, LoadctlError } from '../core/errors.js';
import type { CountedBefore } from '../core/events.js';
import { checkStateRoot } from './find.js';
import { rememberedFiles, stateRoot } from './layout.js';
import { makeFolder } from './make-folder.js';
import { readJson } from './read.js';
import { writeJson } from './write.js';

/** The version of the file that keeps what was counted and seeded. */
const beforeVersion = 2;

/** What was counted and seeded from here, one file for each environment; where it is of no use, why. */
export interface BeforeFile {
  readonly before: CountedBefore | undefined;
  readonly unusable: { readonly file: string; readonly why: string } | undefined;
}

/** Keeps it, which is without secrets, for a cleanup that comes later, as of the latest seed. */
export async function keepBefore(cwd: string, environment: string, before: CountedBefore): Promise<void> {
  await makeFolder(stateRoot(cwd), 0o700).catch(() => undefined); // writing says why it cannot be
  const file = rememberedFiles(environment).before;
  await writeJson(join(stateRoot(cwd), file), { version: beforeVersion, environment, ...before }).catch((error: unknown) => {
    if (!(error instanceof LoadctlError)) throw error;
    throw new LoadctlError(error.reason, `${join('.loadctl', file)} cannot be written: ${errorMessage(error.cause ?? error)}`, {
      hint: 'It keeps what is seeded from here: make room for it, or make it a file that can be written.',
      cause: error,
    });
  });
}

/** What was kept; nothing where nothing was seeded from here: cleanup needs no such file. Throws `unavailable` where nothing can be kept. */
export async function readBefore(cwd: string, environment: string): Promise<BeforeFile> {
  const file = rememberedFiles(environment).before;
  await checkStateRoot(cwd);
  try {
    const kept = (await readJson(stateRoot(cwd), file)) as (Partial<CountedBefore> & { version?: unknown }) | undefined;
    if (kept === undefined) return { before: undefined, unusable: undefined };
    if (kept.version !== beforeVersion)
      return unusable(file, `it is of version ${kept.version}, and this loadctl reads version ${beforeVersion}`);
    const { at, others, seeded, evicted } = kept;
    if (typeof at !== 'string' || !Array.isArray(seeded) || !Array.isArray(evicted))
      return unusable(file, 'it does not hold what it should');
    return { before: { at, seeded, evicted, ...(Array.isArray(others) ? { others } : {}) }, unusable: undefined };
  } catch (error) {
    return unusable(file, error instanceof LoadctlError && error.cause !== undefined ? errorMessage(error.cause) : errorMessage(error));
  }
}

function unusable(name: string, why: string): BeforeFile {
  return { before: undefined, unusable: { file: join('.loadctl', name), why } };
}
