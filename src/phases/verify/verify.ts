import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { exitCodesOf } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { World } from '../../core/os.js';
import { runFiles } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { readEvents } from '../../runs/read.js';
import { readRunRecord } from '../../runs/record.js';
import { courseOf } from '../../runs/stop.js';
import { writeJson, writeLines } from '../../runs/write.js';
import { type FetchedPoints, fetchPoints, type ProfileNow } from './fetch-points.js';
import { type Judgement, judgeRun, stillRunning } from './judgement.js';

/** Throws `unavailable` for a run that is still going on. */
export async function requireOver(directory: string, world: RunWatcher): Promise<void> {
  const record = await readRunRecord(directory);
  if ((await courseOf(directory, record, world)) === 'running') throw stillRunning(record);
}

/**
 * Judges a run once more, from its directory alone: the same evidence gives the same verdict. Throws `unavailable` for
 * a run that is still going on, or whose directory is damaged.
 */
export async function verify(directory: string, world: RunWatcher): Promise<Judgement> {
  await requireOver(directory, world);
  return judgeRun(directory);
}

/** What came of judging a run by what its sources say of it by now. */
export interface Refetched extends Judgement {
  readonly fetched: readonly FetchedPoints[];
}

/** Asks the sources that tell late once more, and judges by what they say now: verdict.json is made again. */
export async function verifyWithLate(
  directory: string,
  world: RunWatcher & Pick<World, 'clock' | 'spawn'>,
  now: ProfileNow | undefined,
): Promise<Refetched> {
  await verify(directory, world);
  const fetched = await fetchPoints(directory, world, now);
  const judgement = await judgeRun(directory);
  await writeJson(join(directory, runFiles.verdict), { ...judgement.verdict, ...exitCodesOf(judgement.reasons) });
  await tellAgain(directory, judgement, world.clock);
  return { ...judgement, fetched };
}

/** Whoever reads the events of a run comes to its verdict, too. */
async function tellAgain(directory: string, { record: { run }, verdict }: Judgement, clock: World['clock']): Promise<void> {
  const events = await readEvents(directory);
  const before = events.findLast((event) => event.type === 'judged');
  const last = events.at(-1);
  if (last === undefined || (before?.type === 'judged' && isDeepStrictEqual(before.verdict, asKept(verdict)))) return;
  // The run's own clock stands still since its end.
  const told: LoggedEvent = { at: clock.stamp(), t: last.t, type: 'judged', run, verdict, again: true };
  await writeLines(directory, runFiles.events, [...events, told]);
}

function asKept(verdict: Judgement['verdict']): unknown {
  return JSON.parse(JSON.stringify(verdict));
}
