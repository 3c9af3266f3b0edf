import type { Hazard } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import { type ForeignKey, holdsBack, neededToDelete } from './foreign-keys.js';
import { missingPermissions } from './permissions.js';
import { quoteName } from './quote.js';
import type { Surroundings } from './surroundings.js';
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

/**
 * What keeps rows of each table from being deleted at all, by the tables' oids: some are on another server, or referenced by a span
 * of time; a permission is missing; or others, which nobody can see, might go along with them or be changed.
 */
export async function findHindrances(session: Session, tables: readonly Surroundings[]): Promise<Map<number, Hazard>> {
  const needed = tables.flatMap(({ family: { table }, keys }) => neededToDelete(table, keys).map((each) => ({ ...each, to: table.oid })));
  const missing = [...(await missingPermissions(session, needed))];
  const hidden = await hidingTables(session, tables.flatMap(readBesides));
  const found = new Map<number, Hazard>();
  for (const each of tables) {
    const { oid } = each.family.table;
    const unseen = readBesides(each).find((read) => hidden.some((one) => one.oid === read.oid));
    const hazard =
      farAway(session, each) ??
      missing.find(([{ to }]) => to === oid)?.[1] ??
      (unseen === undefined ? undefined : unseenHazard(session, unseen));
    if (hazard !== undefined) found.set(oid, hazard);
  }
  return found;
}

function farAway({ place }: Session, { family, keys }: Surroundings): Hazard | undefined {
  const [foreign] = family.foreign;
  const shown = family.table.inProfile;
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

/** What is read to see whether a delete is passed on. A part that is read by itself has policies of its own, which do not count by way of the whole. */
function readBesides({ family, keys }: Surroundings): Pick<Table, 'oid' | 'shown'>[] {
  const passedOn: readonly ForeignKey[] = keys.filter((key) => !holdsBack(key));
  return passedOn.flatMap(({ table, child, parent }) => [
    { oid: table.oid, shown: table.inProfile },
    child,
    ...(parent.oid === family.table.oid ? [] : [parent]),
  ]);
}

function unseenHazard({ place: { name, role } }: Session, { shown }: Pick<Table, 'shown'>): Hazard {
  return {
    message: `${name}: row-level security may hide rows of ${shown} from the role ${role}, and a foreign key would pass the deletes on to them`,
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
