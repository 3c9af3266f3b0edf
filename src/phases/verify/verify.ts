import type { RunWatcher } from '../../runs/lock.js';
import { readRunRecord } from '../../runs/record.js';
import { courseOf } from '../../runs/stop.js';
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
