import type { Hazard } from '../../kind/types.js';
import type { ForeignKey } from '../catalog/foreign-keys.js';
import { type Around, aroundOne } from '../catalog/surroundings.js';
import type { Table } from '../catalog/tables.js';
import type { Target } from '../selection/targets.js';

/** Entries, and what surrounds their tables. */
export interface Listed {
  readonly targets: readonly Target[];
  readonly around: Around;
  /** Tables that another store's entries list, by their oids and those of their parts. */
  readonly beside: ReadonlySet<number>;
}

/** A foreign key to a listed table, or to a part of it. */
export interface Reference {
  readonly parent: Table;
  readonly key: ForeignKey;
}

/** Every foreign key to a table that is cleaned up. */
export function referencesTo({ targets, around }: Listed): Reference[] {
  const parents = [...new Map(targets.map(({ table }) => [table.oid, table])).values()];
  return parents.flatMap((parent) => aroundOne(around, parent).keys.map((key) => ({ parent, key })));
}

/** The entries that list the table which has a key. */
export function listing({ child }: ForeignKey, { targets, around }: Listed): Target[] {
  return targets.filter(({ table }) => aroundOne(around, table).family.oids.includes(child.oid));
}

/**
 * Spreads what keeps entries from being taken out to those whose rows they refer to: with a row that stays, what it
 * references stays too.
 */
export function withParents(blocked: ReadonlyMap<Target, Hazard>, listed: Listed): Map<Target, Hazard> {
  const all = new Map(blocked);
  const references = referencesTo(listed);
  const spread = (target: Target, { hint }: Hazard) => {
    const { oids } = aroundOne(listed.around, target.table).family;
    const parents = references.filter(({ key }) => oids.includes(key.child.oid)).map(({ parent }) => parent.oid);
    for (const other of listed.targets) {
      const isParent = parents.includes(other.table.oid) || other.table.oid === target.through?.parent.oid;
      if (!isParent || all.has(other)) continue;
      const hazard = { message: `rows of ${target.table.inProfile}, which stay, refer to ${other.table.inProfile}`, hint };
      all.set(other, hazard);
      spread(other, hazard);
    }
  };
  for (const [target, hazard] of blocked) spread(target, hazard);
  return all;
}

/** Children before the tables that they reference; entries of one table keep their order. */
export function childrenFirst(listed: Listed): Target[] {
  const { targets } = listed;
  const references = referencesTo(listed);
  const ordered = new Set<Target>();
  const visiting = new Set<number>();
  const visit = (oid: number) => {
    if (visiting.has(oid)) return;
    visiting.add(oid);
    for (const { parent, key } of references) if (parent.oid === oid) for (const { table } of listing(key, listed)) visit(table.oid);
    for (const target of viaFirst(targets.filter(({ table }) => table.oid === oid))) ordered.add(target);
  };
  // The profile lists what is referenced above what references it: without a constraint that order, reversed, is all there is.
  for (const { table } of [...targets].reverse()) visit(table.oid);
  return [...ordered];
}

function viaFirst(targets: readonly Target[]): Target[] {
  return [...targets].sort((one, other) => Number('via' in other.entry) - Number('via' in one.entry));
}
