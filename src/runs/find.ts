import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { asRunId, type RunId } from '../core/ids.js';
import { runFiles, runsRoot, stateRoot } from './layout.js';
import { readText } from './read.js';

/** The ids of the runs below a working directory, newest first. */
export async function listRuns(cwd: string): Promise<RunId[]> {
  try {
    const entries = await readdir(runsRoot(cwd), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => asRunId(entry.name) ?? [])
      .sort()
      .reverse();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unlistable(cwd, error);
  }
}

function unlistable(cwd: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === 'ENOTDIR') return fileInPlace(cwd, error);
  if (code !== 'EACCES' && code !== 'EPERM') return error;
  return new LoadctlError('unavailable', `${runsRoot(cwd)} may not be read.`, { cause: error, hint: 'Run as the user who made the runs.' });
}

/** The error for a file where loadctl's folder, or that of the runs, has to be. */
function fileInPlace(cwd: string, cause?: unknown): LoadctlError {
  return new LoadctlError('unavailable', `loadctl keeps its runs and receipts in ${runsRoot(cwd)}, and a file is in its place.`, {
    cause,
    hint: 'Move the file away, or change to another folder.',
  });
}

/** Throws `unavailable` where a file is in the place of loadctl's folder: nothing could be kept. A folder that is missing is made. */
export async function checkStateRoot(cwd: string): Promise<void> {
  const found = await stat(stateRoot(cwd)).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw fileInPlace(cwd);
}

/**
 * The directory of a run: by id, by path, or the latest one here that was opened; one that was named is it, whatever it holds.
 * Throws `unavailable` where there is none.
 */
export async function findRun(cwd: string, named?: string): Promise<string> {
  const runs = await listRuns(cwd);
  if (named === undefined) {
    for (const run of runs) {
      const directory = join(runsRoot(cwd), run);
      if ((await readText(join(directory, runFiles.run))) !== undefined) return directory;
    }
    throw new LoadctlError('unavailable', `No runs here yet (${runsRoot(cwd)}).`, { hint: 'Start one: loadctl run --env dev' });
  }
  const matching = runs.filter((run) => run === named);
  if (matching[0] !== undefined) return join(runsRoot(cwd), matching[0]);
  const path = join(cwd, named);
  const folder = named.startsWith('/') ? named : path;
  if (await isFolder(folder)) return folder;
  const known = runs.slice(0, 5).map((run) => `  ${run}`);
  throw new LoadctlError('unavailable', `No run "${named}" here.`, {
    lines: known.length > 0 ? ['The latest runs here:', ...known] : [],
    hint: 'loadctl runs lists them all; the folder of a run works as well.',
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
