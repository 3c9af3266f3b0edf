import { unlessAborted } from '../core/abort.js';
import type { LoggedEvent } from '../core/events.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { DoorAway, type DoorClient } from './client.js';

/** How long a follower waits before it tries again: longer each time, until it is answered. */
const backOffMs: readonly Milliseconds[] = [100, 250, 500, 1000, 2000];

/** How a conductor is followed. */
export interface Following {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Aborted: who follows leaves. */
  readonly signal: AbortSignal;
  /** The door is out of reach, so many times in a row: throws what is known of the reason, where that is for good. */
  away(error: DoorAway, times: number): Promise<void>;
}

/**
 * Does what goes through the door, again and again until it is reached; undefined once `signal` aborts. Work that says that it
 * got on, before it breaks off, is tried again as soon as at first.
 */
export async function insist<T>({ clock, signal, away }: Following, work: (gotOn: () => void) => Promise<T>): Promise<T | undefined> {
  let failures = 0;
  const gotOn = () => {
    failures = 0;
  };
  while (!signal.aborted) {
    try {
      return await unlessAborted(work(gotOn), signal);
    } catch (error) {
      if (!(error instanceof DoorAway)) throw error;
      failures += 1;
      await unlessAborted(away(error, failures), signal);
      await clock.sleep(backOffMs[Math.min(failures, backOffMs.length) - 1] ?? 0, signal);
    }
  }
  return undefined;
}

/**
 * Hands over every event of a conductor's run, each once and in order, whatever becomes of connections meanwhile; until the run
 * is over, or `signal` aborts.
 */
export async function followDoor(door: DoorClient, take: (event: LoggedEvent) => void, following: Following): Promise<'over' | 'left'> {
  const { signal } = following;
  let next = 0;
  const followOnce = async (gotOn: () => void): Promise<'over' | 'again'> => {
    const pieces = await door.events(next);
    if (pieces === undefined) return 'over';
    gotOn();
    for await (const line of wholeLines(pieces, signal)) {
      if (signal.aborted) break;
      next += 1;
      take(JSON.parse(line) as LoggedEvent);
    }
    return 'again';
  };
  for (;;) {
    const how = await insist(following, followOnce);
    if (how !== 'again') return how ?? 'left';
  }
}

/** A line that breaks off is asked for again. */
async function* wholeLines(pieces: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of untilAborted(pieces, signal)) {
    const all = Buffer.concat([rest, piece]);
    const end = all.lastIndexOf('\n');
    rest = all.subarray(end + 1);
    if (end >= 0) yield* all.toString('utf8', 0, end).split('\n');
  }
}

async function* untilAborted(pieces: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    void iterator.return?.().catch(() => undefined);
  }
}
