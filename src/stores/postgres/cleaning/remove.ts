import type { QueryResultRow } from 'pg';
import type { Milliseconds } from '../../../core/quantities.js';
import { isAsSeen } from '../catalog/family.js';
import type { Looking } from '../pages/look.js';
import { isIn, located, type Piece } from '../pages/piece.js';
import { inTransaction, type Limits } from '../pages/transaction.js';
import { type Doomed, deleteSql, mayGo } from './doomed.js';
import type { StatementLog } from './statement-log.js';

/** What became of rows that were to go. */
export interface Deleted {
  readonly rows: number;
  /** Why some could not be deleted, in the server's words. */
  readonly trouble?: string;
  /** Single ones took long to fail. */
  readonly isDear?: boolean;
}

/** Both together; the first trouble is told. */
export function add(one: Deleted, other: Deleted): Deleted {
  const trouble = one.trouble ?? other.trouble;
  const isDear = one.isDear === true || other.isDear === true;
  return { rows: one.rows + other.rows, ...(trouble === undefined ? {} : { trouble }), ...(isDear ? { isDear } : {}) };
}

/** What deleting needs besides rows. */
export interface Means extends Looking {
  readonly log: StatementLog;
  /** How long to rest after each transaction; undefined: as long as seems good. */
  readonly pauseMs?: Milliseconds | undefined;
  readonly progress?: (rows: number) => void;
  /** Single rows took long to fail before. */
  readonly isDear?: boolean;
  /** Is told of every transaction; missing where nobody has to know of it later. */
  readonly ledger?: Ledger | undefined;
}

/** Notes what a transaction removes before it commits, and once it is in: how that ends nobody may hear of. */
export interface Ledger {
  removing(transaction: string, removed: Removed): void;
  removed(transaction: string): void;
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
    `DELETE FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${condition} AND ${isAsSeen(doomed.family)}${returning}`,
  );
  const returned = done.rows.flatMap((row) => row.returned ?? []);
  return { rows: done.count, returned, sql, ms: clock.elapsed() - startedAt };
}

/** Notes what was committed. */
export function noted({ log }: Means, { rows, sql, ms }: Removed): number {
  if (rows > 0) log(sql, rows, ms);
  return rows;
}

/** Removes rows in one transaction, which is in the ledger before it may be in; undefined where it removes none after all. */
export async function removeNoted(means: Means, limits: Limits, work: () => Promise<Removed | undefined>): Promise<number> {
  const { session, ledger } = means;
  let sent: string | undefined;
  const committing = (transaction: string, removed: Removed | undefined) => {
    if (removed === undefined || removed.rows === 0) return;
    ledger?.removing(transaction, removed);
    sent = transaction;
  };
  const removed = await inTransaction(session, limits, work, ledger && committing);
  if (sent !== undefined) ledger?.removed(sent);
  return removed === undefined ? 0 : noted(means, removed);
}
