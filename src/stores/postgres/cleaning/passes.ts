import type { QueryResultRow } from 'pg';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { Leaf } from '../catalog/leaves.js';
import { sqlState, tookTooLong } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { add, type Deleted, type Doomed, deletePlaces, deleteRows, deleteSql, fatal, type Means, type Work, workOn } from './deletes.js';

/** How long a transaction is meant to take, and when it is ended: others wait no longer than that for a row of it. */
const wantedMs: Milliseconds = 60;
const longestMs: Milliseconds = 300;
const lockMs: Milliseconds = 200;
const firstPages = 64;
const mostPages = 16_384;
/** Without a pause of the profile's, the cleanup rests for this share of the time that it works. */
const usualRest = 0.08;

/**
 * Deletes rows in one pass over the pages of each table, so many at a time that a transaction takes some 60 ms. A row that
 * cannot go keeps back none but itself.
 *
 *     |■■■■■■■■|■■■■|■■|■■■■ …      each part is a transaction, as long as the one before it allows
 */
export async function deleteInPasses(session: Session, doomed: Doomed, leaves: readonly Leaf[], means: Means): Promise<Deleted> {
  const work = workOn(session, doomed, means, false);
  const { clock, pauseMs, signal } = means;
  let deleted: Deleted = { rows: 0 };
  await passOver(session, leaves, clock, async (leaf, from, to) => {
    const startedAt = clock.elapsed();
    const part = await deletePart(work, leaf, from, to);
    if (part === 'too much') return part;
    deleted = add(deleted, part);
    means.progress?.(deleted.rows);
    return { rest: () => (part.rows > 0 ? clock.sleep(pauseMs ?? (clock.elapsed() - startedAt) * usualRest, signal) : Promise.resolve()) };
  });
  return deleted;
}

/**
 * Counts the rows in such a pass, in transactions as short. A row that somebody moves meanwhile may be counted twice or not at
 * all: that nothing is left, one statement has to say.
 */
export async function countInPasses(session: Session, { condition }: Doomed, leaves: readonly Leaf[], clock: Clock): Promise<number> {
  let rows = 0;
  await passOver(session, leaves, clock, async (leaf, from, to) => {
    const part = `SELECT count(*) FROM ONLY ${leaf.quoted} AS t WHERE ${leaf.range(from, to)} AND ${condition}`;
    try {
      rows += Number((await session.query<{ count: string }>(part)).rows[0]?.count);
    } catch (error) {
      if (!mayTakeLonger.includes(sqlState(error))) throw error;
      if (to - from > 1) return 'too much';
      rows += Number((await lookPatiently<{ count: string }>(session, part))[0]?.count);
    }
    return { rest: () => Promise.resolve() };
  });
  return rows;
}

/** A statement that took too long, or that somebody kept out of the table. */
const mayTakeLonger: readonly (string | undefined)[] = [tookTooLong, '55P03'];

/** A page has no smaller part, and who has a table to himself must be waited for: neither keeps others from any row. */
async function lookPatiently<Row extends QueryResultRow>(session: Session, sql: string): Promise<Row[]> {
  await session.query(`BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '30s'`);
  try {
    return (await session.query<Row>(sql)).rows;
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}

/** Does something with the rows on these pages of a table; hands back how to rest after it, or that it took too long and was undone. */
type Part = (leaf: Leaf, from: number, to: number) => Promise<{ rest(): Promise<void> } | 'too much'>;

async function passOver(session: Session, leaves: readonly Leaf[], clock: Clock, part: Part): Promise<void> {
  // A hash of the rows that a row goes by way of would be made anew for every part.
  const short = `SET statement_timeout = ${longestMs}; SET lock_timeout = ${lockMs}; SET enable_hashjoin = off; SET enable_mergejoin = off`;
  const usual = `SET statement_timeout = 0; SET lock_timeout = '30s'; RESET enable_hashjoin; RESET enable_mergejoin`;
  await session.query(short);
  try {
    for (const leaf of leaves) await passOverLeaf(leaf, clock, part);
  } finally {
    await session.query(usual).catch(() => undefined);
  }
}

async function passOverLeaf(leaf: Leaf, clock: Clock, part: Part): Promise<void> {
  let pages = firstPages;
  for (let from = 0; from < leaf.pages; ) {
    const to = Math.min(leaf.pages, from + pages);
    const startedAt = clock.elapsed();
    const done = await part(leaf, from, to);
    const tookMs = clock.elapsed() - startedAt;
    if (done === 'too much') {
      pages = Math.max(1, Math.floor((to - from) / 4));
      continue;
    }
    from = to;
    pages = nextPages(pages, tookMs, leaf);
    await done.rest();
  }
}

/** So many pages that the next part takes the time that is wanted; never more than twice as many as were right before. */
function nextPages(pages: number, tookMs: Milliseconds, { mostPagesAtOnce = mostPages }: Leaf): number {
  const ratio = wantedMs / Math.max(1, tookMs);
  return Math.min(mostPagesAtOnce, Math.max(1, Math.floor(pages * Math.min(2, Math.max(0.25, ratio)))));
}

async function deletePart(work: Work, leaf: Leaf, from: number, to: number): Promise<Deleted | 'too much'> {
  const { session, doomed, clock, log } = work;
  const startedAt = clock.elapsed();
  const rows = `ONLY ${leaf.quoted} AS t WHERE ${leaf.range(from, to)} AND ${doomed.condition}`;
  try {
    const count = await deleteRows(session, doomed, { rows });
    log(deleteSql(doomed), count, clock.elapsed() - startedAt);
    return { rows: count };
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || fatal.test(state)) throw error;
    if (to - from > 1) return 'too much';
    // One page with a row that cannot go, or that somebody holds: row by row, and what stays is told.
    const found = await lookPatiently<{ place: string }>(session, `SELECT t.ctid::text AS place FROM ${rows}`);
    return deletePlaces(
      work,
      String(leaf.oid),
      found.map(({ place }) => place),
    );
  }
}
