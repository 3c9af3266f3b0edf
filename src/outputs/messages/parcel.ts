import type { Message } from '../kind/message.js';
import type { Parcel } from '../kind/types.js';

/** A message as a parcel; `part` where it is several. Its id says which run, what, and when: the same message has the same one. */
export function parcelOf({ run, environment, occasion, at, t }: Message, body: unknown, part = ''): Parcel {
  return { id: `${run ?? environment}-${occasion}-${at}${part}`, second: Math.floor(t / 1000), body: JSON.stringify(body) };
}
