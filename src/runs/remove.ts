import { rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import { asRunId, type RunId } from '../core/ids.js';
import type { World } from '../core/os.js';
import type { EpochMs, Milliseconds } from '../core/quantities.js';
import { listRuns } from './find.js';
import { followEvents } from './follow.js';
import { runFiles, runsRoot, stateRoot } from './layout.js';
import { lifeOf, lockOf, type RunWatcher } from './lock.js';
import { readText } from './read.js';
import { readRunRecord } from './record.js';

/** Writing down what a run is comes after its script was archived. */
const preparedWithinMs: Milliseconds = 10 * 60_000;

/** The run that a word means, by its id or its folder: only one of this working directory. Throws `unavailable` for any other. */
export async function ownRun(cwd: string, named: string): Promise<RunId> {
  const [id, path] = [asRunId(basename(named)), resolve(cwd, named)];
  const isHere = named === id || path === join(runsRoot(cwd), basename(named));
  if (id !== undefined && isHere && (await listRuns(cwd)).includes(id)) return id;
  throw new LoadctlError('unavailable', `No run "${named}" in ${runsRoot(cwd)}; nothing was removed.`, {
    hint: 'loadctl runs lists them all.',
  });
}

/** Whether a loadctl still works on a run: it makes load, cleans up after it, or is about to begin. */
export async function isInUse(cwd: string, run: RunId, world: RunWatcher & Pick<World, 'clock'>): Promise<boolean> {
  const directory = join(runsRoot(cwd), run);
  if ((await readText(join(directory, runFiles.run))) === undefined) return mayBegin(directory, run, world);
  const record = await readRunRecord(directory).catch(() => undefined); // of another version, or damaged
  if (record === undefined || (await lifeOf(directory, record, world)) === 'gone') return false;
  let finished = false;
  const read = followEvents(directory).read((event) => {
    finished ||= event.type === 'command-finished';
  });
  await read.catch(() => undefined);
  return !finished;
}

/** Whether a run that is not written down yet is being prepared: by its lock, and where it has none by when it began. */
async function mayBegin(directory: string, run: RunId, { lockState, clock }: Pick<World, 'lockState' | 'clock'>): Promise<boolean> {
  const state = await lockState(lockOf(directory));
  return state === 'held' || (state === 'unknown' && isYoung(run, clock.stamp()));
}

/** Takes a run away, all of it. It is gone from the list at once, whatever becomes of its files. Throws `unavailable`. */
export async function removeRun(cwd: string, run: RunId): Promise<void> {
  const leaving = join(stateRoot(cwd), `removed-${run}`);
  try {
    await rename(join(runsRoot(cwd), run), leaving);
    await rm(leaving, { recursive: true, force: true });
  } catch (cause) {
    throw new LoadctlError('unavailable', `Run ${run} cannot be removed: ${errorMessage(cause)}`, {
      hint: errorCode(cause) === 'EACCES' ? 'Run as the user who made the run.' : `Remove ${leaving} by hand.`,
      cause,
    });
  }
}

/** By its id, which is all there is of it yet. */
function isYoung(run: RunId, now: EpochMs): boolean {
  return now - beganAt(run) < preparedWithinMs;
}

/** When a run began, by its id: 0 for one that somebody named otherwise. */
function beganAt(run: RunId): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-/.exec(run) ?? [];
  return year === undefined ? 0 : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
