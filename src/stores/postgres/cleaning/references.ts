import type { Hazard } from '../../kind/types.js';
import { type ForeignKey, foreignKeysTo, holdsBack, joinKeys } from '../catalog/foreign-keys.js';
import type { Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { anyOf, noneOf, type Target } from '../selection/targets.js';

/** A foreign key to a listed table. */
export interface Reference {
  readonly parent: Table;
  readonly key: ForeignKey;
}

/** Every foreign key to a table that is cleaned up. */
export async function findReferences(session: Session, targets: readonly Target[]): Promise<Reference[]> {
  const parents = new Map(targets.map(({ table }) => [table.oid, table]));
  const references: Reference[] = [];
  for (const parent of parents.values()) {
    for (const key of await foreignKeysTo(session, parent)) references.push({ parent, key });
  }
  return references;
}

/** What the foreign keys to listed tables come to. */
export interface ReferenceLook {
  /** What keeps a table's test rows from being deleted, by the table's oid. */
  readonly hazards: ReadonlyMap<number, Hazard>;
  /** Rows that keep single ones back, by the oid of the table that they reference. */
  readonly holding: ReadonlyMap<number, string>;
  readonly notes: readonly string[];
}

/**
 * Looks for tables that reference a listed one and are not listed themselves: all that references their rows would go along, or
 * stand in the way, unseen. Rows that no entry selects in a table that is listed keep back what they reference, and no more.
 */
export async function lookAtReferences(
  session: Session,
  targets: readonly Target[],
  references: readonly Reference[],
): Promise<ReferenceLook> {
  const unlisted = new Map<number, Unlisted[]>();
  const holding = new Map<number, string>();
  const notes: string[] = [];
  for (const { parent, key } of references) {
    const listed = targets.filter(({ table }) => table.oid === key.table.oid);
    const rows = await countUncovered(session, targets, { parent, key }, listed);
    const shown = `${key.table.inProfile} (${key.columns.join(', ')}) references ${parent.inProfile}`;
    const store = targets.find(({ table }) => table.oid === parent.oid)?.entry.store ?? '';
    if (listed.length === 0) {
      // An empty table stands in the way like any other: rows may come while the others are deleted.
      const line = `${rows} ${rows === 1 ? 'row' : 'rows'} now: ${shown}, ON DELETE ${key.onDelete.toUpperCase()}`;
      unlisted.set(parent.oid, [...(unlisted.get(parent.oid) ?? []), { line, yaml: entryFor(store, `${store}.${parent.inProfile}`, key) }]);
    } else if (key.onDelete === 'cascade') notes.push(`${session.place.name}: ${shown} with ON DELETE CASCADE`);
    if (rows > 0 && listed.length > 0) holding.set(parent.oid, `rows of ${key.table.inProfile} that no entry selects reference them`);
    if (!key.indexed)
      notes.push(
        `${session.place.name}: ${shown}, and no index begins with that column: each row that is deleted reads all of ${key.table.inProfile}`,
      );
  }
  return { hazards: new Map([...unlisted].map(([oid, tables]) => [oid, hazardOf(session, tables)])), holding, notes };
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
export function withParents(
  blocked: ReadonlyMap<Target, Hazard>,
  targets: readonly Target[],
  references: readonly Reference[],
): Map<Target, Hazard> {
  const all = new Map(blocked);
  const spread = (target: Target, { hint }: Hazard) => {
    const parents = references.filter(({ key }) => key.table.oid === target.table.oid).map(({ parent }) => parent.oid);
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

/**
 * Conditions on a row (alias t) that is about to be deleted: nothing goes along with it, or is changed, that no entry covers.
 * There was no such row when it was looked for; one may have come since. Rows that are found through it go before it: nobody
 * would find what is left of them.
 */
export function takesNoOthers({ table }: Target, targets: readonly Target[], references: readonly Reference[]): string[] {
  const passedOn = references.filter(({ parent, key }) => parent.oid === table.oid && !holdsBack(key));
  return passedOn.flatMap(({ key }) => {
    const listed = targets.filter((target) => target.table.oid === key.table.oid);
    const isThrough = key.table.oid !== table.oid && listed.some(({ through }) => through?.key.name === key.name);
    return [`NOT EXISTS (${referencing(key)}${isThrough ? '' : ` AND ${noneOf(listed, 'o')}`})`];
  });
}

/** The entries whose rows are found through these, and that no foreign key binds to them. */
export function looseChildren({ table }: Target, targets: readonly Target[]): Target[] {
  return targets.filter(({ through }) => through?.parent.oid === table.oid && through.key.name === '');
}

/** Conditions on a row (alias t) that nothing is found through by one of these entries. */
export function bearsNone(children: readonly Target[]): string[] {
  return children.flatMap(({ through }) => (through === undefined ? [] : [`NOT EXISTS (${referencing(through.key)})`]));
}

function referencing(key: ForeignKey): string {
  return `SELECT 1 FROM ${key.table.quoted} AS o WHERE ${joinKeys(key, 'o', 't')}`;
}

/** Children before the tables that they reference; entries of one table keep their order. */
export function childrenFirst(targets: readonly Target[], references: readonly Reference[]): Target[] {
  const ordered = new Set<Target>();
  const visiting = new Set<number>();
  const visit = (oid: number) => {
    if (visiting.has(oid)) return;
    visiting.add(oid);
    for (const { parent, key } of references) if (parent.oid === oid) visit(key.table.oid);
    for (const target of viaFirst(targets.filter(({ table }) => table.oid === oid))) ordered.add(target);
  };
  // The profile lists what is referenced above what references it: without a constraint that order, reversed, is all there is.
  for (const { table } of [...targets].reverse()) visit(table.oid);
  return [...ordered];
}

/** The columns of a table that reference the table itself. */
export function selfReferences(table: Table, references: readonly Reference[]): ForeignKey[] {
  return references.filter(({ parent, key }) => parent.oid === table.oid && key.table.oid === table.oid).map(({ key }) => key);
}

function viaFirst(targets: readonly Target[]): Target[] {
  return [...targets].sort((one, other) => Number('via' in other.entry) - Number('via' in one.entry));
}

async function countUncovered(
  session: Session,
  targets: readonly Target[],
  { parent, key }: Reference,
  listed: readonly Target[],
): Promise<number> {
  const doomed = anyOf(
    targets.filter(({ table }) => table.oid === parent.oid),
    'p',
  );
  const { rows } = await session.query<{ count: string }>(
    `SELECT count(*) FROM ${key.table.quoted} AS t WHERE EXISTS (SELECT 1 FROM ${parent.quoted} AS p WHERE ${joinKeys(key, 't', 'p')} AND ${doomed}) AND ${noneOf(listed, 't')}`,
  );
  return Number(rows[0]?.count);
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
