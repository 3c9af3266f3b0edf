import { join } from 'node:path';
import { exitCodesOf } from '../../core/errors.js';
import type { World } from '../../core/os.js';
import { runFiles } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { readRunRecord } from '../../runs/record.js';
import { courseOf } from '../../runs/stop.js';
import { writeJson } from '../../runs/write.js';
import { type FetchedPoints, fetchPoints, type ProfileNow } from './fetch-points.js';
import { type Judgement, judgeRun, stillRunning } from './judgement.js';

/**
 * Judges a run once more, from its directory alone: the same evidence gives the same verdict. Throws `unavailable` for
 * a run that is still going on, or whose directory is damaged.
 */
export async function verify(directory: string, world: RunWatcher): Promise<Judgement> {
  const record = await readRunRecord(directory);
  if ((await courseOf(directory, record, world)) === 'running') throw stillRunning(record);
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
  return { ...judgement, fetched };
}
