import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { OtherRows, Proof } from '../../../core/receipt.js';
import { type Leaf, leavesOf } from '../catalog/leaves.js';
import { quoteName } from '../catalog/quote.js';
import type { Table } from '../catalog/tables.js';
import { holdsNoSuchValue } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { type SeededRows, seededQuery, wholeRow } from '../rows/seeded-rows.js';
import { noneOf, type Target } from '../selection/targets.js';

/** A count of rows and, where it was asked for, the sum of their hashes. */
interface Sum {
  readonly rows: bigint;
  readonly hashes: bigint;
}

const nothing: Sum = { rows: 0n, hashes: 0n };

/** What is no row of others, and how closely the rest is looked at. */
export interface WantedOthers {
  readonly targets: readonly Target[];
  readonly seeded: readonly SeededRows[];
  readonly proof: Proof;
  readonly clock: Clock;
}

/**
 * Counts, in every table that is seeded or cleaned up, the rows that are neither test data nor seeded; and sums up what they
 * hold. All of one database are of one moment: a snapshot that others' work goes on beside.
 */
export async function sumUpOthers(session: Session, wanted: WantedOthers): Promise<OtherRows[]> {
  const { targets, seeded } = wanted;
  const tables = new Map<number, Table>([...targets, ...seeded].map(({ table }) => [table.oid, table]));
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await session.query(pinned);
    const sums: OtherRows[] = [];
    for (const table of tables.values()) {
      const ofTable = (part: { readonly table: Table }) => part.table.oid === table.oid;
      const ofWanted = { ...wanted, targets: targets.filter(ofTable), seeded: seeded.filter(ofTable) };
      const question = { ...ofWanted, table, columns: await allColumns(session, table) };
      const { rows, hashes } = await sumUp(session, question);
      const place = { store: session.address.store, shard: session.address.shard, table: table.inProfile };
      sums.push({ ...place, rows: Number(rows), ...(wanted.proof === 'count' ? {} : { sum: String(hashes) }) });
    }
    return sums;
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}

/** What a value looks like as text depends on these: the same rows have the same sum whoever asks, and wherever. */
const pinned = [
  "datestyle = 'ISO, MDY'",
  "intervalstyle = 'postgres'",
  "timezone = 'UTC'",
  'extra_float_digits = 1',
  "bytea_output = 'hex'",
  "lc_monetary = 'C'",
  "xmloption = 'content'",
]
  .map((setting) => `SET LOCAL ${setting}`)
  .join('; ');

interface Question extends WantedOthers {
  readonly table: Table;
  /** All of the table's, of alias t. */
  readonly columns: string;
}

/** All that is neither test data nor certainly seeded; of what only looks seeded, as a whole row, as much as there is is taken off. */
async function sumUp(session: Session, question: Question): Promise<Sum> {
  const all = await sumInPieces(session, question);
  const { seeded, table } = question;
  const alike = seeded.filter(({ own }) => own === undefined).map((rows) => looksSeeded(rows, 't'));
  if (alike.length === 0 || all.rows === 0n) return all;
  await session.query('SAVEPOINT loadctl_seeded');
  const known = await ask(session, `${table.quoted} AS t WHERE (${alike.join(' OR ')})`, question).catch(async (error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
    // No row can hold what its column cannot: nothing of such a seed is there. The tables after it are still to be counted.
    await session.query('ROLLBACK TO SAVEPOINT loadctl_seeded');
    return undefined;
  });
  return known === undefined ? all : { rows: all.rows - known.rows, hashes: all.hashes - known.hashes };
}

const wantedMs: Milliseconds = 500;
const firstPages = 2048;

/** So that no statement takes long, however long the table is. */
async function sumInPieces(session: Session, question: Question): Promise<Sum> {
  const leaves = await readableLeaves(session, question.table);
  if (leaves === undefined) return ask(session, `${question.table.quoted} AS t WHERE true`, question);
  let sum = nothing;
  let pages = firstPages;
  for (const leaf of leaves) {
    for (let from = 0; from === 0 || from < leaf.pages; ) {
      const to = Math.min(leaf.pages, from + pages);
      // The last piece has no end: the table may have grown since it was measured.
      const range = to >= leaf.pages ? `t.ctid >= '(${from},0)'::tid` : leaf.range(from, to);
      const startedAt = question.clock.elapsed();
      sum = plus(sum, await ask(session, `ONLY ${leaf.quoted} AS t WHERE ${range}`, question));
      const tookMs = Math.max(1, question.clock.elapsed() - startedAt);
      pages = Math.max(64, Math.floor(pages * Math.min(4, wantedMs / tookMs)));
      from = Math.max(to, 1);
    }
  }
  return sum;
}

/** Only where a range of pages can be read without the rest of the table. */
async function readableLeaves(session: Session, table: Table): Promise<readonly Leaf[] | undefined> {
  const leaves = await leavesOf(session, table, { toRead: true });
  return leaves?.some(({ mostPagesAtOnce }) => mostPagesAtOnce !== undefined) ? undefined : leaves;
}

async function ask(session: Session, from: string, question: Question): Promise<Sum> {
  const owned = question.seeded.flatMap(({ own }) => (own === undefined ? [] : [`NOT ${own.owns('t')}`]));
  const others = [noneOf(question.targets, 't'), ...owned].join(' AND ');
  const { rows } = await session.query<{ rows: string; hashes: string | null }>(
    `SELECT count(*) AS rows, ${hashesOf(question)} AS hashes FROM ${from} AND ${others}`,
  );
  return { rows: BigInt(rows[0]?.rows ?? 0), hashes: BigInt(rows[0]?.hashes ?? 0) };
}

/**
 * 64 bits of each row's sha256, added up: the order does not matter, and a row that is there twice counts twice. The columns
 * are the table's own in their order: a partition may have them in another one, and what inherits from it has more.
 */
const rowHash = (columns: string) => `('x' || left(encode(sha256(textsend(ROW(${columns})::text)), 'hex'), 16))::bit(64)::bigint`;

async function allColumns(session: Session, { oid }: Table): Promise<string> {
  const { rows } = await session.query<{ name: string }>(
    'SELECT attname::text AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum',
    [oid],
  );
  return rows.map(({ name }) => `t.${quoteName(name)}`).join(', ');
}

/** A sample is every hundredth page: the same ones every time. */
const inSample = `split_part(ltrim(t.ctid::text, '('), ',', 1)::bigint % 100 = 0`;

function hashesOf({ proof, columns }: Question): string {
  if (proof === 'count') return '0';
  return proof === 'full' ? `sum(${rowHash(columns)})` : `sum(CASE WHEN ${inSample} THEN ${rowHash(columns)} END)`;
}

function plus(one: Sum, other: Sum): Sum {
  return { rows: one.rows + other.rows, hashes: one.hashes + other.hashes };
}

/** Whether a row holds all that a seeded one does, in a table in which nothing tells them apart. */
function looksSeeded(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${wholeRow(rows.compared, alias)} = ${wholeRow(rows.compared, 's')})`;
}
