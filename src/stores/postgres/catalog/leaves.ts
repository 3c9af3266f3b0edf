import type { Session } from '../connection/session.js';
import type { Table } from './tables.js';

/** A table that holds rows itself: a partition without partitions, a child that inherits, or a plain table. */
export interface Leaf {
  readonly oid: number;
  readonly quoted: string;
  /** How long it is now. */
  readonly pages: number;
  /** The rows on the pages from the first up to but without the second, as a condition on alias t. */
  range(from: number, to: number): string;
  /** More are not taken at once; missing where there is no such limit. */
  readonly mostPagesAtOnce?: number;
}

interface LeafRow {
  readonly oid: number;
  readonly quoted: string;
  readonly pages: string;
  readonly mine: boolean;
}

/** Before this, Postgres reads a whole table for a range of its rows' places. */
const rangesSince = 140_000;
const pagesByName = 128;

/**
 * The tables that hold the rows of a table, by their pages. Undefined where they cannot be gone over one by one: one is on
 * another server, the role may
 * not delete (or only read, where that is wanted) in each of them by itself, or row-level security is on. `version` stands in
 * for the server's own (`server_version_num`).
 */
export async function leavesOf(
  session: Session,
  table: Table,
  { version, toRead = false }: { readonly version?: number; readonly toRead?: boolean } = {},
): Promise<Leaf[] | undefined> {
  const { rows } = await session.query<LeafRow>(
    `WITH RECURSIVE family AS (
       SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
     SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS quoted,
            pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
            ($2 OR has_table_privilege(c.oid, 'DELETE')) AND has_table_privilege(c.oid, 'SELECT')
              AND has_schema_privilege(n.oid, 'USAGE') AND c.relkind = 'r' AND NOT row_security_active(c.oid) AND NOT row_security_active($1::oid) AS mine
       FROM family f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'f') ORDER BY c.oid`,
    [table.oid, toRead],
  );
  if (rows.some(({ mine }) => !mine)) return undefined;
  const server = await serverFacts(session);
  const { mostRows } = server;
  const means =
    (version ?? server.version) >= rangesSince
      ? { range: rangeOfPlaces }
      : { range: namesOfPlaces(mostRows), mostPagesAtOnce: pagesByName };
  return rows.map(({ oid, quoted, pages }) => ({ oid, quoted, pages: Number(pages), ...means }));
}

async function serverFacts(session: Session): Promise<{ version: number; mostRows: number }> {
  const { rows } = await session.query<{ version: string; block: string }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('block_size') AS block`,
  );
  // A row's header and its pointer take 28 bytes.
  return { version: Number(rows[0]?.version), mostRows: Math.floor(Number(rows[0]?.block) / 28) };
}

function rangeOfPlaces(from: number, to: number): string {
  return `t.ctid >= '(${from},0)'::tid AND t.ctid < '(${to},0)'::tid`;
}

/** Every place that a row may have on these pages: found one by one, without reading the rest of the table. */
function namesOfPlaces(mostRows: number): Leaf['range'] {
  return (from, to) =>
    `t.ctid = ANY (ARRAY(SELECT format('(%s,%s)', p, i)::tid FROM generate_series(${from}, ${to - 1}) AS p, generate_series(1, ${mostRows}) AS i))`;
}
