import type { Session } from '../connection/session.js';
import { quoteName } from './quote.js';
import { listTables, type Table } from './tables.js';

/** A foreign key, seen from the table that references. */
export interface ForeignKey {
  readonly name: string;
  readonly table: Table;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
  /** Whether an index finds the rows that reference one; without, each deleted row of the other table reads all of this one. */
  readonly indexed: boolean;
}

interface KeyRow extends Omit<ForeignKey, 'table'> {
  readonly child: number;
}

/** `k` is the constraint; every key with its columns in their pairs. */
const keysSql = (condition: string) => `
  SELECT k.conname::text AS name, coalesce(pg_partition_root(k.conrelid), k.conrelid)::oid AS child,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.place) AS columns,
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.place) AS "parentColumns",
         CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' WHEN 'r' THEN 'restrict' ELSE 'no action' END AS "onDelete",
         EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = ANY(k.conkey)) AS indexed
    FROM pg_constraint k WHERE k.contype = 'f' AND ${condition} ORDER BY k.conname`;

/** The foreign keys of one table to another. */
export async function foreignKeysBetween(session: Session, child: Table, parent: Table): Promise<ForeignKey[]> {
  const { rows } = await session.query<KeyRow>(keysSql('k.conrelid = $1 AND k.confrelid = $2'), [child.oid, parent.oid]);
  return rows.map((row) => ({ ...row, table: child }));
}

/** Every foreign key to a table or to one of its partitions; keys that Postgres derived for partitions are left out. */
export async function foreignKeysTo(session: Session, parent: Table): Promise<ForeignKey[]> {
  const family = `(SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))`;
  const derived = `EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = k.conparentid AND p.confrelid IN ${family})`;
  const { rows } = await session.query<KeyRow>(keysSql(`k.confrelid IN ${family} AND NOT ${derived}`), [parent.oid]);
  const tables = await listTables(session, 'c.oid = ANY($1)', [rows.map(({ child }) => child)]);
  return rows.flatMap((row) => tables.filter(({ oid }) => oid === row.child).map((table) => ({ ...row, table })));
}

/** Whether a row of the referencing table points at a row of the referenced one. */
export function joinKeys({ columns, parentColumns }: ForeignKey, child: string, parent: string): string {
  return columns.map((column, index) => `${parent}.${quoteName(parentColumns[index] ?? '')} = ${child}.${quoteName(column)}`).join(' AND ');
}

/** Whether Postgres itself keeps a row from going as long as one references it by this key. */
export function holdsBack({ name, onDelete }: ForeignKey): boolean {
  return name !== '' && (onDelete === 'no action' || onDelete === 'restrict');
}

/** The columns of a table's primary key. */
export async function primaryKey(session: Session, table: Table): Promise<string[]> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT a.attname::text AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
      WHERE i.indrelid = $1 AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)`,
    [table.oid],
  );
  return rows.map(({ name }) => name);
}
