import type { Clock } from '../../../core/os.js';
import type { OtherRows, Proof } from '../../../core/receipt.js';
import { type Family, findFamilies } from '../catalog/family.js';
import { quoteName } from '../catalog/quote.js';
import type { Table } from '../catalog/tables.js';
import { holdsNoSuchValue } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { hashed, overPages } from '../pages/look.js';
import { isIn } from '../pages/piece.js';
import { looksSeeded, type SeededRows } from '../rows/seeded-rows.js';
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
 * hold. Each range of pages is of a moment of its own, so that nobody waits for a count of the whole.
 */
export async function sumUpOthers(session: Session, wanted: WantedOthers): Promise<OtherRows[]> {
  const { targets, seeded } = wanted;
  const tables = new Map<number, Table>([...targets, ...seeded].map(({ table }) => [table.oid, table]));
  const stores = new Map([
    ...targets.map(({ table, entry }) => [table.oid, entry.store] as const),
    ...seeded.map(({ table, set }) => [table.oid, set.store] as const),
  ]);
  const families = await findFamilies(session, [...tables.values()]);
  const sums: OtherRows[] = [];
  for (const table of tables.values()) {
    const ofTable = (part: { readonly table: Table }) => part.table.oid === table.oid;
    const ofWanted = { ...wanted, targets: targets.filter(ofTable), seeded: seeded.filter(ofTable) };
    const { rows, hashes } = await sumUp(session, {
      ...ofWanted,
      table,
      family: families.get(table.oid),
      columns: await allColumns(session, table),
    });
    const place = { store: stores.get(table.oid) ?? session.address.store, shard: session.address.shard, table: table.inProfile };
    sums.push({ ...place, rows: Number(rows), ...(wanted.proof === 'count' ? {} : { sum: String(hashes) }) });
  }
  return sums;
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
].map((setting) => `SET LOCAL ${setting}`);

interface Question extends WantedOthers {
  readonly table: Table;
  readonly family: Family | undefined;
  /** All of the table's, of alias t. */
  readonly columns: string;
}

/** All that is neither test data nor certainly seeded; what only looks seeded, as a whole row, is taken off. */
async function sumUp(session: Session, question: Question): Promise<Sum> {
  const { seeded } = question;
  const owned = seeded.flatMap(({ own }) => (own === undefined ? [] : [`NOT ${own.owns('t')}`]));
  const others = [noneOf(question.targets, 't'), ...owned];
  const alike = seeded.filter(({ own }) => own === undefined).map((rows) => `NOT ${looksSeeded(rows, 't')}`);
  return sumRows(session, question, [...others, ...alike]).catch((error: unknown) => {
    // No row can hold what its column cannot: nothing of such a seed is there.
    if (alike.length === 0 || !holdsNoSuchValue(error)) throw error;
    return sumRows(session, question, others);
  });
}

async function sumRows(session: Session, question: Question, others: readonly string[]): Promise<Sum> {
  const { clock, family } = question;
  let sum = nothing;
  if (family === undefined) return sum;
  await overPages<{ rows: string; hashes: string | null }>({ session, clock }, family, {
    sqlOf: (range) =>
      `SELECT count(*) AS rows, ${hashesOf(question)} AS hashes FROM ${range.part.from} AS t WHERE ${[isIn(range), ...others].join(' AND ')}`,
    take: ({ rows, hashes }) => {
      sum = { rows: sum.rows + BigInt(rows), hashes: sum.hashes + BigInt(hashes ?? 0) };
    },
    settings: [...pinned, ...(question.seeded.some(({ own }) => own === undefined) ? hashed : [])],
  });
  return sum;
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
