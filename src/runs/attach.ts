import { LoadctlError } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import type { World } from '../core/os.js';
import { followEvents } from './follow.js';
import { lifeOf, type RunWatcher } from './lock.js';
import { type RunRecord, readRunRecord } from './record.js';

const pollMs = 250;
/** After so many looks that found nothing new it is asked whether the run's loadctl is there: who writes is. */
const silentLooks = 4;

/**
 * Tells what happened in a run so far and what goes on happening, until its command ends or `signal` says to leave. The run
 * does not notice. Of the seconds before now only the last one is told. Throws `unavailable` for a run whose loadctl is
 * gone and did not bring it to its end.
 */
export async function attach(
  directory: string,
  world: RunWatcher & Pick<World, 'clock'>,
  tell: (event: LoggedEvent) => void,
  signal: AbortSignal,
): Promise<'ended' | 'left'> {
  const record = await readRunRecord(directory);
  const log = followEvents(directory);
  let ended = false;
  for (let silent = 0; !signal.aborted; silent += 1) {
    // Asked before it is read: what it wrote last is told in any case.
    const isGone = silent % silentLooks === 0 && (await lifeOf(directory, record, world)) === 'gone';
    const news = lastSecondOf(tell);
    await log.read((event) => {
      silent = 0;
      ended ||= event.type === 'command-finished'; // it may have been judged again since
      news.take(event);
    });
    news.tellRest();
    if (ended) return 'ended';
    if (isGone) throw gone(record);
    await world.clock.sleep(pollMs, signal);
  }
  return 'left';
}

/** Passes on all that happened but the seconds before the last one; keeps no more than what came since that one. */
function lastSecondOf(tell: (event: LoggedEvent) => void): { take(event: LoggedEvent): void; tellRest(): void } {
  let sinceLast: LoggedEvent[] = [];
  return {
    take: (event) => {
      if (event.type !== 'fleet-sampled') return void sinceLast.push(event);
      for (const before of sinceLast) if (before.type !== 'fleet-sampled') tell(before);
      sinceLast = [event];
    },
    tellRest: () => sinceLast.forEach(tell),
  };
}

function gone({ run, by }: RunRecord): LoadctlError {
  return new LoadctlError('unavailable', `The loadctl of run ${run} died (process ${by.pid} on ${by.host}): killed or crashed.`, {
    hint: `What is known of the run: loadctl verify ${run}`,
  });
}
