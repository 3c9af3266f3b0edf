import { LoadctlError } from '../../../core/errors.js';
import { quoteName } from '../catalog/quote.js';
import { isServerError } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { inTransaction, type Limits } from '../pages/transaction.js';
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
  /** Read back what was written before the transaction ends. */
  readonly isReadBack: boolean;
  /** Told before COMMIT is sent: from there on the parts may be in, whatever is heard of it. */
  readonly committing: (transaction: string) => void;
}

const limits: Limits = { mode: 'READ WRITE', statementMs: 5000, lockMs: 2000 };
/** What is looked at late is looked at by it: the server's answer is not yet that to a COMMIT. */
const lookNow = 'SET CONSTRAINTS ALL IMMEDIATE';

/** Writes parts in one transaction: all of them are in, or none. What the server says against them is told as the seed's failure. */
export async function writeParts(session: Session, { parts, isReadBack, committing }: Transaction): Promise<void> {
  let at: Part | undefined;
  const write = async () => {
    for (at of parts) await insert(session, at, isReadBack, at === parts.at(-1));
    if (!isReadBack) return;
    await session.query(lookNow);
    if (await hasLateTriggers(session)) for (at of parts) await readBack(session, at);
  };
  try {
    await inTransaction(session, limits, write, committing);
  } catch (error) {
    throw at === undefined ? error : await seedingFailure(session, { ...at.rows, numbers: at.numbers }, error);
  }
}

async function insert(session: Session, part: Part, isReadBack: boolean, isLast: boolean): Promise<void> {
  const sql = insertSql({ ...part.rows, numbers: part.numbers });
  // In one message, where nothing is to be read in between.
  const { count } = await session.query(isLast && !isReadBack ? `${sql}; ${lookNow}` : sql);
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

/** Writes parts and takes them back; hands back what the server said against it. */
export async function tryOut(session: Session, { rows, numbers }: Part): Promise<unknown> {
  await session.query('BEGIN');
  try {
    await session.query(`${insertSql({ ...rows, numbers })}; ${lookNow}`);
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
