import type { World } from '../core/os.js';
import { type Judgement, judgeRun, stillRunning } from './judgement.js';
import { readEvents } from './run-directory.js';
import { readRunRecord } from './run-record.js';

/**
 * Judges a run once more, from its directory alone: the same evidence gives the same verdict. Throws `unavailable` for
 * a run that is still going on, or whose directory is damaged.
 */
export async function verify(directory: string, world: Pick<World, 'who' | 'isAlive'>): Promise<Judgement> {
  const record = await readRunRecord(directory);
  const finished = (await readEvents(directory)).some((event) => event.type === 'phase-finished' && event.phase === 'run');
  if (!finished && record.by.host === world.who.host && world.isAlive(record.by.pid)) throw stillRunning(record);
  return judgeRun(directory);
}
