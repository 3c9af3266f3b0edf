import { LoadctlError } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import { type Memory, memoryOf } from './memory.js';
import type { FirstLook } from './node.js';

/** What our connections and what is on its way on them take at most: it counts as memory of the server like keys do. */
const ownBuffers = 256_000;

/** Bytes that a server is about to take, besides those of our connections. */
interface Needed {
  readonly seeded: number;
  /** An answer that it makes at once. */
  readonly answer: number;
}

/** Refuses a server (112) that would make room by evicting keys, which may be anybody's, or would take no more writes. */
export function refuseFull(store: string, node: string, memory: Memory | undefined, { seeded, answer }: Needed): void {
  const { room, policy = 'noeviction' } = memory ?? {};
  const isQuiet = seeded === 0 && policy === 'noeviction';
  const bytes = seeded + answer + ownBuffers;
  if (room === undefined || isQuiet || bytes <= room) return;
  const then = policy === 'noeviction' ? 'it would refuse writes of others' : 'it would evict keys of others';
  const takes = seeded === 0 ? 'looking at it' : 'what is seeded';
  throw new LoadctlError(
    'refused',
    `${store}: ${node} has room for about ${inMegabytes(room)} and ${takes} takes about ${inMegabytes(bytes)}: ${then} (maxmemory-policy ${policy})`,
    { hint: 'Seed fewer or shorter entries, give the server more memory, or use one that only the test uses.' },
  );
}

/** Looks at a server's room before anything else, as long as nothing was written. One that does not say how much it has is taken as it is. */
export function roomFirst(store: string, isAheadOfSeed: () => boolean): FirstLook {
  return async (node, answer) => {
    if (isAheadOfSeed()) refuseFull(store, node.name, await memoryOf(node), { seeded: 0, answer });
  };
}

function inMegabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${formatCount(Math.ceil(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
