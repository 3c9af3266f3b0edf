import { LoadctlError } from '../../../core/errors.js';
import { quoteName } from '../catalog/quote.js';
import { isServerError } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { isHeldBySql, lostLock } from '../lock/try-lock.js';
import { columnList, type SeededRows, seededQuery } from '../rows/seeded-rows.js';
import { countNumbers, type RowNumbers } from '../rows/shards.js';
import { notAsWritten, seedingFailure } from './conflicts.js';
import { lookAt } from './look.js';

/** Some rows of a set. */
export interface Part {
  readonly rows: SeededRows;
  readonly numbers: RowNumbers;
}

/** Parts that one transaction writes. */
export interface Transaction {
  readonly parts: readonly Part[];
  /** The sessions that hold the lock: another loadctl may have it by now. */
  readonly lockSessions: (() => readonly string[]) | undefined;
  /** Read back what was written before the transaction ends. */
  readonly isReadBack: boolean;
  /** Told before COMMIT is sent: from there on the parts may be in, whatever is heard of it. */
  readonly committing: (transaction: string) => void;
}

/** Writes parts in one transaction: all of them are in, or none. What the server says against them is told as the seed's failure. */
export async function writeParts(session: Session, { parts, lockSessions, isReadBack, committing }: Transaction): Promise<void> {
  let at: Part | undefined;
  await session.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const transaction = await begin(session, lockSessions);
    for (at of parts) await insert(session, at, isReadBack);
    // What is looked at late is looked at here: the server's answer is not yet that to a COMMIT.
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
    if (isReadBack && (await hasLateTriggers(session))) for (at of parts) await readBack(session, at);
    committing(transaction);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw at === undefined ? error : await seedingFailure(session, { ...at.rows, numbers: at.numbers }, error);
  }
}

async function insert(session: Session, part: Part, isReadBack: boolean): Promise<void> {
  const { count } = await session.query(insertSql({ ...part.rows, numbers: part.numbers }));
  if (count !== countNumbers(part.numbers) || isReadBack) await readBack(session, part);
}

async function readBack(session: Session, { rows, numbers }: Part): Promise<void> {
  const look = await lookAt(session, rows, numbers);
  if (look.equal < countNumbers(numbers)) throw await notAsWritten(session, rows, look);
}

/** Whether triggers of the schema may change rows as late as the transaction ends; those on tables that other triggers write to as well. */
async function hasLateTriggers(session: Session): Promise<boolean> {
  const late = "SELECT 1 FROM pg_trigger WHERE tgdeferrable AND NOT tgisinternal AND tgenabled <> 'D' LIMIT 1";
  return (await session.query(late)).rows.length > 0;
}

/** Hands back the transaction's number. */
async function begin(session: Session, lockSessions: (() => readonly string[]) | undefined): Promise<string> {
  const { rows } = await session.query<{ transaction: string; locked: boolean }>(
    `SELECT pg_current_xact_id()::text AS transaction, $1::text[] IS NULL OR ${isHeldBySql('$1')} AS locked`,
    [lockSessions?.() ?? null],
  );
  const [{ transaction, locked } = { transaction: '', locked: false }] = rows;
  if (locked) return transaction;
  throw lostLock(session.place);
}

/** Writes parts and takes them back; hands back what the server said against it. */
export async function tryOut(session: Session, { rows, numbers }: Part): Promise<unknown> {
  await session.query('BEGIN');
  try {
    await session.query(insertSql({ ...rows, numbers }));
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
    return undefined;
  } catch (error) {
    if (!isServerError(error) && !(error instanceof LoadctlError && isServerError(error.cause))) throw error;
    return error;
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}

function insertSql(rows: SeededRows): string {
  const overriding = rows.columns.some(({ identityAlways }) => identityAlways) ? ' OVERRIDING SYSTEM VALUE' : '';
  const list = rows.columns.map(({ name }) => `s.${quoteName(name)}`).join(', ');
  return `INSERT INTO ${rows.table.quoted} (${columnList(rows.columns)})${overriding} SELECT ${list} FROM ${seededQuery(rows)} AS s`;
}
