import type { StoreContext } from '../../kind/types.js';
import { exactValue } from '../catalog/columns.js';
import { findFamily } from '../catalog/family.js';
import { quoteName } from '../catalog/quote.js';
import { sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { type SeededRows, seededQuery } from '../rows/seeded-rows.js';
import { countNumbers, type RowNumbers } from '../rows/shards.js';
import { inChunks } from './chunks.js';
import type { SetOnItsWay } from './database.js';

/** Fewer rows are looked up in no time. */
const worthSummingUp = 5000;
const readMs = 500;
/** The role may not see where rows are (42501), or a type of theirs has no hash (42883). */
const unfit: readonly (string | undefined)[] = ['42501', '42883'];

/** What is known of rows that were written. */
type Written = Pick<SetOnItsWay, 'rows' | 'there' | 'transactions' | 'firstPage'>;
type Watched = Pick<StoreContext, 'clock' | 'signal'>;

/** The last page of a table as it is now. */
export async function lastPage(session: Session, { table }: SeededRows): Promise<number> {
  const [part] = (await findFamily(session, table)).parts;
  return Math.max(0, (part?.pages ?? 0) - 1);
}

/**
 * Whether the rows of a set that this seed wrote are all of it, as they should be: the same number as the server makes, and the
 * same sum of their hashes. They are read where they were written, page by page, at a fifth of the cost of looking each up. False
 * where that says nothing: some of them were there before, are elsewhere, or have been touched since.
 */
export async function isSummedUp(sessions: readonly Session[], written: Written, context: Watched): Promise<boolean> {
  const { rows, transactions, firstPage, there: before } = written;
  const [session] = sessions;
  const count = countNumbers(rows.numbers);
  if (session === undefined || before > 0 || count <= worthSummingUp || !rows.unique.some((names) => names === rows.key)) return false;
  const [part, ...more] = (await findFamily(session, rows.table)).parts;
  if (part === undefined || more.length > 0 || part.pages - firstPage > count) return false;
  const pages: RowNumbers = { kind: 'even', first: firstPage, step: 1, last: part.pages - 1 };
  const xids = transactions.map((transaction) => BigInt.asUintN(32, BigInt(transaction))).join(',');
  const isOurs = `t.xmin = ANY ('{${xids}}'::xid[])`;
  try {
    const there = await sumUp({ sessions, numbers: pages, context }, (some) => {
      const [from, to] = some.kind === 'even' ? [some.first, some.last + 1] : [0, 0];
      return `SELECT ${hashOf(rows, 't')} AS hash FROM ${rows.from} AS t WHERE ${isOurs} AND t.ctid >= '(${from},0)'::tid AND t.ctid < '(${to},0)'::tid`;
    });
    if (there.count !== count) return false;
    const wanted = (numbers: RowNumbers) => `SELECT ${hashOf(rows, 's')} AS hash FROM ${seededQuery({ ...rows, numbers })} AS s`;
    return there.sum === (await sumUp({ sessions, numbers: rows.numbers, context }, wanted)).sum;
  } catch (error) {
    if (unfit.includes(sqlState(error))) return false;
    throw error;
  }
}

/** What a row holds as 64 bits: the same for what is held to be the same value. */
function hashOf({ compared }: SeededRows, alias: string): string {
  return `hash_record_extended(ROW(${compared.map((column) => exactValue(column, `${alias}.${quoteName(column.name)}`)).join(', ')}), 0)`;
}

/** Rows, or pages, to sum up. */
interface Summing {
  readonly sessions: readonly Session[];
  readonly numbers: RowNumbers;
  readonly context: Watched;
}

async function sumUp(
  { sessions, numbers, context }: Summing,
  hashesSql: (some: RowNumbers) => string,
): Promise<{ count: number; sum: bigint }> {
  const { clock, signal } = context;
  let [count, sum] = [0, 0n];
  await inChunks({ sessions, numbers: [numbers], aimMs: readMs, clock, signal }, async (session, some) => {
    const { rows } = await session.query<{ count: string; sum: string | null }>(
      `SELECT count(*), bit_xor(h.hash) AS sum FROM (${hashesSql(some)}) AS h`,
    );
    count += Number(rows[0]?.count ?? 0);
    sum ^= BigInt(rows[0]?.sum ?? 0);
  });
  return { count, sum };
}
