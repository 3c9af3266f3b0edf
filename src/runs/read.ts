import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import { eventMisfit } from './event-shape.js';
import { runFiles } from './layout.js';

/** A JSON file of a run directory; undefined where it is missing. Throws `unavailable` for a damaged one. */
export async function readJson(directory: string, name: string): Promise<unknown> {
  const text = await readText(join(directory, name));
  return text === undefined ? undefined : parsed(text, join(directory, name));
}

/** The events of a run, in order; a torn last line (a crash while writing) is left out. */
export async function readEvents(directory: string): Promise<LoggedEvent[]> {
  return readLines<LoggedEvent>(directory, runFiles.events, eventMisfit);
}

/**
 * The JSON lines of a file, in order, a torn last one left out; none where the file is missing. `misfit` says what keeps a line
 * from being one of them. Throws `unavailable` for a damaged one.
 */
export async function readLines<T>(directory: string, name: string, misfit: (line: unknown) => string | undefined): Promise<T[]> {
  const lines = ((await readText(join(directory, name))) ?? '').split('\n');
  const last = lines.pop() ?? '';
  const whole = lines.map((line, index) => ({ line, place: `${join(directory, name)}:${index + 1}` }));
  return [...whole.flatMap(({ line, place }) => (line === '' ? [] : [parseLine<T>(line, place, misfit)])), ...tornLine<T>(last, misfit)];
}

/** A line of a file as JSON. Throws `unavailable` where it is damaged. */
export function parseLine<T>(line: string, place: string, misfit: (line: unknown) => string | undefined): T {
  const value = parsed(line, place);
  const wrong = misfit(value);
  if (wrong !== undefined) throw damaged(place, wrong);
  return value as T;
}

/** A last line without its end may be whole all the same. */
function tornLine<T>(line: string, misfit: (line: unknown) => string | undefined): T[] {
  try {
    return [parseLine<T>(line, '', misfit)];
  } catch {
    return [];
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(place, errorMessage(cause), cause);
  }
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
  throw damaged(path, errorMessage(error), error);
}

/**
 * What `work` makes of a run directory. The files there may come from anywhere: what does not fit together in them is damage,
 * whoever trips over it.
 */
export async function madeOf<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof LoadctlError ? error : damaged(directory, `its files do not fit together (${errorMessage(error)})`, error);
  }
}
