import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import { runFiles } from './layout.js';

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

/** The text of a file; undefined where it is missing. Throws `unavailable` where it may not be read. */
export async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => noneWhereMissing(error, path));
}

/** What an error of opening a file comes to: undefined where it is missing; throws `unavailable` where it may not be read. */
export function noneWhereMissing(error: unknown, path: string): undefined {
  if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
  if (errorCode(error) === 'EACCES')
    throw new LoadctlError('unavailable', `${path} may not be read.`, { cause: error, hint: 'Run as the user who made the run.' });
  throw error;
}
