import type { Milliseconds } from '../../../core/quantities.js';
import { sqlState } from '../connection/errors.js';
import { hashed, rowByRow } from '../pages/look.js';
import { type Located, type Piece, placesOf } from '../pages/piece.js';
import { type Limits, runAlone } from '../pages/transaction.js';
import type { Doomed } from './doomed.js';
import { holdSql, type Means, noted, type Returned, remove, removeNoted } from './remove.js';

/** When a statement is ended: others wait no longer than that for a row of it. */
export const longestMs: Milliseconds = 300;
/** To read another table for want of an index takes its time, however few rows go. */
const unindexedMs: Milliseconds = 1500;
/** A single row has no smaller part. */
export const patientMs: Milliseconds = 5000;
const lockMs: Milliseconds = 200;
/** The code of a lock that somebody else had for too long. */
export const lockedOut = '55P03';
/** Deadlock, serialization, a lock that somebody holds: the same rows may go next time. */
const busy: readonly (string | undefined)[] = ['40P01', '40001', lockedOut];

/** Rows that go, how, and whether single ones are waited for no longer than others, as some took all of that in vain. */
export interface Deleting {
  readonly doomed: Doomed;
  readonly means: Means;
  readonly isImpatient: boolean;
}

/** Deletes one piece in one transaction; throws where that fails. */
export async function deletePiece(work: Deleting, piece: Piece): Promise<number> {
  const { doomed, means } = work;
  if (doomed.isPassedOn) return deleteHeld(work, piece);
  try {
    if (means.ledger !== undefined) {
      const run = (sql: string) => means.session.query<Returned>(sql);
      return await removeNoted(means, limits(work, piece), () => remove(doomed, piece, { ...means, run }));
    }
    const run = (sql: string) => runAlone<Returned>(means.session, limits(work, piece), sql);
    return noted(means, await remove(doomed, piece, { ...means, run }));
  } catch (error) {
    if (!busy.includes(sqlState(error)) || !doomed.family.mayHold) throw error;
    return deleteHeld(work, piece);
  }
}

/**
 * Holds the rows first, those that nobody else has: who was about to reference one is through by then, which the second
 * statement sees, and nobody else can begin to.
 */
async function deleteHeld(work: Deleting, piece: Piece): Promise<number> {
  const { doomed, means } = work;
  const { session } = means;
  return removeNoted(means, limits(work, piece), async () => {
    const held = await session.query<Located>(holdSql(doomed, piece));
    const run = (sql: string) => session.query<Returned>(sql);
    return remove(doomed, placesOf(piece.part, held.rows), { ...means, run });
  });
}

function limits({ doomed: { isIndexed }, isImpatient }: Deleting, { rows }: Piece): Limits {
  const settings = isIndexed ? rowByRow : hashed;
  const longMs = isIndexed ? longestMs : unindexedMs;
  const statementMs = rows > 1 ? longMs : isImpatient ? unindexedMs : patientMs;
  return { mode: 'READ WRITE', statementMs, lockMs, settings };
}
