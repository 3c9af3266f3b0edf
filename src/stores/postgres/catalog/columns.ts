import { LoadctlError } from '../../../core/errors.js';
import type { Session } from '../connection/session.js';
import type { Table } from './tables.js';

/** A column that was found in a table. */
export interface Column {
  readonly name: string;
  /** Its type as SQL reads it back: `numeric(20,5)`; texts, also in arrays and behind domains, without their length, to which a cast would cut them. */
  readonly type: string;
  /** How a profile's value becomes text for it. */
  readonly shape: Shape;
  /** What its values are as text: as they were written, a number, a UUID; of all others that is not known. */
  readonly kind: 'text' | 'number' | 'uuid' | 'other';
  /** Whether LIKE is exact for it, and can use an index. */
  readonly isPlainText: boolean;
  /** Whether two values are held against each other as text: exact, and for types that have no equality. */
  readonly byText: boolean;
  /** Whether Postgres has `=` for it: a domain over an enum or a range has none. */
  readonly comparable: boolean;
  /** GENERATED ALWAYS AS IDENTITY: writing to it must be said out loud. */
  readonly identityAlways: boolean;
}

/** A json column takes JSON, an array an array's literal (of JSON texts where its elements are), everything else text. */
export type Shape = 'text' | 'json' | 'array' | 'json-array';

interface ColumnRow extends Column {
  readonly generated: boolean;
}

const columnsSql = `
  WITH RECURSIVE bases(attnum, oid) AS (
    SELECT attnum, atttypid FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT b.attnum, t.typbasetype FROM bases b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
  )
  SELECT a.attname::text AS name, CASE WHEN coalesce(e.typcategory, t.typcategory) IN ('S', 'V') AND e.oid IS DISTINCT FROM 'bpchar'::regtype
              THEN format_type(t.oid, -1) ELSE format_type(a.atttypid, a.atttypmod) END AS type,
         a.attidentity = 'a' AS "identityAlways", a.attgenerated <> '' AS generated,
         CASE WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
              WHEN t.typcategory <> 'A' THEN 'text'
              WHEN e.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json-array'
              ELSE 'array' END AS shape,
         CASE WHEN t.typcategory = 'S' THEN 'text' WHEN t.oid = 'uuid'::regtype THEN 'uuid'
              WHEN t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype) THEN 'number' ELSE 'other' END AS kind,
         a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND coalesce((SELECT k.collisdeterministic FROM pg_collation k WHERE k.oid = a.attcollation), true) AS "isPlainText",
         NOT (t.typtype IN ('e', 'r', 'm') AND t.oid <> a.atttypid) AS comparable,
         a.attcollation <> 0 OR NOT ((t.typtype IN ('e', 'r', 'm') AND t.oid = a.atttypid) OR EXISTS (
           SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
            WHERE m.amname = 'btree' AND o.opcdefault AND o.opcintype = t.oid)) AS "byText"
    FROM pg_attribute a JOIN bases b USING (attnum) JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
    LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
   WHERE a.attrelid = $1 ORDER BY a.attnum`;

/** The columns of these names, in this order; throws where one is missing, or is to be written and cannot be. */
export async function findColumns(session: Session, table: Table, names: readonly string[], toWrite = false): Promise<Column[]> {
  const { rows } = await session.query<ColumnRow>(columnsSql, [table.oid]);
  return names.map((name) => {
    const column = rows.find((row) => row.name === name);
    if (!column) throw missingColumn(session, table, name, rows);
    if (!column.generated || !toWrite) return column;
    throw new LoadctlError('invalid-profile', `${session.place.name}: ${table.shown}.${name} is a generated column and cannot be written`, {
      hint: 'Remove it from the seed: Postgres computes it.',
    });
  });
}

/** A value of this column as the text that a template makes of it: a number without zeros behind its point. */
export function textOf({ kind, type }: Column, value: string): string {
  return kind === 'number' && !/^(small|big)?int(eger)?$/.test(type) ? `trim_scale(${value}::numeric)::text` : `${value}::text`;
}

/** How a value of this column is compared with another one of the same type. */
export function sameValue(column: Column, one: string, other: string): string {
  return `${exactValue(column, one)} IS NOT DISTINCT FROM ${exactValue(column, other)}`;
}

/** A value of this column as it is held against others: one that differs is another value. */
export function exactValue({ byText }: Column, value: string): string {
  return byText ? `${value}::text COLLATE "C"` : value;
}

function missingColumn(session: Session, table: Table, name: string, rows: readonly Column[]): LoadctlError {
  const { place } = session;
  const there = rows.map((row) => row.name).join(', ');
  return new LoadctlError('unavailable', `${place.name}: ${table.shown} in the database ${place.database} has no column ${name}`, {
    hint: `Fix its name in the profile; the columns are ${there}.`,
  });
}
