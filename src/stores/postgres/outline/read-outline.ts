import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { listTables } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { inSession } from './in-session.js';
import type { Outline, OutlineCheck, OutlineColumn, OutlineReference } from './types.js';

/** Nothing that outlives the transaction, and nothing that writes. */
const readOnly = `BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'`;

/** Reads the catalog of a database; no table of it is looked into. Throws `unavailable` where it is out of reach. */
export async function readOutline(config: PostgresStore, context: StoreContext): Promise<Outline> {
  return inSession(config, context, async (session) => {
    await session.query(readOnly);
    const outline = await outlineIn(session);
    await session.query('ROLLBACK');
    return outline;
  });
}

const ofApplication = `c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND has_schema_privilege(n.oid, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname, c.relname`;

async function outlineIn(session: Session): Promise<Outline> {
  const tables = await listTables(session, ofApplication, []);
  const oids = tables.map(({ oid }) => oid);
  const rowsOf = async <Row extends { readonly table: number }>(sql: string): Promise<Map<number, Omit<Row, 'table'>[]>> => {
    const { rows } = await session.query<Row>(sql, [oids]);
    const found = new Map<number, Omit<Row, 'table'>[]>();
    for (const { table, ...row } of rows) found.set(table, [...(found.get(table) ?? []), row]);
    return found;
  };
  const columns = await rowsOf<OutlineColumn & { table: number }>(columnsSql);
  const keys = await rowsOf<{ table: number; columns: string[]; isPrimary: boolean }>(keysSql);
  const references = await rowsOf<OutlineReference & { table: number }>(referencesSql);
  const checks = await rowsOf<OutlineCheck & { table: number }>(checksSql);
  const triggers = await rowsOf<{ table: number; name: string }>(triggersSql);
  const among = async (sql: string) => new Set((await session.query<{ oid: number }>(sql, [oids])).rows.map(({ oid }) => oid));
  const secured = await among('SELECT oid FROM pg_class WHERE oid = ANY($1) AND relrowsecurity');
  const inherited = await among(inheritedSql);
  return {
    tables: tables.map(({ oid, schema, name, inProfile }) => ({
      oid,
      schema,
      name,
      inProfile,
      columns: columns.get(oid) ?? [],
      primaryKey: keys.get(oid)?.find(({ isPrimary }) => isPrimary)?.columns ?? [],
      uniqueKeys: (keys.get(oid) ?? []).map((key) => key.columns),
      references: references.get(oid) ?? [],
      checks: checks.get(oid) ?? [],
      triggers: (triggers.get(oid) ?? []).map((trigger) => trigger.name),
      rowSecurity: secured.has(oid),
      hasHeirs: inherited.has(oid),
    })),
  };
}

const columnsSql = `
  WITH RECURSIVE bases(relid, attnum, oid, typmod, demanded) AS (
    SELECT attrelid, attnum, atttypid, atttypmod, false FROM pg_attribute WHERE attrelid = ANY($1::oid[]) AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT b.relid, b.attnum, t.typbasetype, CASE WHEN b.typmod >= 0 THEN b.typmod ELSE t.typtypmod END, b.demanded OR t.typnotnull
      FROM bases b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
  )
  SELECT a.attrelid::oid AS table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typname::text AS base,
         t.typcategory::text AS category, a.attnotnull OR b.demanded AS "notNull",
         a.atthasdef OR a.attidentity <> '' OR d.typdefault IS NOT NULL AS "isFilled", a.attgenerated <> '' AS "isGenerated",
         CASE WHEN t.typname IN ('varchar', 'bpchar') AND b.typmod > 4 THEN b.typmod - 4 END AS "maxLength",
         ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
         ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
                WHERE k.contypid IN (SELECT o.oid FROM bases o WHERE o.relid = b.relid AND o.attnum = b.attnum) AND k.contype = 'c' ORDER BY k.conname) AS demands
    FROM pg_attribute a JOIN pg_type d ON d.oid = a.atttypid
    JOIN bases b ON b.relid = a.attrelid AND b.attnum = a.attnum JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
   ORDER BY a.attrelid, a.attnum`;

const keysSql = `
  SELECT i.indrelid::oid AS table, i.indisprimary AS "isPrimary",
         ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
    FROM pg_index i
   WHERE i.indrelid = ANY($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   ORDER BY i.indrelid, NOT i.indisprimary, i.indexrelid`;

const referencesSql = `
  SELECT k.conrelid::oid AS table, coalesce(pg_partition_root(k.confrelid), k.confrelid)::int8::float8 AS to,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.place) AS columns,
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.place) AS "toColumns"
    FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = ANY($1::oid[]) AND k.conparentid = 0
   ORDER BY k.conrelid, k.conname`;

const checksSql = `
  SELECT k.conrelid::oid AS table, pg_get_expr(k.conbin, k.conrelid) AS sql,
         ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)) AS columns,
         NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid = 'pg_proc'::regclass) AS "isPlain"
    FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid = ANY($1::oid[]) AND k.conbin IS NOT NULL
   ORDER BY k.conrelid, k.conname`;

const inheritedSql = `
  SELECT i.inhparent AS oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE i.inhparent = ANY($1::oid[]) AND c.relkind <> 'p'`;

/** Those of an insert have the third bit, those that Postgres keeps keys by are internal. */
const triggersSql = `
  SELECT t.tgrelid::oid AS table, t.tgname::text AS name FROM pg_trigger t
   WHERE t.tgrelid = ANY($1::oid[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 4 <> 0 ORDER BY t.tgrelid, t.tgname`;
