import type { Session } from '../connection/session.js';
import type { Table } from './tables.js';

/** A table with its partitions and all that inherits from it, at any depth: a delete from the one reaches all of them. */
export interface Family {
  readonly table: Table;
  readonly oids: readonly number[];
  readonly isPartitioned: boolean;
  /** How many foreign keys there are to any of them. */
  readonly keys: number;
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
  /** How long the longest of them is now. */
  readonly pages: number;
}

interface Member {
  readonly root: number;
  readonly oid: number;
  readonly quoted: string;
  readonly kind: string;
  readonly pages: string | null;
  /** Whether the role may read and delete there without going by way of the table above. */
  readonly open: boolean;
  readonly holdable: boolean;
  /** Whether a statement on the table itself sets something off: a statement trigger, or a rule. */
  readonly watched: boolean;
  readonly keys: number;
}

const membersSql = `
  WITH RECURSIVE family AS (SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid
    UNION SELECT f.root, i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
  SELECT f.root, c.oid, format('%I.%I', n.nspname, c.relname) AS quoted, c.relkind AS kind,
         CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint END AS pages,
         has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'DELETE') AND has_schema_privilege(n.oid, 'USAGE')
           AND NOT row_security_active(f.root) AND NOT row_security_active(c.oid) AS open,
         has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS holdable,
         EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 8 > 0 AND t.tgtype & 1 = 0 AND t.tgenabled <> 'D')
           OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '4') AS watched,
         (SELECT count(*)::int FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = c.oid) AS keys
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

function familyOf(table: Table, members: readonly Member[]): Family {
  const leaves = members.filter(({ kind }) => kind === 'r');
  const isApart = leaves.length > mostAtOnce && members[0]?.watched === false && leaves.every(({ open, watched }) => open && !watched);
  const pagesOf = (some: readonly Member[]) => Math.max(0, ...some.map(({ pages }) => Number(pages)));
  return {
    table,
    oids: members.map(({ oid }) => oid),
    isPartitioned: members[0]?.kind === 'p',
    keys: members.reduce((sum, { keys }) => sum + keys, 0),
    mayHold: members[0]?.holdable === true,
    foreign: members.filter(({ kind }) => kind === 'f').map(({ quoted }) => quoted),
    parts: isApart
      ? leaves.map((leaf) => ({ from: `ONLY ${leaf.quoted}`, pages: pagesOf([leaf]) }))
      : [{ from: table.quoted, pages: pagesOf(leaves) }],
  };
}

/** Whether there are as many foreign keys to them as when they were looked at: who adds one waits for a statement that deletes, and it for him. */
export function hasSameKeys({ table, keys }: Family): string {
  return `(WITH RECURSIVE f AS (SELECT ${table.oid}::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN f ON f.oid = i.inhparent)
    SELECT count(*) FROM pg_constraint k JOIN f ON f.oid = k.confrelid WHERE k.contype = 'f') = ${keys}`;
}
