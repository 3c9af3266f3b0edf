import type { QueryResultRow } from 'pg';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { Family } from '../catalog/family.js';
import { sqlState, tookTooLong } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { isIn, type Located, located, type Pages, type Piece, placesOf } from './piece.js';
import { runAlone } from './transaction.js';

/** What looking needs besides a table. */
export interface Looking {
  readonly session: Session;
  readonly clock: Clock;
  /** Ends a rest before its time. */
  readonly signal?: AbortSignal;
}

/** No look takes longer; what would is done again for fewer pages. */
const longestMs: Milliseconds = 500;
const wantedMs: Milliseconds = 200;
/** One page has no smaller part. */
const patientMs: Milliseconds = 5000;
const firstPages = 1024;
/** Who has a table to himself is waited for so long, in steps. */
const lockMs: Milliseconds = 2000;
const lockAttempts = 15;

/** So few rows are found at once where that is done in time: by an index, or in a short table. */
export const fewRows = 5000;

/** Finds the rows that meet a condition on alias t: single ones where they are few, else the pages that they are on. */
export async function findRows(looking: Looking, family: Family, condition: string): Promise<Piece[]> {
  return (await findFew(looking, family, condition)) ?? (await findPages(looking, family, condition));
}

/** How many rows the pieces have. */
export function rowsOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { rows }) => sum + rows, 0);
}

async function findFew(looking: Looking, { table, parts }: Family, condition: string): Promise<Piece[] | undefined> {
  const [part] = parts;
  if (part === undefined || parts.length > 1) return undefined;
  const few = `SELECT ${located} FROM ${table.quoted} AS t WHERE ${condition} LIMIT ${fewRows + 1}`;
  const found = await inTime<Located>(looking, few, longestMs);
  if (found === undefined || found.length > fewRows) return undefined;
  return found.length === 0 ? [] : [placesOf(part, found)];
}

async function findPages(looking: Looking, family: Family, condition: string): Promise<Piece[]> {
  const found: Piece[] = [];
  const sqlOf = (range: Pages) => `SELECT count(*) AS rows FROM ${range.part.from} AS t WHERE ${isIn(range)} AND ${condition}`;
  const take = (row: { rows: string }, range: Pages) => {
    if (Number(row.rows) > 0) found.push({ ...range, rows: Number(row.rows) });
  };
  await overPages<{ rows: string }>(looking, family, { sqlOf, take });
  return found;
}

/** What is asked of each range of pages. */
export interface Question<Row> {
  readonly sqlOf: (range: Pages) => string;
  readonly take: (row: Row, range: Pages) => void;
  /** Settings of each transaction. */
  readonly settings?: readonly string[];
}

/** Joins go row by row: what a row is found by would be made anew for every range. */
export const rowByRow = ['SET LOCAL enable_hashjoin = off', 'SET LOCAL enable_mergejoin = off'];
/** Unless it has to be made or read as a whole anyway. */
export const hashed = ['SET LOCAL enable_hashjoin = on'];

/**
 * Asks the same of all pages of a table, range by range, each in a transaction of its own: a row that somebody moves meanwhile
 * may be seen twice, or not at all.
 */
export async function overPages<Row extends QueryResultRow>(
  looking: Looking,
  { parts }: Family,
  { sqlOf, take, settings = rowByRow }: Question<Row>,
): Promise<void> {
  let size = firstPages;
  for (const part of parts) {
    const rangeOf = (from: number, pages: number): Pages => {
      const to = from + pages;
      return { kind: 'pages', part, from, rows: 0, ...(to >= part.pages ? {} : { to }) };
    };
    const ask = async (from: number, pages: number, statementMs: Milliseconds) => {
      const range = rangeOf(from, pages);
      const rows = await inTime<Row>(looking, sqlOf(range), statementMs, settings);
      for (const row of rows ?? []) take(row, range);
      return rows !== undefined;
    };
    size = await inRanges(looking.clock, Math.max(1, part.pages), size, ask);
  }
}

/**
 * Asks about all of something from its beginning to its end, as much at a time as takes some 200 ms: `ask` says whether it was
 * done in time, and is asked again for less where it was not. Hands back how much is right by now.
 */
export async function inRanges(
  clock: Clock,
  all: number,
  first: number,
  ask: (from: number, many: number, statementMs: Milliseconds) => Promise<boolean>,
): Promise<number> {
  let size = first;
  for (let from = 0; from < all; ) {
    const many = Math.min(size, all - from);
    const startedAt = clock.elapsed();
    if (!(await ask(from, many, many === 1 ? patientMs : longestMs))) {
      size = Math.max(1, Math.floor(many / 4));
      continue;
    }
    from += many;
    const ratio = wantedMs / Math.max(1, clock.elapsed() - startedAt);
    size = Math.max(1, Math.floor(size * Math.min(4, Math.max(0.25, ratio))));
  }
  return size;
}

/** The rows of a question; undefined where it took too long and was ended for that. */
export async function inTime<Row extends QueryResultRow>(
  looking: Looking,
  sql: string,
  statementMs: Milliseconds,
  settings: readonly string[] = [],
): Promise<Row[] | undefined> {
  const { session, clock, signal } = looking;
  for (let attempt = 1; ; attempt++) {
    const startedAt = clock.elapsed();
    try {
      return (await runAlone<Row>(session, { mode: 'READ ONLY', statementMs, lockMs, settings }, sql)).rows;
    } catch (error) {
      const state = sqlState(error);
      // Somebody may have ended it, too.
      if (state === tookTooLong && statementMs < patientMs && clock.elapsed() - startedAt >= statementMs * 0.9) return undefined;
      if (state !== '55P03' || attempt === lockAttempts) throw error;
      await clock.sleep(100, signal);
    }
  }
}
