import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Answer, Bounds, Output, Parcel } from '../kind/types.js';
import { pauseAfter } from './pause.js';
import { queueWithin } from './queue.js';
import { type TroubleNews, troubleTeller } from './trouble.js';

/** What is told of a delivery: once when it falls behind, and once when it is back; once when something is refused. */
export type DeliveryNews = TroubleNews | { readonly is: 'refused'; readonly why: string };

/** How long to wait before the next attempt; never less than the other side asked for. */
export interface Pause {
  readonly ms: Milliseconds;
  readonly leastMs: Milliseconds;
}

/** What waits, what came of it, and what is lost. */
export interface Books {
  put(parcels: readonly Parcel[]): void;
  head(): Parcel | undefined;
  /** Enters what came of sending a parcel; the attempt began at `begun`. A pause where it, or whatever is next, has to wait. */
  settle(parcel: Parcel, begun: Milliseconds, answer: Answer): Pause | undefined;
  rest(): readonly Parcel[];
  /** How much is lost for good: dropped, refused, or nobody knows whether it arrived. */
  lost(): number;
}

/** What {@link Books} are kept with. */
export interface BookKeeping {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly tell: (news: DeliveryNews) => void;
  readonly random: () => number;
  readonly bounds: Bounds;
}

/** Nothing waits longer than this, and timers end at 24 days. */
const mostAskedMs: Milliseconds = 3_600_000;

const unsure = 'whether it arrived is unknown, and it must not be sent twice';

/** Empty {@link Books} of an output. */
export function books(output: Pick<Output, 'unit' | 'repeatable'>, { clock, tell, random, bounds }: BookKeeping): Books {
  const queue = queueWithin(bounds, output.unit);
  const trouble = troubleTeller(tell);
  let [failures, lost, isRefused, isShut] = [0, 0, false, false];
  const drop = (amount: number) => {
    lost += amount;
    trouble.dropped(amount);
  };
  const look = () => {
    drop(queue.expire(clock.elapsed()));
    if (queue.head() === undefined) trouble.caughtUp(clock.elapsed());
    else trouble.waits(clock.elapsed(), queue.ageMs(clock.elapsed()));
  };
  let lostSecond: number | undefined;
  const lose = ({ second }: Parcel) => {
    if (output.unit !== 'second' || second !== lostSecond) lost += 1;
    lostSecond = second;
  };
  const refused = (parcel: Parcel, why: string) => {
    lose(parcel);
    const isFirst = !isRefused;
    isRefused = true;
    if (isFirst) tell({ is: 'refused', why });
  };
  return {
    put: (parcels) => {
      if (isShut) for (const parcel of parcels) lose(parcel);
      else drop(queue.put(parcels, clock.elapsed()));
      look();
    },
    head: queue.head,
    settle: (parcel, begun, answer) => {
      if (answer.is === 'later' || (answer.is === 'unknown' && output.repeatable)) {
        failures += 1;
        trouble.failed(begun, answer.why);
        look();
        const leastMs = Math.min(answer.is === 'later' ? (answer.afterMs ?? 0) : 0, mostAskedMs);
        // Who asks for no pause at all gets ours: else a broken server would be asked without end.
        return { ms: Math.max(leastMs, pauseAfter(failures, random)), leastMs };
      }
      failures = 0;
      queue.done(parcel);
      if (answer.is === 'unknown') refused(parcel, `${answer.why}; ${unsure}`);
      else if (answer.is === 'refused') refused(parcel, answer.why);
      else if (answer.lost !== undefined) refused(parcel, answer.lost);
      isShut ||= answer.is === 'refused' && answer.all === true;
      for (let next = queue.head(); isShut && next !== undefined; next = queue.head()) {
        queue.done(next);
        lose(next);
      }
      look();
      return undefined;
    },
    rest: queue.rest,
    lost: () => lost,
  };
}
