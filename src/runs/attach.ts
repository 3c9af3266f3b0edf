import { LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import type { World } from '../core/os.js';
import { readEvents } from './read.js';
import { type RunRecord, readRunRecord } from './record.js';
import { isAlive } from './stop.js';

const pollMs = 250;

/**
 * Tells what happened in a run so far and what goes on happening, until its command ends or `signal` says to leave. The run
 * does not notice. Of the seconds before now only the last one is told. Throws `unavailable` for a run whose loadctl is
 * gone and did not bring it to its end.
 */
export async function attach(
  directory: string,
  world: Pick<World, 'who' | 'isAlive' | 'clock'>,
  tell: (event: LoggedEvent) => void,
  signal: AbortSignal,
): Promise<'ended' | 'left'> {
  const record = await readRunRecord(directory);
  let told = 0;
  while (!signal.aborted) {
    const alive = isAlive(record, world);
    const events = await readEvents(directory);
    const news = events.slice(told);
    const lastSecond = news.findLast((event) => event.type === 'fleet-sampled');
    for (const event of news) if (event.type !== 'fleet-sampled' || event === lastSecond) tell(event);
    told = events.length;
    if (events.at(-1)?.type === 'command-finished') return 'ended';
    if (!alive) throw gone(record);
    await world.clock.sleep(pollMs, signal);
  }
  return 'left';
}

function gone({ run, by }: RunRecord): LoadctlError {
  return new LoadctlError('unavailable', `The loadctl of run ${run} is gone (process ${by.pid} on ${by.host}): it was killed or crashed.`, {
    hint: `What is known of the run: loadctl verify ${run}`,
  });
}
