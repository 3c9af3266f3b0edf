import { throwIfAborted } from '../../../core/abort.js';
import { formatDuration, type Milliseconds } from '../../../core/quantities.js';
import { isFatal, serverMessage, sqlState, tookTooLong } from '../connection/errors.js';
import { inTime, rowsOf } from '../pages/look.js';
import { cut, isIn, type Located, located, type Piece, type Places, placesOf } from '../pages/piece.js';
import { deletePiece, lockedOut, longestMs, patientMs } from './delete-piece.js';
import type { Doomed } from './doomed.js';
import type { Deleted, Means } from './remove.js';

/** How long a transaction is meant to take. */
const wantedMs: Milliseconds = 100;
const mostRows = 20_000;
/** Without a pause of the profile's, the cleanup rests for this share of the time that it works. */
const usualRest = 0.08;
/** So many rows in a row that would not go, each for a reason of its own, and nobody tries the rest. */
const mostStubborn = 1000;
/** So many single rows that each take long to fail are enough: others further on are tried instead. */
const mostDear = 3;

/** Rows of one selection on their way. */
interface Work {
  readonly doomed: Doomed;
  readonly means: Means;
  /** How many rows are right for one transaction. */
  pace: number;
  /** What is still to be tried, the next one last. */
  waiting: Piece[];
  stubborn: number;
  /** How many single rows took long to fail: a trigger waits, or somebody holds a lock. */
  dear: number;
  isImpatient: boolean;
  /** What was passed over after the last one of these, and how many rows before that. */
  over: Piece[];
  untried: number;
  rows: number;
  trouble?: string;
}

/**
 * Deletes the rows of the pieces, so many at a time that a transaction takes some 100 ms. What is too slow is taken apart, and
 * so is what fails, down to the rows that cannot go: these keep back none but themselves, and are counted later.
 *
 *     |■■■■■■■■|■■■■|■■|■■■■ …      each part is a transaction, as long as the one before it allows
 *
 * After a few rows that take long to fail, more and more of those behind them are passed over, until one goes again; from there
 * it goes back as far as they go.
 *
 *     |✗✗✗|·|✗|··|✗|····|✗|········|■→
 *                          ←■■■
 */
export async function deletePieces(doomed: Doomed, pieces: readonly Piece[], means: Means): Promise<Deleted> {
  const isDear = means.isDear === true;
  const work: Work = {
    doomed,
    means,
    pace: doomed.firstRows,
    waiting: [...pieces].reverse(),
    stubborn: 0,
    dear: isDear ? mostDear : 0,
    isImpatient: isDear,
    over: [],
    untried: 0,
    rows: 0,
  };
  for (let piece = work.waiting.pop(); piece !== undefined && work.stubborn < mostStubborn; piece = work.waiting.pop()) {
    const [now, rest] = cut(piece, work.pace);
    if (rest !== undefined) work.waiting.push(rest);
    const failure = await tryPiece(work, now);
    if (failure !== undefined) work.waiting.push(...(await takeApart(work, now, failure)).reverse());
    else if (work.over.length > 0) await goBack(work);
  }
  const { rows, trouble, untried, isImpatient } = work;
  const left = untried + rowsOf(work.over);
  if (trouble === undefined) return { rows };
  return { rows, isDear: isImpatient, trouble: left === 0 ? trouble : `${trouble}; ${left} rows near such ones were not tried` };
}

/** Why a piece did not go. A statement that somebody ended is none that takes too long. */
interface Failure {
  readonly error: unknown;
  readonly isSlow: boolean;
}

async function tryPiece(work: Work, piece: Piece): Promise<Failure | undefined> {
  const { clock, pauseMs, signal } = work.means;
  if (signal !== undefined) throwIfAborted(signal);
  const startedAt = clock.elapsed();
  const tookMs = () => clock.elapsed() - startedAt;
  try {
    account(work, piece, await deletePiece(work, piece), tookMs());
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || isFatal(state)) throw error;
    return { error, isSlow: state === tookTooLong && tookMs() >= longestMs * 0.9 };
  }
  if (work.stubborn === 0) await clock.sleep(pauseMs ?? tookMs() * usualRest, signal);
  return undefined;
}

function account(work: Work, { rows }: Piece, gone: number, tookMs: Milliseconds): void {
  work.rows += gone;
  if (gone > 0) [work.stubborn, work.dear] = [0, Math.min(work.dear, mostDear)];
  work.means.progress?.(work.rows);
  const ratio = Math.min(2, Math.max(0.25, wantedMs / Math.max(1, tookMs)));
  if (ratio < 1 || rows >= work.pace / 2) work.pace = Math.min(mostRows, Math.max(1, Math.floor(work.pace * ratio)));
}

/** What to try in place of a piece that failed, or that took too long. */
async function takeApart(work: Work, piece: Piece, failure: Failure): Promise<Piece[]> {
  const { isSlow } = failure;
  if (isSlow) work.pace = Math.max(1, Math.floor(Math.min(piece.rows, work.pace) / 4));
  if (piece.kind === 'places') {
    if (piece.rows > 1) return isSlow ? [piece] : halves(piece);
    giveUp(work, failure);
    return [];
  }
  // The pages of a range are taken apart by the pace; the last one, and what fails for another reason, row by row.
  if (isSlow && cut(piece, work.pace).length > 1) return [piece];
  return [await locate(work, piece)];
}

function halves(piece: Places): Piece[] {
  const [one, other] = cut(piece, Math.ceil(piece.rows / 2));
  return other === undefined ? [one] : [one, other];
}

function giveUp(work: Work, { error, isSlow }: Failure): void {
  const { doomed, means } = work;
  work.stubborn += 1;
  const why = isSlow ? `to delete a single row takes longer than ${formatDuration(patientMs)}` : serverMessage(error);
  work.trouble ??= `${means.session.place.name}: ${doomed.family.table.shown}: ${why}`;
  if (!isSlow && sqlState(error) !== lockedOut) return;
  work.dear += 1;
  if (work.dear < mostDear) return;
  work.isImpatient = true;
  work.untried += rowsOf(work.over);
  work.over = passOver(work.waiting, 2 ** (work.dear - mostDear));
}

/** Takes so many rows off what is waiting. */
function passOver(waiting: Piece[], rows: number): Piece[] {
  const over: Piece[] = [];
  while (rowsOf(over) < rows) {
    const piece = waiting.pop();
    if (piece === undefined) break;
    const [first, rest] = cut(piece, rows - rowsOf(over));
    if (rest !== undefined) waiting.push(rest);
    over.push(first);
  }
  return over;
}

/** Tries what was passed over from its end, more and more at a time, until a single row does not go. */
async function goBack(work: Work): Promise<void> {
  const pieces = work.over;
  work.over = [];
  for (let size = 1, piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    const { part, places } = piece.kind === 'places' ? piece : await locate(work, piece);
    for (let end = places.length; end > 0; ) {
      const from = Math.max(0, end - size);
      const failure = await tryPiece(work, placesOf(part, places.slice(from, end)));
      if (failure !== undefined && end - from === 1) {
        work.untried += from + rowsOf(pieces);
        return;
      }
      size = failure === undefined ? size * 2 : Math.max(1, Math.floor((end - from) / 4));
      if (failure === undefined) end = from;
    }
  }
}

async function locate({ doomed, means }: Work, piece: Piece): Promise<Places> {
  const sql = `SELECT ${located} FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${doomed.selection}`;
  return placesOf(piece.part, (await inTime<Located>(means, sql, patientMs)) ?? []);
}
