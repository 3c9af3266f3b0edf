import type { Session } from '../connection/session.js';
import type { Family } from './family.js';
import type { Needed } from './permissions.js';
import { quoteName } from './quote.js';
import { listTables, type Table } from './tables.js';

/** A foreign key, seen from the table that references. */
export interface ForeignKey {
  /** Empty where the database holds nobody to it: a column that a profile names, or a constraint that is not enforced. */
  readonly name: string;
  /** The table as an entry lists it: of a partition the whole. */
  readonly table: Table;
  /** The table that has the key; with its partitions, but without what inherits from it. */
  readonly child: KeyEnd;
  /** The table that it references, which may be a part of the one that is listed. */
  readonly parent: KeyEnd;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** How the database itself compares each pair: its operator, which the search path may not find, and a collation where theirs differ. */
  readonly operators: readonly string[];
  readonly collations: readonly string[];
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
  /** Whether an index finds the rows that reference one; without, each deleted row of the other table reads all of this one. */
  readonly indexed: boolean;
  /** WITH PERIOD: a row is referenced by way of a span of time. */
  readonly isTemporal: boolean;
}

/** One end of a key. */
export interface KeyEnd extends Pick<Table, 'oid' | 'quoted' | 'shown'> {
  /** What stands after FROM for exactly the rows that are held to it. */
  readonly from: string;
}

interface KeyRow extends Omit<ForeignKey, 'table'> {
  /** Which of the tables that were asked for it leads to. */
  readonly root: number;
  readonly listed: number;
  readonly isEnforced: boolean;
}

const endSql = (oid: string) =>
  `(SELECT json_build_object('oid', c.oid::int8, 'quoted', format('%I.%I', n.nspname, c.relname), 'shown', n.nspname || '.' || c.relname,
                             'from', CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', n.nspname, c.relname))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid})`;

/**
 * The keys to tables ($1), their partitions and what inherits from them, with their columns in pairs; without those that Postgres
 * derived for partitions from one of them. Servers before 18 know no other than enforced keys.
 */
const keysSql = (derived = 'true') => `
  WITH RECURSIVE family AS (SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid
    UNION SELECT f.root, i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
  SELECT f.root, k.conname::text AS name, coalesce(pg_partition_root(k.conrelid), k.conrelid)::oid AS listed,
         ${endSql('k.conrelid')} AS child, ${endSql('k.confrelid')} AS parent,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.place) AS columns,
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.place) AS "parentColumns",
         ARRAY(SELECT CASE n.nspname WHEN 'pg_catalog' THEN o.oprname::text ELSE format('OPERATOR(%I.%s)', n.nspname, o.oprname) END FROM unnest(k.conpfeqop) WITH ORDINALITY AS e(oid, place)
                 JOIN pg_operator o ON o.oid = e.oid JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY e.place) AS operators,
         ARRAY(SELECT coalesce((SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                                 WHERE l.oid = CASE WHEN pl.collisdeterministic THEN c.attcollation ELSE p.attcollation END AND c.attcollation <> p.attcollation), '')
                 FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(child, parent, place)
                 JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = u.child JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.parent
                 LEFT JOIN pg_collation pl ON pl.oid = p.attcollation ORDER BY u.place) AS collations,
         CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' WHEN 'r' THEN 'restrict' ELSE 'no action' END AS "onDelete",
         EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = ANY(k.conkey)) AS indexed,
         coalesce((to_jsonb(k) ->> 'conperiod')::bool, false) AS "isTemporal", coalesce((to_jsonb(k) ->> 'conenforced')::bool, true) AS "isEnforced"
    FROM pg_constraint k JOIN family f ON f.oid = k.confrelid
   WHERE k.contype = 'f' AND NOT EXISTS (
           SELECT 1 FROM pg_constraint p JOIN family g ON g.oid = p.confrelid AND g.root = f.root WHERE p.oid = k.conparentid AND ${derived})
   ORDER BY k.conname, k.oid`;

/** The foreign keys of one table to another or to a part of it; those that are not enforced have no name. */
export async function foreignKeysBetween(session: Session, child: Table, parent: Table): Promise<ForeignKey[]> {
  const { rows } = await session.query<KeyRow>(keysSql('p.conrelid = k.conrelid'), [[parent.oid]]);
  const between = rows.filter((row) => row.child.oid === child.oid);
  return between.map((row) => ({ ...row, name: row.isEnforced ? row.name : '', table: child }));
}

/** Every foreign key to each of these tables, or to a part of it, that the database holds rows to; by the tables' oids. */
export async function findForeignKeys(session: Session, parents: readonly Pick<Table, 'oid'>[]): Promise<Map<number, ForeignKey[]>> {
  const roots = [...new Set(parents.map(({ oid }) => oid))];
  const { rows } = await session.query<KeyRow>(keysSql(), [roots]);
  const enforced = rows.filter(({ isEnforced }) => isEnforced);
  const tables = await listTables(session, 'c.oid = ANY($1)', [enforced.map(({ listed }) => listed)]);
  const keysTo = (root: number) =>
    enforced
      .filter((row) => row.root === root)
      .flatMap((row) => tables.filter(({ oid }) => oid === row.listed).map((table) => ({ ...row, table })));
  return new Map(roots.map((root) => [root, keysTo(root)]));
}

/** The same of one table. */
export async function foreignKeysTo(session: Session, parent: Table): Promise<ForeignKey[]> {
  return (await findForeignKeys(session, [parent])).get(parent.oid) ?? [];
}

/** Whether a row of the referencing table points at a row of the referenced one. */
export function joinKeys({ columns, parentColumns, operators, collations }: ForeignKey, child: string, parent: string): string {
  const same = (column: string, index: number) =>
    `${parent}.${quoteName(parentColumns[index] ?? '')} ${operators[index] ?? '='} ${child}.${quoteName(column)}${collations[index] ?? ''}`;
  return columns.map(same).join(' AND ');
}

/**
 * Whether a row of the family (alias t) is referenced by a row (alias o) that meets a condition. A key to a part of the family
 * says something of that part's rows alone, by columns that only this part may have.
 */
export function isReferenced(family: Family, key: ForeignKey, condition = 'true'): string {
  const isSelf = family.oids.includes(key.child.oid);
  const others = [...(isSelf ? ['(o.tableoid, o.ctid) <> (t.tableoid, t.ctid)'] : []), condition].join(' AND ');
  const isToAll = key.parent.oid === family.table.oid && (family.isPartitioned || family.oids.length === 1);
  if (isToAll) return `EXISTS (SELECT 1 FROM ${key.child.from} AS o WHERE ${joinKeys(key, 'o', 't')} AND ${others})`;
  return `EXISTS (SELECT 1 FROM ${key.parent.from} AS h JOIN ${key.child.from} AS o ON ${joinKeys(key, 'o', 'h')} WHERE h.ctid = t.ctid AND h.tableoid = t.tableoid AND ${others})`;
}

/** What it takes to delete rows of a table, to see what references them, and, where a key passes that on, to hold them meanwhile. */
export function neededToDelete(parent: Table, keys: readonly ForeignKey[]): Needed[] {
  const isPassedOn = keys.some((key) => !holdsBack(key));
  return [
    { table: parent, permissions: ['SELECT', 'DELETE', ...(isPassedOn ? (['UPDATE'] as const) : [])] },
    ...keys.flatMap(({ table, child, parent: end, columns, parentColumns }): Needed[] => [
      { table, permissions: ['SELECT'], columns },
      ...(child.oid === table.oid ? [] : [{ table: child, permissions: ['SELECT'] as const, columns }]),
      ...(end.oid === parent.oid ? [] : [{ table: end, permissions: ['SELECT'] as const, columns: parentColumns }]),
    ]),
  ];
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
