import type { Hazard } from '../../kind/types.js';
import { type Around, aroundOne, lookAround } from '../catalog/surroundings.js';
import { listTables, type Table } from '../catalog/tables.js';
import { dataPlace } from '../connection/places.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';

/**
 * Looks around the listed tables anew, as others may change the schema meanwhile. An entry whose table is gone or has another name
 * stays as it is; what was detached from one is told.
 */
export async function lookAgain(database: CleanedDatabase): Promise<void> {
  const { session, targets, blocked, tallies, lines } = database;
  const now = await lookAround(
    session,
    targets.map(({ table }) => table),
  );
  for (const target of openTargets(database)) {
    const moved = movedFrom(target.table, now);
    if (moved === undefined) continue;
    blocked.set(target, moved);
    tallies.set(target, { deleted: tallies.get(target)?.deleted ?? 0, left: null });
  }
  const before = database.around;
  database.around = now;
  for (const { table, entry } of new Map(targets.map((target) => [target.table.oid, target])).values()) {
    const { oids } = aroundOne(now, table).family;
    const lost = oids.length === 0 ? [] : aroundOne(before, table).family.oids.filter((oid) => !oids.includes(oid));
    for (const { shown, inProfile } of lost.length === 0 ? [] : await listTables(session, 'c.oid = ANY($1)', [lost])) {
      const why = `${shown} was detached from it meanwhile, and may have rows of the test`;
      const command = `list ${entry.store}.${inProfile} under cleanup.rows, and clean up again`;
      lines.push({ kind: 'unknown', ...dataPlace(session), store: entry.store, what: table.inProfile, count: null, why, command });
    }
  }
}

/** Why nothing that is said about a table is about it any more. */
function movedFrom(table: Table, now: Around): Hazard | undefined {
  const { quoted } = aroundOne(now, table).family;
  if (quoted === undefined)
    return {
      message: `${table.shown} was dropped meanwhile; whether its rows are elsewhere now is not known`,
      hint: 'List what took its place under cleanup.rows, or remove it from the profile.',
    };
  if (quoted === table.quoted) return undefined;
  return { message: `${table.shown} is called ${quoted} meanwhile`, hint: 'List it under that name in cleanup.rows, and clean up again.' };
}
