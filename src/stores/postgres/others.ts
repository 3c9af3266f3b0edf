import type { OtherRows } from '../types.js';
import { holdsNoSuchValue } from './errors.js';
import { type SeededRows, sameKey, seededQuery, wholeRow } from './seeded-rows.js';
import type { Session } from './session.js';
import type { Table } from './tables.js';
import { noneOf, type Target } from './targets.js';

/** Counts, in every table that is seeded or cleaned up, the rows that are neither test data nor seeded. */
export async function countOthers(session: Session, targets: readonly Target[], seeded: readonly SeededRows[]): Promise<OtherRows[]> {
  const tables = new Map<number, Table>([...targets, ...seeded].map(({ table }) => [table.oid, table]));
  const counts: OtherRows[] = [];
  for (const table of tables.values()) {
    const ofTable = (part: { readonly table: Table }) => part.table.oid === table.oid;
    const notOurs = noneOf(targets.filter(ofTable), 't');
    const notSeeded = seeded.filter(ofTable).map((rows) => isNotSeeded(rows, 't'));
    const rows = await count(session, table, [notOurs, ...notSeeded]).catch((error: unknown) => {
      // No row can hold what its column cannot: nothing of such a seed is there.
      if (holdsNoSuchValue(error)) return count(session, table, [notOurs]);
      throw error;
    });
    counts.push({ store: session.address.store, shard: session.address.shard, table: table.inProfile, rows });
  }
  return counts;
}

async function count(session: Session, table: Table, conditions: readonly string[]): Promise<number> {
  const { rows } = await session.query<{ count: string }>(`SELECT count(*) FROM ${table.quoted} AS t WHERE ${conditions.join(' AND ')}`);
  return Number(rows[0]?.count);
}

/** Whether a row is not a seeded one, changed since or not: by its key where there is one. */
function isNotSeeded(rows: SeededRows, alias: string): string {
  const match = rows.key ? sameKey(rows.key, alias, 's') : `${wholeRow(rows.compared, alias)} = ${wholeRow(rows.compared, 's')}`;
  return `NOT EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${match})`;
}
