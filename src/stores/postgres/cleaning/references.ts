import type { Hazard } from '../../kind/types.js';
import { findFamily } from '../catalog/family.js';
import { type ForeignKey, joinKeys } from '../catalog/foreign-keys.js';
import { quoteName } from '../catalog/quote.js';
import { isFatal, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { findRows, type Looking, rowsOf } from '../pages/look.js';
import { anyOf, type Target } from '../selection/targets.js';
import { type Listed, listing, type Reference, referencesTo } from './order.js';

/** What the foreign keys to listed tables come to. */
export interface ReferenceLook {
  /** What keeps a table's test rows from being deleted, by the table's oid. */
  readonly hazards: ReadonlyMap<number, Hazard>;
  readonly notes: readonly string[];
}

/**
 * Looks for tables that reference a listed one and are not listed themselves: all that references their rows would go along, or
 * stand in the way, unseen. Rows that no entry selects in a table that is listed keep back what they reference, and no more.
 */
export async function lookAtReferences(looking: Looking, listed: Listed): Promise<ReferenceLook> {
  const { targets, beside } = listed;
  const { session } = looking;
  const unlisted = new Map<number, Unlisted[]>();
  const notes: string[] = [];
  for (const { parent, key } of referencesTo(listed)) {
    const shown = `${key.table.inProfile} (${key.columns.join(', ')}) references ${parent.inProfile}`;
    const store = targets.find(({ table }) => table.oid === parent.oid)?.entry.store ?? '';
    if (listing(key, listed).length === 0 && !beside.has(key.child.oid)) {
      // An empty table stands in the way like any other: rows may come while the others are deleted.
      const rows = await countReferring(looking, targets, { parent, key });
      const line = `${rows} now: ${shown}, ON DELETE ${key.onDelete.toUpperCase()}`;
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

/** In words; of a table that nobody may read, or that takes too long to, that is not known. */
async function countReferring(looking: Looking, targets: readonly Target[], { parent, key }: Reference): Promise<string> {
  const ofParent = targets.filter(({ table }) => table.oid === parent.oid);
  const referring = `EXISTS (SELECT 1 FROM ${key.parent.from} AS p WHERE ${joinKeys(key, 't', 'p')} AND ${anyOf(ofParent, 'p')})`;
  try {
    const rows = rowsOf(await findRows(looking, await findFamily(looking.session, key.table), referring));
    return `${rows} ${rows === 1 ? 'row' : 'rows'}`;
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || isFatal(state)) throw error;
    return 'rows that could not be counted';
  }
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

/** The line of a profile that lists what references a table: `via` that table, or a set of its rows. */
export function entryFor(store: string, via: string, { table, columns: [column = ''] }: ForeignKey): string {
  return `- {table: ${flowText(`${store}.${table.inProfile}`)}, via: ${flowText(via)}, column: ${flowText(column)}}`;
}

/** A text as YAML reads it back inside a flow mapping. */
function flowText(text: string): string {
  if (/^[A-Za-z_][\w.]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)) return text;
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
