import type { Session } from '../connection/session.js';
import { type Family, familyOf, findFamilies } from './family.js';
import { type ForeignKey, findForeignKeys } from './foreign-keys.js';
import type { Table } from './tables.js';

/** A table with all that belongs to it, and every foreign key to it or to a part of it. */
export interface Surroundings {
  readonly family: Family;
  readonly keys: readonly ForeignKey[];
}

/** What surrounds tables, by their oids. */
export type Around = ReadonlyMap<number, Surroundings>;

/** Looks around any number of tables in one pass over the catalog. */
export async function lookAround(session: Session, tables: readonly Table[]): Promise<Around> {
  const families = await findFamilies(session, tables);
  const keys = await findForeignKeys(session, tables);
  return new Map([...families].map(([oid, family]) => [oid, { family, keys: keys.get(oid) ?? [] }]));
}

/** What surrounds one table. */
export async function lookAroundOne(session: Session, table: Table): Promise<Surroundings> {
  return aroundOne(await lookAround(session, [table]), table);
}

/** What was found around a table. */
export function aroundOne(around: Around, table: Table): Surroundings {
  return around.get(table.oid) ?? { family: familyOf(table, []), keys: [] };
}
