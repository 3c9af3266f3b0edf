import type { Clock } from '../../../core/os.js';
import type { Hazard } from '../../kind/types.js';
import { type Family, findFamily } from '../catalog/family.js';
import { type ForeignKey, foreignKeysTo, joinKeys } from '../catalog/foreign-keys.js';
import { quoteName } from '../catalog/quote.js';
import type { Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { findRows, rowsOf } from '../pages/look.js';
import { anyOf, type Target } from '../selection/targets.js';

/** A foreign key to a listed table, or to a part of it. */
export interface Reference {
  readonly parent: Table;
  readonly key: ForeignKey;
}

/** The families of listed tables, by the tables' oids. */
export type Families = ReadonlyMap<number, Family>;

/** Every foreign key to a table that is cleaned up. */
export async function findReferences(session: Session, targets: readonly Target[]): Promise<Reference[]> {
  const parents = new Map(targets.map(({ table }) => [table.oid, table]));
  const references: Reference[] = [];
  for (const parent of parents.values()) {
    for (const key of await foreignKeysTo(session, parent)) references.push({ parent, key });
  }
  return references;
}

/** The entries that list the table which has a key. */
export function listing({ child }: ForeignKey, targets: readonly Target[], families: Families): Target[] {
  return targets.filter(({ table }) => families.get(table.oid)?.oids.includes(child.oid));
}

/** What the foreign keys to listed tables come to. */
export interface ReferenceLook {
  /** What keeps a table's test rows from being deleted, by the table's oid. */
  readonly hazards: ReadonlyMap<number, Hazard>;
  readonly notes: readonly string[];
}

/** Entries, and what the schema says of their tables. */
export interface Listed {
  readonly targets: readonly Target[];
  readonly families: Families;
  readonly references: readonly Reference[];
  /** Tables that another store's entries list, by their oids and those of their parts. */
  readonly beside: ReadonlySet<number>;
}

/**
 * Looks for tables that reference a listed one and are not listed themselves: all that references their rows would go along, or
 * stand in the way, unseen. Rows that no entry selects in a table that is listed keep back what they reference, and no more.
 */
export async function lookAtReferences(session: Session, listed: Listed, clock: Clock): Promise<ReferenceLook> {
  const { targets, families, references, beside } = listed;
  const unlisted = new Map<number, Unlisted[]>();
  const notes: string[] = [];
  for (const { parent, key } of references) {
    const shown = `${key.table.inProfile} (${key.columns.join(', ')}) references ${parent.inProfile}`;
    const store = targets.find(({ table }) => table.oid === parent.oid)?.entry.store ?? '';
    if (listing(key, targets, families).length === 0 && !beside.has(key.child.oid)) {
      // An empty table stands in the way like any other: rows may come while the others are deleted.
      const rows = await countReferring(session, targets, { parent, key }, clock);
      const line = `${rows} ${rows === 1 ? 'row' : 'rows'} now: ${shown}, ON DELETE ${key.onDelete.toUpperCase()}`;
      unlisted.set(parent.oid, [...(unlisted.get(parent.oid) ?? []), { line, yaml: entryFor(store, `${store}.${parent.inProfile}`, key) }]);
    } else if (key.onDelete === 'cascade') notes.push(`${session.place.name}: ${shown} with ON DELETE CASCADE`);
    if (!key.indexed)
      notes.push(
        `${session.place.name}: ${shown}, and no index begins with that column: each row that is deleted reads all of ${key.table.inProfile}; to make one: ${indexFor(key)}`,
      );
  }
  return { hazards: new Map([...unlisted].map(([oid, tables]) => [oid, hazardOf(session, tables)])), notes };
}

/** The statement that makes the index which a key lacks. */
export function indexFor({ table, columns }: ForeignKey): string {
  return `CREATE INDEX ON ${table.quoted} (${columns.map(quoteName).join(', ')});`;
}

async function countReferring(session: Session, targets: readonly Target[], { parent, key }: Reference, clock: Clock): Promise<number> {
  const ofParent = targets.filter(({ table }) => table.oid === parent.oid);
  const referring = `EXISTS (SELECT 1 FROM ${key.parent.from} AS p WHERE ${joinKeys(key, 't', 'p')} AND ${anyOf(ofParent, 'p')})`;
  return rowsOf(await findRows({ session, clock }, await findFamily(session, key.table), referring));
}

interface Unlisted {
  readonly line: string;
  /** The entry to add. */
  readonly yaml: string;
}

function hazardOf({ place }: Session, uncovered: readonly Unlisted[]): Hazard {
  const yaml = [...new Set(uncovered.map((reference) => reference.yaml))];
  const tables =
    uncovered.length === 1
      ? 'a table that cleanup does not list references'
      : `${uncovered.length} tables that cleanup does not list reference`;
  return {
    message: `${place.name}: ${tables} test data`,
    hint: `Add to cleanup.rows in the profile: ${yaml[0] ?? ''}${yaml.length > 1 ? ' and so on (see below).' : ''}`,
    lines: [...uncovered.map(({ line }) => line), ...(yaml.length > 1 ? yaml : [])],
  };
}

/**
 * Spreads what keeps entries from being taken out to those whose rows they refer to: with a row that stays, what it
 * references stays too.
 */
export function withParents(blocked: ReadonlyMap<Target, Hazard>, { targets, families, references }: Listed): Map<Target, Hazard> {
  const all = new Map(blocked);
  const spread = (target: Target, { hint }: Hazard) => {
    const parents = references.filter(({ key }) => listing(key, [target], families).length > 0).map(({ parent }) => parent.oid);
    for (const other of targets) {
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
export function childrenFirst({ targets, families, references }: Listed): Target[] {
  const ordered = new Set<Target>();
  const visiting = new Set<number>();
  const visit = (oid: number) => {
    if (visiting.has(oid)) return;
    visiting.add(oid);
    for (const { parent, key } of references)
      if (parent.oid === oid) for (const { table } of listing(key, targets, families)) visit(table.oid);
    for (const target of viaFirst(targets.filter(({ table }) => table.oid === oid))) ordered.add(target);
  };
  // The profile lists what is referenced above what references it: without a constraint that order, reversed, is all there is.
  for (const { table } of [...targets].reverse()) visit(table.oid);
  return [...ordered];
}

function viaFirst(targets: readonly Target[]): Target[] {
  return [...targets].sort((one, other) => Number('via' in other.entry) - Number('via' in one.entry));
}

/** The line of a profile that lists what references a table: `via` that table, or a set of its rows. */
export function entryFor(store: string, via: string, { table, columns: [column = ''] }: ForeignKey): string {
  return `- {table: ${flowText(`${store}.${table.inProfile}`)}, via: ${flowText(via)}, column: ${flowText(column)}}`;
}

/** A text as YAML reads it back inside a flow mapping. */
function flowText(text: string): string {
  if (/^[A-Za-z_][\w.]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)) return text;
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
