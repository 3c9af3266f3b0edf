import { throwIfAborted } from '../../../core/abort.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import { together } from '../../kind/together.js';
import { sqlState, tookTooLong } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { countNumbers, partOf, type RowNumbers } from '../rows/shards.js';

/** Work on many rows, a chunk at a time. */
export interface Chunks {
  /** Each takes the next chunk when it is done with one. */
  readonly sessions: readonly Session[];
  /** The rows that are left to do. */
  readonly numbers: readonly RowNumbers[];
  /** How long a chunk is to take. */
  readonly aimMs: Milliseconds;
  /** How long to rest after one that took so long. */
  readonly restMs?: (tookMs: Milliseconds) => Milliseconds;
  readonly clock: Clock;
  /** No chunk is begun once it is aborted. */
  readonly signal: AbortSignal;
}

const firstRows = 1000;
const mostRows = 100_000;
/** So often a row that somebody holds is tried alone. */
const attempts = 5;
/** Deadlock, serialization, a lock or a statement that took too long: a smaller chunk may go, or the same one later. */
const passing: readonly (string | undefined)[] = ['40P01', '40001', '55P03', tookTooLong];

/** Whether the same may go next time. */
export function isPassing(error: unknown): boolean {
  return passing.includes(sqlState(error));
}

/**
 * Does `work` for all rows, in chunks that take about as long as they should: the next one is larger or smaller by how long the
 * last one took. One that a server gives up for its time, or for somebody who holds a row, is halved.
 */
export async function inChunks(chunks: Chunks, work: (session: Session, numbers: RowNumbers) => Promise<void>): Promise<void> {
  const { sessions, aimMs, clock, signal } = chunks;
  const left = [...chunks.numbers];
  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  let size = firstRows;
  let tries = 0;
  const next = (): RowNumbers | undefined => {
    const [first] = left;
    if (first === undefined) return undefined;
    const count = countNumbers(first);
    // Towards the end chunks are shorter: else one session is done long before the other.
    const rest = left.length === 1 && sessions.length > 1 ? Math.max(firstRows, Math.ceil(count / (sessions.length + 1))) : count;
    const now = Math.min(size, rest);
    if (count <= now) return left.shift();
    left[0] = partOf(first, now, count);
    return partOf(first, 0, now);
  };
  const each = async (session: Session) => {
    for (let numbers = next(); numbers !== undefined && !failed.signal.aborted; numbers = next()) {
      throwIfAborted(signal);
      const startedAt = clock.elapsed();
      const count = countNumbers(numbers);
      const tookMs = () => Math.max(1, clock.elapsed() - startedAt);
      try {
        await work(session, numbers);
        tries = 0;
        // What is left of a range says little of how long a whole chunk takes.
        if (count * 2 >= size) size = fitting(size, aimMs / tookMs());
      } catch (error) {
        if (!isPassing(error) || tries >= attempts) throw error;
        // Halved until it is a row alone, which is tried some times.
        if (count === 1) tries += 1;
        size = Math.ceil(count / 2);
        left.unshift(numbers);
      }
      await clock.sleep(chunks.restMs?.(tookMs()) ?? 0, over);
    }
  };
  await together(sessions, each, () => failed.abort());
}

/** The next size when the last one could have been larger by this ratio: never much larger at once. */
function fitting(size: number, ratio: number): number {
  return Math.max(1, Math.min(mostRows, Math.floor(size * Math.max(0.25, Math.min(2, ratio)))));
}
