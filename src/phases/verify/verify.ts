import type { World } from '../../core/os.js';
import { readRunRecord } from '../../runs/record.js';
import { isRunning } from '../../runs/stop.js';
import { type Judgement, judgeRun, stillRunning } from './judgement.js';

/**
 * Judges a run once more, from its directory alone: the same evidence gives the same verdict. Throws `unavailable` for
 * a run that is still going on, or whose directory is damaged.
 */
export async function verify(directory: string, world: Pick<World, 'who' | 'isAlive'>): Promise<Judgement> {
  const record = await readRunRecord(directory);
  if (record.by.host === world.who.host && (await isRunning(directory, record, world))) throw stillRunning(record);
  return judgeRun(directory);
}
