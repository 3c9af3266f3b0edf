import type { QueryResultRow } from 'pg';
import type { Milliseconds } from '../../../core/quantities.js';
import { hasSameKeys } from '../catalog/family.js';
import { serverMessage, sqlState, tookTooLong } from '../connection/errors.js';
import { hashed, inTime, type Looking, rowByRow } from '../pages/look.js';
import { cut, isIn, type Located, located, type Piece, type Places, placesOf } from '../pages/piece.js';
import { inTransaction, type Limits, runAlone } from '../pages/transaction.js';
import { type Doomed, deleteSql, mayGo } from './doomed.js';
import type { StatementLog } from './statement-log.js';

/** What became of rows that were to go. */
export interface Deleted {
  readonly rows: number;
  /** Why some could not be deleted, in the server's words. */
  readonly trouble?: string;
}

/** Both together; the first trouble is told. */
export function add(one: Deleted, other: Deleted): Deleted {
  const trouble = one.trouble ?? other.trouble;
  return { rows: one.rows + other.rows, ...(trouble === undefined ? {} : { trouble }) };
}

/** What deleting needs besides rows. */
export interface Means extends Looking {
  readonly log: StatementLog;
  /** How long to rest after each transaction; undefined: as long as seems good. */
  readonly pauseMs?: Milliseconds | undefined;
  readonly progress?: (rows: number) => void;
  /** Is handed what the rows return that are gone for good. */
  readonly keep?: (returned: readonly string[]) => void;
}

/** How long a transaction is meant to take, and when its statement is ended: others wait no longer than that for a row of it. */
const wantedMs: Milliseconds = 100;
const longestMs: Milliseconds = 300;
/** To read another table for want of an index takes its time, however few rows go. */
const unindexedMs: Milliseconds = 1500;
/** A single row has no smaller part. */
const patientMs: Milliseconds = 5000;
const lockMs: Milliseconds = 200;
const mostRows = 20_000;
/** Without a pause of the profile's, the cleanup rests for this share of the time that it works. */
const usualRest = 0.08;
/** So many rows in a row that would not go, each for a reason of its own, and nobody tries the rest. */
const mostStubborn = 1000;
/** Deadlock, serialization, a lock that somebody holds: the same rows may go next time. */
const busy: readonly (string | undefined)[] = ['40P01', '40001', '55P03'];
/** Connection lost, server going down or full, or the server had enough of the session: nothing else would go either. */
export const fatal = /^(08|57P|53|25P)/;

/** Rows of one selection on their way. */
interface Work {
  readonly doomed: Doomed;
  readonly means: Means;
  /** How many rows are right for one transaction. */
  pace: number;
  stubborn: number;
  rows: number;
  trouble?: string;
}

/**
 * Deletes the rows of the pieces, so many at a time that a transaction takes some 100 ms. What is too slow is taken apart, and
 * so is what fails, down to the rows that cannot go: these keep back none but themselves, and are counted later.
 *
 *     |■■■■■■■■|■■■■|■■|■■■■ …      each part is a transaction, as long as the one before it allows
 */
export async function deletePieces(doomed: Doomed, pieces: readonly Piece[], means: Means): Promise<Deleted> {
  const work: Work = { doomed, means, pace: doomed.firstRows, stubborn: 0, rows: 0 };
  const waiting = [...pieces].reverse();
  for (let piece = waiting.pop(); piece !== undefined && work.stubborn < mostStubborn; piece = waiting.pop()) {
    const [now, rest] = cut(piece, work.pace);
    if (rest !== undefined) waiting.push(rest);
    const startedAt = means.clock.elapsed();
    try {
      account(work, now, await deletePiece(doomed, now, means), means.clock.elapsed() - startedAt);
    } catch (error) {
      waiting.push(...(await takeApart(work, now, error)).reverse());
      continue;
    }
    if (work.stubborn === 0) await means.clock.sleep(means.pauseMs ?? (means.clock.elapsed() - startedAt) * usualRest, means.signal);
  }
  return { rows: work.rows, ...(work.trouble === undefined ? {} : { trouble: work.trouble }) };
}

function account(work: Work, { rows }: Piece, gone: number, tookMs: Milliseconds): void {
  work.rows += gone;
  if (gone > 0) work.stubborn = 0;
  work.means.progress?.(work.rows);
  const ratio = Math.min(2, Math.max(0.25, wantedMs / Math.max(1, tookMs)));
  if (ratio < 1 || rows >= work.pace / 2) work.pace = Math.min(mostRows, Math.max(1, Math.floor(work.pace * ratio)));
}

/** Deletes one piece in one transaction; throws where that fails. */
async function deletePiece(doomed: Doomed, piece: Piece, means: Means): Promise<number> {
  if (doomed.isPassedOn) return deleteHeld(doomed, piece, means);
  try {
    const run = (sql: string) => runAlone<Returned>(means.session, limits(doomed, piece), sql);
    return noted(means)(await remove(doomed, piece, { ...means, run }));
  } catch (error) {
    if (!busy.includes(sqlState(error)) || !doomed.family.mayHold) throw error;
    return deleteHeld(doomed, piece, means);
  }
}

/**
 * Holds the rows first, those that nobody else has: who was about to reference one is through by then, which the second
 * statement sees, and nobody else can begin to.
 */
async function deleteHeld(doomed: Doomed, piece: Piece, means: Means): Promise<number> {
  const { session } = means;
  const removed = await inTransaction(session, limits(doomed, piece), async () => {
    const held = await session.query<Located>(holdSql(doomed, piece));
    const run = (sql: string) => session.query<Returned>(sql);
    return remove(doomed, placesOf(piece.part, held.rows), { ...means, run });
  });
  return noted(means)(removed);
}

/** Holds the rows of a piece and locates them; what somebody else has is left to a later sweep. */
export function holdSql({ selection }: Doomed, piece: Piece): string {
  return `SELECT ${located} FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${selection} FOR UPDATE OF t SKIP LOCKED`;
}

/** What a statement removed, before it is known to stay removed. */
export interface Removed {
  readonly rows: number;
  readonly returned: readonly string[];
  readonly sql: string;
  readonly ms: Milliseconds;
}

/** What a row hands back that is deleted. */
export interface Returned extends QueryResultRow {
  readonly returned?: string | null;
}

/** How the statement is run, in whichever transaction. */
interface Running extends Pick<Means, 'clock'> {
  readonly run: (sql: string) => Promise<{ readonly rows: readonly Returned[]; readonly count: number }>;
}

/** Deletes the rows of a piece that meet a condition. */
export async function remove(doomed: Doomed, piece: Piece, { run, clock }: Running, condition = mayGo(doomed)): Promise<Removed> {
  const startedAt = clock.elapsed();
  const returning = doomed.returning === undefined ? '' : ` RETURNING ${doomed.returning} AS returned`;
  const sql = deleteSql(doomed);
  if (piece.rows === 0 && piece.kind === 'places') return { rows: 0, returned: [], sql, ms: 0 };
  const done = await run(
    `DELETE FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${condition} AND ${hasSameKeys(doomed.family)}${returning}`,
  );
  const returned = done.rows.flatMap((row) => row.returned ?? []);
  return { rows: done.count, returned, sql, ms: clock.elapsed() - startedAt };
}

/** Notes what was committed. */
export function noted({ log, keep }: Means): (removed: Removed) => number {
  return ({ rows, returned, sql, ms }) => {
    if (rows > 0) log(sql, rows, ms);
    if (returned.length > 0) keep?.(returned);
    return rows;
  };
}

function limits({ isIndexed }: Doomed, { rows }: Piece): Limits {
  const settings = isIndexed ? rowByRow : hashed;
  return { mode: 'READ WRITE', statementMs: rows === 1 ? patientMs : isIndexed ? longestMs : unindexedMs, lockMs, settings };
}

/** What to try in place of a piece that failed, or that took too long. */
async function takeApart(work: Work, piece: Piece, error: unknown): Promise<Piece[]> {
  const state = sqlState(error);
  if (state === undefined || fatal.test(state)) throw error;
  const isSlow = state === tookTooLong;
  if (isSlow) work.pace = Math.max(1, Math.floor(Math.min(piece.rows, work.pace) / 4));
  if (piece.kind === 'places') {
    if (piece.rows > 1) return isSlow ? [piece] : halves(piece);
    return giveUp(work, error);
  }
  // The pages of a range are taken apart by the pace; the last one, and what fails for another reason, row by row.
  if (isSlow && cut(piece, work.pace).length > 1) return [piece];
  return [await locate(work, piece)];
}

function halves(piece: Places): Piece[] {
  const [one, other] = cut(piece, Math.ceil(piece.rows / 2));
  return other === undefined ? [one] : [one, other];
}

function giveUp(work: Work, error: unknown): Piece[] {
  const { doomed, means } = work;
  work.stubborn += 1;
  work.trouble ??= `${means.session.place.name}: ${doomed.family.table.shown}: ${serverMessage(error)}`;
  return [];
}

async function locate({ doomed, means }: Work, piece: Piece): Promise<Places> {
  const sql = `SELECT ${located} FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${doomed.selection}`;
  return placesOf(piece.part, (await inTime<Located>(means, sql, patientMs)) ?? []);
}
