import type { Session } from '../connection/session.js';
import { quoteName } from './quote.js';
import type { Table } from './tables.js';

/** A table with its partitions and all that inherits from it, at any depth: a delete from the one reaches all of them. */
export interface Family {
  readonly table: Table;
  /** What the table is called now, as SQL reads it back; undefined where it is gone. */
  readonly quoted: string | undefined;
  readonly oids: readonly number[];
  readonly isPartitioned: boolean;
  /** All that a statement about it goes by: the table's name, and every foreign key to any of them. */
  readonly shape: string;
  /** Whether the role may hold rows of it, which takes UPDATE on a column. */
  readonly mayHold: boolean;
  /** Those of them whose rows are on another server. */
  readonly foreign: readonly string[];
  /** What is gone over page by page: all of it at once, or each table that holds rows by itself. */
  readonly parts: readonly Part[];
}

/** Tables that are read by the same ranges of pages. */
export interface Part {
  /** What stands after FROM. */
  readonly from: string;
  /** The one table that these rows are in; missing where they may be in several. */
  readonly oid?: number;
  /** How long the longest of them is now. */
  readonly pages: number;
}

interface Member {
  readonly root: number;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly quoted: string;
  readonly kind: string;
  readonly pages: string | null;
  /** Whether the role may read and delete there without going by way of the table above. */
  readonly open: boolean;
  readonly holdable: boolean;
  /** Whether a statement on the table itself sets something off: a statement trigger, or a rule. */
  readonly watched: boolean;
  readonly shape: string;
}

/**
 * A digest of what a table is called and of the keys to it and its parts, as their definitions read: it changes with a key that is
 * added or made otherwise, and where a table or column that one is about gets another name.
 */
const shapeSql = (root: string) => `(
  WITH RECURSIVE part AS (SELECT ${root}::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN part ON part.oid = i.inhparent)
  SELECT md5(concat_ws(' ', ${root}::oid::regclass, string_agg(concat_ws(' ', k.conrelid::regclass, k.confrelid::regclass, pg_get_constraintdef(k.oid)), ' ' ORDER BY k.oid)))
    FROM pg_constraint k JOIN part ON part.oid = k.confrelid WHERE k.contype = 'f' AND k.conparentid = 0)`;

/** Whose detaching was begun and not ended is read by no query any more. */
const membersSql = `
  WITH RECURSIVE family AS (SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid
    UNION SELECT f.root, i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent WHERE NOT i.inhdetachpending)
  SELECT f.root, c.oid, n.nspname::text AS schema, c.relname::text AS name, format('%I.%I', n.nspname, c.relname) AS quoted, c.relkind AS kind,
         CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint END AS pages,
         has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'DELETE') AND has_schema_privilege(n.oid, 'USAGE')
           AND NOT row_security_active(f.root) AND NOT row_security_active(c.oid) AS open,
         has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS holdable,
         EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 8 > 0 AND t.tgtype & 1 = 0 AND t.tgenabled <> 'D')
           OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '4') AS watched,
         CASE WHEN c.oid = f.root THEN ${shapeSql('f.root')} END AS shape
    FROM family f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid <> f.root, c.oid`;

/** To plan a statement for more of them takes longer than to run it. */
const mostAtOnce = 200;

/** Looks who belongs to each table now, and how long it is; by the tables' oids. */
export async function findFamilies(session: Session, tables: readonly Table[]): Promise<Map<number, Family>> {
  const { rows } = await session.query<Member>(membersSql, [[...new Set(tables.map(({ oid }) => oid))]]);
  const members = new Map<number, Member[]>();
  for (const row of rows) members.set(row.root, [...(members.get(row.root) ?? []), row]);
  return new Map(tables.map((table) => [table.oid, familyOf(table, members.get(table.oid) ?? [])]));
}

/** The same of one table. */
export async function findFamily(session: Session, table: Table): Promise<Family> {
  return (await findFamilies(session, [table])).get(table.oid) ?? familyOf(table, []);
}

/** A table with those that belong to it; none are known of one that is gone. */
export function familyOf(table: Table, members: readonly Member[] = []): Family {
  const [root] = members;
  const leaves = members.filter(({ kind }) => kind === 'r');
  const isApart = leaves.length > mostAtOnce && root?.watched === false && leaves.every(({ open, watched }) => open && !watched);
  const pagesOf = (some: readonly Member[]) => Math.max(0, ...some.map(({ pages }) => Number(pages)));
  return {
    table,
    oids: members.map(({ oid }) => oid),
    isPartitioned: root?.kind === 'p',
    quoted: root && `${quoteName(root.schema)}.${quoteName(root.name)}`,
    shape: root?.shape ?? '',
    mayHold: root?.holdable === true,
    foreign: members.filter(({ kind }) => kind === 'f').map(({ quoted }) => quoted),
    parts: isApart
      ? leaves.map((leaf) => ({ from: `ONLY ${leaf.quoted}`, oid: leaf.oid, pages: pagesOf([leaf]) }))
      : [{ from: table.quoted, pages: pagesOf(leaves) }],
  };
}

/** Whether they still are what they were when they were looked at: who changes that waits for a statement that deletes, and it for him. */
export function isAsSeen({ table, shape }: Family): string {
  return `${shapeSql(String(table.oid))} = '${shape}'`;
}
