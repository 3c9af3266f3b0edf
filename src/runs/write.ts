import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import type { RunId, RunnerId } from '../core/ids.js';
import { redactData } from '../core/redact-data.js';
import type { Redactor } from '../core/redactor.js';
import { harmlessJson } from '../core/sanitise.js';
import { runFiles, runsRoot } from './layout.js';

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
  /** Writes a whole JSON file without its secrets, at once or not at all. */
  write(name: string, content: unknown): Promise<void>;
  /** Resolves with the first error of a write that could not be done (disk full). */
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
  const descriptors = new Map<string, number>();
  const append = (name: string, line: unknown) => {
    try {
      const descriptor = descriptors.get(name) ?? openSync(join(path, name), 'a', 0o600);
      descriptors.set(name, descriptor);
      appendFileSync(descriptor, `${harmlessJson(JSON.stringify(line))}\n`);
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
    append: (name, line) => append(name, redactData(line, redactor)),
    file: (name) => join(path, name),
    log: ({ at, t, ...event }) => append(runFiles.events, { at, t, ...event }),
    write: (name, content) => writeJson(join(path, name), redactData(content, redactor)),
    close: () => closeAll(descriptors),
    remove: async () => {
      closeAll(descriptors);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Writes a JSON file of mode 0600, at once or not at all; `content` is without secrets. */
export async function writeJson(path: string, content: unknown): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, `${harmlessJson(JSON.stringify(content, null, 2))}\n`, { mode: 0o600 });
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

function closeAll(descriptors: Map<string, number>): void {
  for (const descriptor of descriptors.values()) closeSync(descriptor);
  descriptors.clear();
}

function writeError(path: string, error: unknown): LoadctlError {
  const fixes: Record<string, string> = {
    ENOSPC: 'The disk is full: free some space there.',
    EDQUOT: 'The disk quota is used up: free some space there.',
    EACCES: 'The folder is not writable: change to another one, or fix its permissions.',
    EROFS: 'The file system is read-only: change to a folder that can be written.',
    ENOTDIR: 'A file is in the place of this directory: move it away.',
    EEXIST: 'A file is in the place of this directory: move it away.',
  };
  return new LoadctlError('unavailable', `The run directory ${path} cannot be written: ${errorMessage(error)}`, {
    cause: error,
    hint: fixes[errorCode(error) ?? ''] ?? 'Fix it, then start again.',
  });
}
