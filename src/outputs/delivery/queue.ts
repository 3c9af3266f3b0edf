import type { Milliseconds } from '../../core/quantities.js';
import type { OutputUnit } from '../../core/warnings.js';
import type { Bounds, Parcel } from '../kind/types.js';

/** What waits to be sent, oldest first, within bounds. What goes and what is left is counted in the output's unit. */
export interface Queue {
  /** Takes parcels in. What there is no room for goes, the oldest first, whole seconds of it: how many went. */
  put(parcels: readonly Parcel[], now: Milliseconds): number;
  /** Takes out what waited too long: how much went. */
  expire(now: Milliseconds): number;
  head(): Parcel | undefined;
  /** Takes this one out, unless it went already: it was sent, or never will be. */
  done(parcel: Parcel): void;
  /** How long the oldest has waited. */
  ageMs(now: Milliseconds): Milliseconds;
  /** All that waits, in order. */
  rest(): readonly Parcel[];
}

interface Waiting {
  readonly parcel: Parcel;
  readonly bytes: number;
  readonly since: Milliseconds;
}

/** An empty {@link Queue}. */
export function queueWithin(bounds: Bounds, unit: OutputUnit): Queue {
  const waiting: Waiting[] = [];
  let bytes = 0;
  const shift = () => {
    const first = waiting.shift();
    bytes -= first?.bytes ?? 0;
    return first?.parcel;
  };
  const dropWhile = (isTooMuch: () => boolean) => {
    let dropped = 0;
    for (; waiting.length > 0 && isTooMuch(); dropped += 1) {
      const first = shift();
      // Half of a second would be a lie.
      while (unit === 'second' && waiting.length > 0 && waiting[0]?.parcel.second === first?.second) shift();
    }
    return dropped;
  };
  const ageMs = (now: Milliseconds) => (waiting[0] === undefined ? 0 : now - waiting[0].since);
  return {
    put: (parcels, now) => {
      for (const parcel of parcels) {
        const size = parcel.id.length + Buffer.byteLength(parcel.body);
        waiting.push({ parcel, bytes: size, since: now });
        bytes += size;
      }
      return dropWhile(() => bytes > bounds.bytes);
    },
    expire: (now) => dropWhile(() => ageMs(now) > bounds.ageMs),
    head: () => waiting[0]?.parcel,
    done: (parcel) => {
      if (waiting[0]?.parcel === parcel) shift();
    },
    ageMs,
    rest: () => waiting.map(({ parcel }) => parcel),
  };
}

/** How much some parcels are, in the unit of their output. */
export function amountOf(parcels: readonly Parcel[], unit: OutputUnit): number {
  return unit === 'second' ? new Set(parcels.map(({ second }) => second)).size : parcels.length;
}
