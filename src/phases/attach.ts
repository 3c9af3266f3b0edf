import type { LoggedEvent } from '../core/events.js';
import type { World } from '../core/os.js';
import { readEvents } from './run-directory.js';
import { readRunRecord } from './run-record.js';
import { isRunning } from './stop.js';

const pollMs = 250;

/**
 * Tells what happened in a run so far and what goes on happening, until it ends or `signal` says to leave. The run
 * does not notice. Of the seconds before now only the last one is told.
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
    const goesOn = await isRunning(directory, record, world);
    const events = await readEvents(directory);
    const news = events.slice(told);
    const lastSecond = news.findLast((event) => event.type === 'fleet-sampled');
    for (const event of news) if (event.type !== 'fleet-sampled' || event === lastSecond) tell(event);
    told = events.length;
    if (!goesOn) return 'ended';
    await world.clock.sleep(pollMs, signal);
  }
  return 'left';
}
