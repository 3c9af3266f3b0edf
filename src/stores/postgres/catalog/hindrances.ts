import type { Hazard } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import type { Family } from './family.js';
import { type ForeignKey, holdsBack } from './foreign-keys.js';
import { quoteName } from './quote.js';
import type { Table } from './tables.js';

/** pg_trigger.tgtype's bit of an event, and pg_rewrite.ev_type's digit. */
const events = { INSERT: { bit: 4, digit: '3' }, DELETE: { bit: 8, digit: '4' } } as const;

/** Tables ($1) with what belongs to each, its partitions and what inherits from it. */
const family = `WITH RECURSIVE family AS (
  SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid UNION SELECT f.root, i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
  SELECT root, oid FROM family`;

/** What may change or hide what a delete (or an insert) does, beforehand and in words. */
export async function listTriggers(session: Session, tables: readonly Table[], event: keyof typeof events = 'DELETE'): Promise<string[]> {
  const { bit, digit } = events[event];
  const { rows } = await session.query<{ oid: number; part: string | null; name: string; kind: string }>(
    `SELECT f.root AS oid, CASE WHEN f.oid <> f.root THEN f.oid::regclass::text END AS part, t.tgname::text AS name,
            CASE WHEN t.tgtype & 2 > 0 THEN 'BEFORE' ELSE 'AFTER' END || CASE WHEN t.tgtype & 1 > 0 THEN ' each row' ELSE ' each statement' END AS kind
       FROM pg_trigger t JOIN (${family}) AS f ON f.oid = t.tgrelid
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & $2 > 0
        AND (f.oid = f.root OR NOT EXISTS (SELECT 1 FROM pg_trigger r WHERE r.tgrelid = f.root AND r.tgname = t.tgname))
      UNION ALL
     SELECT r.ev_class, NULL, r.rulename::text, 'rule' FROM pg_rewrite r WHERE r.ev_class = ANY($1) AND r.ev_type = $3
      ORDER BY 1, 2 NULLS FIRST, 3`,
    [tables.map(({ oid }) => oid), bit, digit],
  );
  return rows.map(({ oid, part, name, kind }) => {
    const table = tables.find((one) => one.oid === oid)?.inProfile;
    const where = `${session.place.name}: ${part === null ? table : `${part}, a part of ${table},`}`;
    return kind === 'rule'
      ? `${where} has the rule ${name} on ${event}`
      : `${where} has the trigger ${name}, which runs ${kind.replace('each', `${event} for each`)}`;
  });
}

/** What keeps rows of a family from being deleted at all: some are on another server, or are referenced by a span of time. */
export function farAway({ place }: Session, family: Family | undefined, keys: readonly ForeignKey[]): Hazard | undefined {
  const [foreign] = family?.foreign ?? [];
  const shown = family?.table.inProfile;
  if (foreign !== undefined)
    return {
      message: `${place.name}: ${foreign}, a part of ${shown}, is a foreign table: its rows are on another server`,
      hint: `List the parts of ${shown} that are here instead of it, and give the other server a store of its own.`,
    };
  const temporal = keys.find(({ isTemporal }) => isTemporal);
  if (temporal === undefined) return undefined;
  return {
    message: `${place.name}: ${temporal.table.inProfile} references ${shown} by a PERIOD (${temporal.name}), which loadctl cannot follow`,
    hint: `Remove ${shown} from cleanup.rows, and clean it up yourself.`,
  };
}

/** What keeps rows from being deleted where others, which nobody can see, might go along with them, or be changed. */
export async function unseenReferences(session: Session, listed: Table, keys: readonly ForeignKey[]): Promise<Hazard | undefined> {
  const passedOn = keys.filter((key) => !holdsBack(key));
  // A part that is read by itself has policies of its own, which do not count where it is read by way of the whole.
  const read = passedOn.flatMap(({ table, child, parent }) => [
    { oid: table.oid, shown: table.inProfile },
    child,
    ...(parent.oid === listed.oid ? [] : [parent]),
  ]);
  const [hidden] = await hidingTables(session, read);
  if (hidden === undefined) return undefined;
  const { name, role } = session.place;
  return {
    message: `${name}: row-level security may hide rows of ${hidden.shown} from the role ${role}, and a foreign key would pass the deletes on to them`,
    hint: `Clean up as a role that sees them: ALTER ROLE ${quoteName(role)} BYPASSRLS, or another one in the URL.`,
  };
}

/**
 * The tables of which row-level security may hide rows from this role. A policy that shows every row (USING (true))
 * hides none, as long as no restrictive one narrows it.
 */
export async function hidingTables<Some extends Pick<Table, 'oid'>>(session: Session, tables: readonly Some[]): Promise<Some[]> {
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
