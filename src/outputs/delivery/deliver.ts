import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { callAfter } from '../../core/timer.js';
import type { Answer, Bounds, Output, Parcel } from '../kind/types.js';
import { type Books, books, type DeliveryNews, type Pause } from './books.js';

/** One output's way out. */
export interface Delivery extends Pick<Books, 'rest' | 'lost'> {
  /** Takes parcels in; never waits, never throws. */
  put(parcels: readonly Parcel[]): void;
  /** Sends, oldest first and one at a time, until `over`. */
  run(over: AbortSignal): Promise<void>;
  /** Resolves when nothing waits any more, after `limitMs`, or when `cut` says so. */
  flushed(limitMs: Milliseconds, cut: AbortSignal): Promise<void>;
}

/** What a delivery is made with. */
export interface DeliveryMeans {
  readonly clock: Clock;
  readonly tell: (news: DeliveryNews) => void;
  readonly random?: () => number;
  readonly bounds?: Bounds;
}

/** An answer takes no longer than this. */
const timeoutMs: Milliseconds = 5000;
const usualBounds: Bounds = { bytes: 8_000_000, ageMs: 15 * 60_000 };
/** At the end nobody waits for the next of the long pauses. */
const flushPauseMs: Milliseconds = 1000;

/** The {@link Delivery} of an output: the same for all of them. */
export function deliver(
  output: Output,
  { clock, tell, random = Math.random, bounds = output.bounds ?? usualBounds }: DeliveryMeans,
): Delivery {
  const kept = books(output, { clock, tell, random, bounds });
  const news = bell();
  const empty = bell();
  let isFlushing = false;
  let hurry = () => {};
  const rest = async ({ ms, leastMs }: Pause, stop: AbortSignal) => {
    const pause = new AbortController();
    const end = () => pause.abort();
    if (leastMs === 0) hurry = end;
    stop.addEventListener('abort', end, { once: true });
    await clock.sleep(isFlushing ? Math.max(leastMs, Math.min(ms, flushPauseMs)) : ms, pause.signal);
    stop.removeEventListener('abort', end);
  };
  return {
    rest: kept.rest,
    lost: kept.lost,
    put: (parcels) => {
      kept.put(parcels);
      news.ring();
    },
    run: async (over) => {
      over.addEventListener('abort', news.ring, { once: true });
      while (!over.aborted) {
        const parcel = kept.head();
        if (parcel === undefined) {
          empty.ring();
          await news.rings();
          continue;
        }
        const begun = clock.elapsed();
        const answer = await sendOnce(output, parcel, { clock, over });
        const pause = kept.settle(parcel, begun, answer);
        if (pause !== undefined && !over.aborted) await rest(pause, over);
      }
    },
    flushed: async (limitMs, cut) => {
      isFlushing = true;
      hurry();
      if (kept.head() !== undefined) await Promise.race([empty.rings(), clock.sleep(limitMs, cut)]);
    },
  };
}

/** One request: it has its time, and ends with the delivery. */
async function sendOnce(
  output: Output,
  parcel: Parcel,
  { clock, over }: { readonly clock: Clock; readonly over: AbortSignal },
): Promise<Answer> {
  const late = new AbortController();
  const end = () => late.abort();
  const inTime = callAfter(clock, timeoutMs, end);
  over.addEventListener('abort', end, { once: true });
  try {
    return await output.send(parcel, late.signal);
  } finally {
    inTime();
    over.removeEventListener('abort', end);
  }
}

/** Wakes whoever waits for it; a ring that nobody waits for is forgotten. */
function bell(): { readonly ring: () => void; rings(): Promise<void> } {
  let wake = () => {};
  return {
    ring: () => wake(),
    rings: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}
