import type { Session } from './session.js';
import type { Table } from './tables.js';

/** pg_trigger.tgtype's bit of an event, and pg_rewrite.ev_type's digit. */
const events = { INSERT: { bit: 4, digit: '3' }, DELETE: { bit: 8, digit: '4' } } as const;

/** What may change or hide what a delete (or an insert) does, beforehand and in words. */
export async function listTriggers(session: Session, tables: readonly Table[], event: keyof typeof events = 'DELETE'): Promise<string[]> {
  const { bit, digit } = events[event];
  const { rows } = await session.query<{ oid: number; name: string; kind: string }>(
    `SELECT c.oid, t.tgname::text AS name, CASE WHEN t.tgtype & 2 > 0 THEN 'BEFORE' ELSE 'AFTER' END || CASE WHEN t.tgtype & 1 > 0 THEN ' each row' ELSE ' each statement' END AS kind
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE c.oid = ANY($1) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & $2 > 0
      UNION ALL
     SELECT r.ev_class, r.rulename::text, 'rule' FROM pg_rewrite r WHERE r.ev_class = ANY($1) AND r.ev_type = $3
      ORDER BY 1, 2`,
    [tables.map(({ oid }) => oid), bit, digit],
  );
  return rows.map(({ oid, name, kind }) => {
    const table = tables.find((one) => one.oid === oid);
    return kind === 'rule'
      ? `${session.place.name}: ${table?.inProfile} has the rule ${name} on ${event}`
      : `${session.place.name}: ${table?.inProfile} has the trigger ${name}, which runs ${kind.replace('each', `${event} for each`)}`;
  });
}

/**
 * The tables of which row-level security may hide rows from this role. A policy that shows every row (USING (true))
 * hides none, as long as no restrictive one narrows it.
 */
export async function hidingTables(session: Session, tables: readonly Table[]): Promise<Table[]> {
  const { rows } = await session.query<{ oid: number }>(
    `SELECT c.oid FROM pg_class c WHERE c.oid = ANY($1) AND row_security_active(c.oid) AND (
       EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd IN ('r', '*') AND NOT p.polpermissive)
       OR NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd IN ('r', '*') AND p.polpermissive
                         AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                         AND EXISTS (SELECT 1 FROM unnest(p.polroles) AS r WHERE r = 0 OR pg_has_role(r, 'USAGE'))))`,
    [tables.map(({ oid }) => oid)],
  );
  return tables.filter((table) => rows.some(({ oid }) => oid === table.oid));
}
