import type { Milliseconds } from '../../core/quantities.js';
import { add, type Deleted, type Doomed, deletePlaces, deleteSql, fatal, type Means, type Work, workOn } from './deletes.js';
import { sqlState } from './errors.js';
import type { Leaf } from './leaves.js';
import type { Session } from './session.js';

/** How long a transaction is meant to take, and when it is ended: others wait no longer than that for a row of it. */
const wantedMs: Milliseconds = 60;
const longestMs: Milliseconds = 300;
const lockMs: Milliseconds = 200;
const firstPages = 64;
const mostPages = 16_384;
/** Without a pause of the profile's, the cleanup rests for this share of the time that it works. */
const usualRest = 0.15;

/**
 * Deletes rows in one pass over the pages of each table, so many at a time that a transaction takes some 60 ms. A row that
 * cannot go keeps back none but itself.
 *
 *     |■■■■■■■■|■■■■|■■|■■■■ …      each part is a transaction, as long as the one before it allows
 */
export async function deleteInPasses(session: Session, doomed: Doomed, leaves: readonly Leaf[], means: Means): Promise<Deleted> {
  const work = workOn(session, doomed, means, false);
  let deleted: Deleted = { rows: 0 };
  // A hash of the rows that a row goes by way of would be made anew for every part.
  await session.query(
    `SET statement_timeout = ${longestMs}; SET lock_timeout = ${lockMs}; SET enable_hashjoin = off; SET enable_mergejoin = off`,
  );
  try {
    for (const leaf of leaves) {
      await passOver(work, leaf, (part) => {
        deleted = add(deleted, part);
        means.progress?.(deleted.rows);
      });
    }
    return deleted;
  } finally {
    const usual = `SET statement_timeout = 0; SET lock_timeout = '30s'; RESET enable_hashjoin; RESET enable_mergejoin`;
    await session.query(usual).catch(() => undefined);
  }
}

async function passOver(work: Work, leaf: Leaf, tell: (part: Deleted) => void): Promise<void> {
  const { clock, pauseMs, signal } = work;
  let pages = firstPages;
  for (let from = 0; from < leaf.pages; ) {
    const to = Math.min(leaf.pages, from + pages);
    const startedAt = clock.now();
    const part = await deletePart(work, leaf, from, to);
    const tookMs = clock.now() - startedAt;
    if (part === 'too much') {
      pages = Math.max(1, Math.floor((to - from) / 4));
      continue;
    }
    tell(part);
    from = to;
    pages = nextPages(pages, tookMs, leaf);
    if (part.rows > 0) await clock.sleep(pauseMs ?? tookMs * usualRest, signal);
  }
}

/** So many pages that the next part takes the time that is wanted; never more than twice as many as were right before. */
function nextPages(pages: number, tookMs: Milliseconds, { mostPagesAtOnce = mostPages }: Leaf): number {
  const ratio = wantedMs / Math.max(1, tookMs);
  return Math.min(mostPagesAtOnce, Math.max(1, Math.floor(pages * Math.min(2, Math.max(0.25, ratio)))));
}

async function deletePart(work: Work, leaf: Leaf, from: number, to: number): Promise<Deleted | 'too much'> {
  const { session, doomed, clock, log } = work;
  const startedAt = clock.now();
  const rows = `ONLY ${leaf.quoted} AS t WHERE ${leaf.range(from, to)} AND ${doomed.condition}`;
  try {
    const { count } = await session.query(`DELETE FROM ${rows}`);
    log(deleteSql(doomed), count, clock.now() - startedAt);
    return { rows: count };
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || fatal.test(state)) throw error;
    if (to - from > 1) return 'too much';
    // One page with a row that cannot go, or that somebody holds: row by row, and what stays is told.
    const found = await session.query<{ place: string }>(`SELECT t.ctid::text AS place FROM ${rows}`);
    return deletePlaces(
      work,
      String(leaf.oid),
      found.rows.map(({ place }) => place),
    );
  }
}
