import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import type { LoadctlEvent, LoggedEvent } from '../core/events.js';
import type { EpochMs } from '../core/quantities.js';
import type { Redact } from '../core/secrets.js';

/** The version of a run directory's layout; see docs/run-directory.md. */
export const layoutVersion = 1;

/** The files of a run directory, by what is in them. */
export const runFiles = {
  run: 'run.json',
  events: 'events.ndjson',
  archive: 'test.tar',
  runners: 'runners',
  timeseries: 'timeseries.ndjson',
  generators: 'generators.ndjson',
  summary: 'summary.json',
  verdict: 'verdict.json',
  receipt: 'receipt.json',
  stop: 'stop.json',
} as const;

/** A run's id: sortable by time, unique enough for ids that are made from it: `20261123-195601-k3x9q`. */
export function makeRunId(now: EpochMs, random: () => number = Math.random): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const suffix = Array.from({ length: 5 }, () => Math.floor(random() * 36).toString(36)).join('');
  return `${stamp}-${suffix}`;
}

/** Where loadctl keeps what it has to remember below a working directory. */
export function stateRoot(cwd: string): string {
  return join(cwd, '.loadctl');
}

/** Where runs live below a working directory. */
export function runsRoot(cwd: string): string {
  return join(stateRoot(cwd), 'runs');
}

/** A run directory that is being written. */
export interface RunDirectory {
  readonly run: string;
  readonly path: string;
  /** The path of one of its files or folders. */
  file(name: string): string;
  /** Appends to events.ndjson. Never throws: see {@link RunDirectory.failed}. */
  log(event: LoadctlEvent, at: EpochMs): void;
  /** Appends one JSON line to a file; like {@link RunDirectory.log}. */
  append(name: string, line: unknown): void;
  /** Writes a whole JSON file, at once or not at all. */
  write(name: string, content: unknown): Promise<void>;
  /** Resolves with the first error of a write that could not be done (disk full). */
  readonly failed: Promise<LoadctlError>;
  close(): void;
  /** Takes the directory away again: for a run that never began. */
  remove(): Promise<void>;
}

/** Makes the directory of a new run. Throws `unavailable` where the place cannot be written. */
export async function createRunDirectory(cwd: string, run: string, redact: Redact): Promise<RunDirectory> {
  const path = join(runsRoot(cwd), run);
  let fail: (error: LoadctlError) => void = () => {};
  const failed = new Promise<LoadctlError>((resolve) => {
    fail = resolve;
  });
  const descriptors = new Map<string, number>();
  const append = (name: string, line: unknown) => {
    try {
      const descriptor = descriptors.get(name) ?? openSync(join(path, name), 'a', 0o600);
      descriptors.set(name, descriptor);
      appendFileSync(descriptor, `${redact(JSON.stringify(line))}\n`);
    } catch (error) {
      fail(writeError(path, error));
    }
  };
  try {
    // One by one: for a full disk a recursive mkdir says ENOENT.
    await mkdir(runsRoot(cwd), { recursive: true, mode: 0o700 });
    await mkdir(path, { mode: 0o700 });
    await mkdir(join(path, runFiles.runners), { mode: 0o700 });
  } catch (error) {
    throw writeError(path, error);
  }
  return {
    run,
    path,
    failed,
    append,
    file: (name) => join(path, name),
    log: (event, at) => append(runFiles.events, { at, ...event }),
    write: (name, content) => writeJson(join(path, name), content, redact),
    close: () => closeAll(descriptors),
    remove: async () => {
      closeAll(descriptors);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Writes a JSON file of mode 0600, at once or not at all. */
export async function writeJson(path: string, content: unknown, redact: Redact): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, `${redact(JSON.stringify(content, null, 2))}\n`, { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(path, error);
  }
}

/** Makes one runner's folder in a run directory. */
export function makeRunnerFolder(directory: RunDirectory, runner: string): string {
  const folder = join(directory.path, runFiles.runners, runner);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** The ids of the runs below a working directory, newest first. */
export async function listRuns(cwd: string): Promise<string[]> {
  try {
    const entries = await readdir(runsRoot(cwd), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .reverse();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The directory of a run: by id, by path, or the latest one here. Throws `unavailable` where there is none. */
export async function findRun(cwd: string, named?: string): Promise<string> {
  const runs = await listRuns(cwd);
  if (named === undefined) {
    const [latest] = runs;
    if (latest !== undefined) return join(runsRoot(cwd), latest);
    throw new LoadctlError('unavailable', `There is no run here yet (${runsRoot(cwd)}).`, { hint: 'Start one: loadctl run --env dev' });
  }
  const matching = runs.filter((run) => run === named);
  if (matching[0] !== undefined) return join(runsRoot(cwd), matching[0]);
  const path = join(cwd, named);
  const folder = named.startsWith('/') ? named : path;
  if (await readText(join(folder, runFiles.run))) return folder;
  const known = runs.slice(0, 5).map((run) => `  ${run}`);
  throw new LoadctlError('unavailable', `There is no run "${named}" here.`, {
    lines: known.length > 0 ? ['The latest runs here:', ...known] : [],
    hint: 'loadctl runs lists them all; a folder of a run will do, too.',
  });
}

/** A JSON file of a run directory; undefined where it is missing. Throws `unavailable` for a damaged one. */
export async function readJson(directory: string, name: string): Promise<unknown> {
  const text = await readText(join(directory, name));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(join(directory, name), errorMessage(cause), cause);
  }
}

/** The events of a run, in order; a torn last line (a crash while writing) is left out. */
export async function readEvents(directory: string): Promise<LoggedEvent[]> {
  return readLines<LoggedEvent>(directory, runFiles.events);
}

/** The JSON lines of a file, in order, a torn last one left out; none where the file is missing. Throws `unavailable` for a damaged one. */
export async function readLines<T>(directory: string, name: string): Promise<T[]> {
  const lines = ((await readText(join(directory, name))) ?? '').split('\n');
  const read: T[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    try {
      read.push(JSON.parse(line) as T);
    } catch (cause) {
      if (index < lines.length - 1) throw damaged(`${join(directory, name)}:${index + 1}`, errorMessage(cause), cause);
    }
  }
  return read;
}

/** The error for a run directory that does not hold what it should. */
export function damaged(where: string, what: string, cause?: unknown): LoadctlError {
  return new LoadctlError('unavailable', `The run directory is damaged: ${where}: ${what}.`, {
    cause,
    hint: 'Nothing is judged from a damaged run. Name another one (loadctl runs), or run again.',
  });
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    if (errorCode(error) === 'EACCES')
      throw new LoadctlError('unavailable', `${path} may not be read.`, { cause: error, hint: 'Run as the user who made the run.' });
    throw error;
  }
}

function closeAll(descriptors: Map<string, number>): void {
  for (const descriptor of descriptors.values()) closeSync(descriptor);
  descriptors.clear();
}

function writeError(path: string, error: unknown): LoadctlError {
  const fixes: Record<string, string> = {
    ENOSPC: 'The disk is full: free some space there.',
    EDQUOT: 'The disk quota is used up: free some space there.',
    EACCES: 'The folder may not be written: change to one that may, or mend its permissions.',
    EROFS: 'The file system is read-only: change to a folder that can be written.',
    ENOTDIR: 'A file stands where a folder is needed: move it away.',
    EEXIST: 'A file stands where a folder is needed: move it away.',
  };
  return new LoadctlError('unavailable', `The run directory ${path} cannot be written: ${errorMessage(error)}`, {
    cause: error,
    hint: fixes[errorCode(error) ?? ''] ?? 'Mend it, then start again.',
  });
}
