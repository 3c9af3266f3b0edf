import type { Session } from '../connection/session.js';
import type { Table } from './tables.js';

/** A sequence that numbers a column, or one that the column leads to. */
export interface Feeding {
  readonly oid: number;
  readonly name: string;
  /** 0: the column itself. */
  readonly depth: number;
}

/** Columns by (relation, attribute): each with those that it leads to, and with the same column of parents and partitions. */
const columnsSql = `
  WITH RECURSIVE led(rel, att, depth) AS (
    SELECT $1::oid, a.attnum, 0 FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2
    UNION
    SELECT n.rel, n.att, r.depth + n.more FROM led r CROSS JOIN LATERAL (
      SELECT k.confrelid AS rel, k.confkey[array_position(k.conkey, r.att)] AS att, 1 AS more
        FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = r.rel AND r.att = ANY (k.conkey)
      UNION ALL
      SELECT o.attrelid, o.attnum, 0 FROM pg_inherits i JOIN pg_attribute m ON m.attrelid = r.rel AND m.attnum = r.att
        JOIN pg_attribute o ON o.attname = m.attname AND o.attrelid = CASE WHEN i.inhrelid = r.rel THEN i.inhparent ELSE i.inhrelid END
       WHERE r.rel IN (i.inhrelid, i.inhparent)) AS n
     WHERE r.depth < 32)
  SELECT rel, att, min(depth) AS depth FROM led GROUP BY rel, att`;

/** Names in the text of a default or a function, from which nextval draws. */
const namesIn = (text: string) =>
  `(SELECT to_regclass(m[1]) FROM regexp_matches(${text}, 'nextval[[:space:]]*[(][[:space:]]*''((?:[^'']|'''')+)''', 'gi') AS m)`;

/** A text as names in it are held against one another: a trigger may write `NEW . "Id"`. */
const bare = (text: string) => `lower(regexp_replace(${text}, '[[:space:]"]', '', 'g'))`;

/** Whether a function's text calls another one. */
const calls = (text: string, name: string) =>
  `lower(replace(${text}, '"', '')) ~ ('(^|[^[:alnum:]_$])' || regexp_replace(lower(${name}), '([^[:alnum:]_])', '\\\\\\1', 'g') || '[[:space:]]*[(]')`;

/** A default of the column, else of its domain; a function in it, or of a trigger before inserts that has the column in its text; and those that they call. */
const feedingSql = `
  WITH RECURSIVE reached AS (${columnsSql}),
  defaults AS (
    SELECT r.depth, 'pg_attrdef'::regclass AS class, d.oid, pg_get_expr(d.adbin, d.adrelid) AS text
      FROM reached r JOIN pg_attrdef d ON d.adrelid = r.rel AND d.adnum = r.att
    UNION ALL SELECT r.depth, 'pg_type'::regclass, t.oid, t.typdefault
      FROM reached r JOIN pg_attribute a ON a.attrelid = r.rel AND a.attnum = r.att AND NOT a.atthasdef JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'),
  functions(depth, oid, prosrc) AS (
    SELECT d.depth, p.oid, p.prosrc FROM defaults d JOIN pg_depend e ON e.classid = d.class AND e.objid = d.oid AND e.refclassid = 'pg_proc'::regclass
      JOIN pg_proc p ON p.oid = e.refobjid
    UNION SELECT r.depth, p.oid, p.prosrc FROM reached r JOIN pg_attribute a ON a.attrelid = r.rel AND a.attnum = r.att
      JOIN pg_trigger t ON t.tgrelid = r.rel AND NOT t.tgisinternal AND t.tgtype & 7 = 7
      JOIN pg_proc p ON p.oid = t.tgfoid AND position(${bare("'new.' || a.attname")} IN ${bare('p.prosrc')}) > 0
    UNION SELECT f.depth, p.oid, p.prosrc FROM functions f JOIN pg_proc p ON p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND (${calls('f.prosrc', 'p.proname')} OR EXISTS (SELECT 1 FROM pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = f.oid AND e.refclassid = 'pg_proc'::regclass AND e.refobjid = p.oid))),
  fed AS (
    SELECT r.depth, e.objid AS seq FROM reached r JOIN pg_depend e ON e.refclassid = 'pg_class'::regclass AND e.refobjid = r.rel AND e.refobjsubid = r.att
       AND e.classid = 'pg_class'::regclass AND e.deptype IN ('a', 'i')
    UNION SELECT d.depth, e.refobjid FROM defaults d JOIN pg_depend e ON e.classid = d.class AND e.objid = d.oid AND e.refclassid = 'pg_class'::regclass
    UNION SELECT f.depth, e.refobjid FROM functions f JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = f.oid AND e.refclassid = 'pg_class'::regclass
    UNION SELECT d.depth, x FROM defaults d, LATERAL ${namesIn('d.text')} AS s(x)
    UNION SELECT f.depth, x FROM functions f, LATERAL ${namesIn('f.prosrc')} AS s(x))
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, min(f.depth)::int AS depth FROM fed f JOIN pg_class c ON c.oid = f.seq AND c.relkind = 'S'
    JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY c.oid, n.nspname, c.relname ORDER BY 3, 2`;

/** The sequences that number a column, as far as defaults, functions, triggers and foreign keys show it. */
export async function feedingSequences(session: Session, table: Table, column: string): Promise<Feeding[]> {
  return (await session.query<Feeding & { name: string }>(feedingSql, [table.oid, column])).rows;
}
