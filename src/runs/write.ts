import { mkdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import type { RunId, RunnerId } from '../core/ids.js';
import { redactData } from '../core/redact-data.js';
import type { Redactor } from '../core/redactor.js';
import { harmlessJson } from '../core/sanitise.js';
import { runFiles, runsRoot } from './layout.js';
import { type LineFile, lineFile } from './line-file.js';
import { makeFolder } from './make-folder.js';
import { keepReserve, type Reserve } from './reserve.js';

/** A run directory that is being written. */
export interface RunDirectory {
  readonly run: RunId;
  readonly path: string;
  /** The path of one of its files or folders. */
  file(name: string): string;
  /** Appends to events.ndjson an event without secrets. Never throws: see {@link RunDirectory.failed}. */
  log(event: LoggedEvent): void;
  /** Appends one JSON line to a file, without its secrets; like {@link RunDirectory.log}. */
  append(name: string, line: unknown): void;
  /** Has `listener` hear of every line that is appended from now on, without its secrets. It never throws. */
  onAppend(listener: (name: string, line: unknown) => void): void;
  /** Writes a whole JSON file without its secrets, at once or not at all. */
  write(name: string, content: unknown): Promise<void>;
  /** Resolves with the first error of a write that could not be done (disk full). What is kept for the end of the run is used from then on. */
  readonly failed: Promise<LoadctlError>;
  close(): void;
  /** Takes the directory away again: for a run that never began. */
  remove(): Promise<void>;
}

/** Makes the directory of a new run. Throws `unavailable` where the place cannot be written. */
export async function createRunDirectory(cwd: string, run: RunId, redactor: Redactor): Promise<RunDirectory> {
  const path = join(runsRoot(cwd), run);
  let fail: (error: LoadctlError) => void = () => {};
  const failed = new Promise<LoadctlError>((resolve) => {
    fail = resolve;
  });
  const files = new Map<string, LineFile>();
  const listeners: ((name: string, line: unknown) => void)[] = [];
  const append = (name: string, line: unknown) => {
    const file = files.get(name) ?? lineFile(join(path, name));
    files.set(name, file);
    const text = harmlessJson(JSON.stringify(line));
    try {
      file.append(text);
    } catch (error) {
      fail(writeError(path, error));
      reserve.release();
      attempt(() => file.append(text));
    }
  };
  let reserve: Reserve;
  try {
    // One by one: for a full disk a recursive mkdir says ENOENT.
    await makeFolder(runsRoot(cwd), 0o700);
    await mkdir(path, { mode: 0o700 });
    await mkdir(join(path, runFiles.runners), { mode: 0o700 });
    reserve = await keepReserve(path);
  } catch (error) {
    throw writeError(path, error);
  }
  return {
    run,
    path,
    failed,
    append: (name, line) => {
      const clean = redactData(line, redactor);
      append(name, clean);
      for (const listener of listeners) listener(name, clean);
    },
    onAppend: (listener) => void listeners.push(listener),
    file: (name) => join(path, name),
    log: ({ at, t, ...event }) => append(runFiles.events, { at, t, ...event }),
    write: async (name, content) => {
      const clean = redactData(content, redactor);
      await writeJson(join(path, name), clean).catch(() => {
        reserve.release();
        return writeJson(join(path, name), clean);
      });
    },
    close: () => {
      closeAll(files);
      reserve.release();
    },
    remove: async () => {
      closeAll(files);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Writes a JSON file of mode 0600, at once or not at all; `content` is without secrets. */
export async function writeJson(path: string, content: unknown): Promise<void> {
  await writeWhole(path, harmlessJson(JSON.stringify(content, null, 2)));
}

/** The same with a line for each of `lines`, for a file of a run that is over. */
export async function writeLines(directory: string, name: string, lines: readonly unknown[]): Promise<void> {
  await writeWhole(join(directory, name), lines.map((line) => harmlessJson(JSON.stringify(line))).join('\n'));
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, `${text}\n`, { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // below a file there is nothing to take away, and that is an error, too
    throw writeError(path, error);
  }
}

/** Makes one runner's folder in a run directory. */
export function makeRunnerFolder(directory: RunDirectory, runner: RunnerId): string {
  const folder = join(directory.path, runFiles.runners, runner);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function closeAll(files: Map<string, LineFile>): void {
  for (const file of files.values()) file.close();
  files.clear();
}

/** What it is about was told when it failed for the first time. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {}
}

/** Why something of a run directory cannot be written, and what would help. */
export function writeError(path: string, error: unknown): LoadctlError {
  const fixes: Record<string, string> = {
    ENOSPC: 'The disk is full: free some space there.',
    EDQUOT: 'The disk quota is used up: free some space there.',
    EACCES: 'The folder is not writable: change to another one, or fix its permissions.',
    EFBIG: 'No file may grow larger here: raise the limit (ulimit -f unlimited).',
    EMFILE: 'loadctl may open no more files: raise the limit (ulimit -n 1024).',
    ENOENT: 'It was removed while loadctl worked in it: keep it until the run has ended.',
    EROFS: 'The file system is read-only: change to a folder that can be written.',
    ENOTDIR: 'A file is in the place of this directory: move it away.',
    EEXIST: 'A file is in the place of this directory: move it away.',
  };
  return new LoadctlError('unavailable', `The run directory ${path} cannot be written: ${errorMessage(error)}`, {
    cause: error,
    hint: fixes[errorCode(error) ?? ''] ?? 'Fix it, then start again.',
  });
}
