import { LoadctlError } from '../../core/errors.js';
import { type ForeignKey, foreignKeysTo, holdsBack, joinKeys } from './foreign-keys.js';
import type { Session } from './session.js';
import type { Table } from './tables.js';
import { anyOf, noneOf, type Target } from './targets.js';

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

/**
 * Refuses (112) a table that references a listed one and is not listed itself, and rows that no entry covers in a table
 * that is: they would stand in the way, or go along unseen. Hands back what else there is to know about the foreign keys.
 */
export async function checkReferences(session: Session, targets: readonly Target[], references: readonly Reference[]): Promise<string[]> {
  const found: { line: string; yaml: string }[] = [];
  const notes: string[] = [];
  for (const { parent, key } of references) {
    const listed = entriesOf(targets, key.table);
    const rows = await countUncovered(session, { parent, key }, targets);
    const shown = `${key.table.inProfile} (${key.columns.join(', ')}) references ${parent.inProfile}`;
    // An empty table is refused like any other: rows may come while the others are deleted.
    if (rows > 0 || listed.length === 0)
      found.push({
        line: `${rows} ${rows === 1 ? 'row' : 'rows'} now: ${shown}, ON DELETE ${key.onDelete.toUpperCase()}`,
        yaml: entryFor(targets, parent, key),
      });
    else if (key.onDelete === 'cascade') notes.push(`${session.place.name}: ${shown} with ON DELETE CASCADE`);
    if (!key.indexed)
      notes.push(
        `${session.place.name}: ${shown}, and no index begins with that column: each row that is deleted reads all of ${key.table.inProfile}`,
      );
  }
  const [first] = found;
  if (!first) return notes;
  const yaml = [...new Set(found.map((reference) => reference.yaml))];
  throw new LoadctlError(
    'refused',
    `${session.place.name}: ${found.length === 1 ? 'a table references' : `${found.length} tables reference`} test data from outside every cleanup entry`,
    {
      hint: `Add to cleanup.rows in the profile: ${first.yaml}${yaml.length > 1 ? ' and so on (see below).' : ''}`,
      lines: [...found.map(({ line }) => line), ...(yaml.length > 1 ? yaml : [])],
    },
  );
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

async function countUncovered(session: Session, { parent, key }: Reference, targets: readonly Target[]): Promise<number> {
  const doomed = anyOf(entriesOf(targets, parent), 'p');
  const { rows } = await session.query<{ count: string }>(
    `SELECT count(*) FROM ${key.table.quoted} AS t WHERE EXISTS (SELECT 1 FROM ${parent.quoted} AS p WHERE ${joinKeys(key, 't', 'p')} AND ${doomed}) AND ${noneOf(entriesOf(targets, key.table), 't')}`,
  );
  return Number(rows[0]?.count);
}

function entriesOf(targets: readonly Target[], { oid }: Table): Target[] {
  return targets.filter(({ table }) => table.oid === oid);
}

function entryFor(targets: readonly Target[], parent: Table, key: ForeignKey): string {
  const target = targets.find(({ table }) => table.oid === parent.oid);
  const [column] = key.columns;
  return `- {store: ${target?.entry.store}, table: ${yamlName(key.table.inProfile)}, via: ${yamlName(target?.entry.table ?? '')}, column: ${yamlName(column ?? '')}}`;
}

/** A name as YAML reads it back inside a flow mapping. */
function yamlName(name: string): string {
  return /^[A-Za-z_][\w.]*$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name) ? name : JSON.stringify(name);
}
