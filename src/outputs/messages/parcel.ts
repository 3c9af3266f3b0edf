import { createHash } from 'node:crypto';
import type { Message } from '../kind/message.js';
import type { Parcel } from '../kind/types.js';

/**
 * A message as a parcel; `part` where it is several. Its id says which run, what, of which limit, and when: the same message has the
 * same one, and two limits that break at the same moment have two.
 */
export function parcelOf({ run, environment, occasion, at, t, limit }: Message, body: unknown, part = ''): Parcel {
  const of = limit === undefined ? '' : `-${createHash('sha256').update(limit).digest('hex').slice(0, 8)}`;
  return { id: `${run ?? environment}-${occasion}-${at}${of}${part}`, second: Math.floor(t / 1000), body: JSON.stringify(body) };
}
