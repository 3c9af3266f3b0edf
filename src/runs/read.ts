import { createReadStream } from 'node:fs';
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

/** Told every second: what is asked of them is only how far the load was at last. */
const ofASecond: ReadonlySet<LoggedEvent['type']> = new Set(['fleet-sampled', 'servers-sampled']);

/** The events of a run, in order, of the samples of every second the last; a torn last line (a crash while writing) is left out. */
export async function readEvents(directory: string): Promise<LoggedEvent[]> {
  const events: (LoggedEvent | undefined)[] = [];
  const samples = new Map<LoggedEvent['type'], number>();
  await foldLines<LoggedEvent>(directory, runFiles.events, eventMisfit, (event) => {
    if (!ofASecond.has(event.type)) return void events.push(event);
    const before = samples.get(event.type);
    if (before !== undefined) events[before] = undefined;
    samples.set(event.type, events.push(event) - 1);
  });
  return events.filter((event) => event !== undefined);
}

/**
 * The JSON lines of a file, in order, a torn last one left out; none where the file is missing. `misfit` says what keeps a line
 * from being one of them. Throws `unavailable` for a damaged one.
 */
export async function readLines<T>(directory: string, name: string, misfit: Misfit): Promise<T[]> {
  const lines: T[] = [];
  await foldLines<T>(directory, name, misfit, (line) => void lines.push(line));
  return lines;
}

/** What keeps a line from being one of a file; undefined for one that is. */
type Misfit = (line: unknown) => string | undefined;

/** A line of 500 endpoints takes half of it. */
const chunkBytes = 2 ** 20;

/** Hands the JSON lines of a file over one by one, whatever its size; otherwise like {@link readLines}. */
export async function foldLines<T>(directory: string, name: string, misfit: Misfit, take: (line: T) => void): Promise<void> {
  const path = join(directory, name);
  let rest = '';
  let number = 0;
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: chunkBytes })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        number += 1;
        if (line !== '') take(parseLine<T>(line, `${path}:${number}`, misfit));
      }
    }
  } catch (error) {
    if (error instanceof LoadctlError) throw error;
    return noneWhereMissing(error, path);
  }
  for (const line of tornLine<T>(rest, misfit)) take(line);
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
