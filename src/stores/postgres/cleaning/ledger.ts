import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { looseChildren, looseEntry } from './loose-children.js';
import type { Ledger, Removed } from './remove.js';

/** What an entry's rows hand back as they go, as SQL with alias t, and how that is noted. */
export interface Returning {
  readonly sql: string;
  readonly ledger: Ledger;
}

/**
 * What a later cleanup has to know of an entry's rows: the ids by which rows that no key holds to them are found, and which of them
 * were seeded. Undefined where it is nothing.
 */
export function entryReturning(database: CleanedDatabase, target: Target): Returning | undefined {
  const { session, removals, targets } = database;
  const children = looseChildren(target, targets);
  const sets = setsOf(database, target);
  if (children.length + sets.length === 0) return undefined;
  const ids = children.map(({ parentColumn }) => `t.${parentColumn}::text`);
  const flags = sets.map(([, { own }]) => (own === undefined ? 'NULL' : `CASE WHEN ${own.owns('t')} THEN '1' END`));
  const removing = (transaction: string, { returned }: Removed) => {
    const rows = returned.map(listOf);
    for (const [index, child] of children.entries()) removals.losing(looseEntry(session, child.target), textsAt(rows, index));
    const counts = sets.map(([print], index) => [print, textsAt(rows, children.length + index).length] as const);
    removals.removing({ ...session.address, transaction, sets: Object.fromEntries(counts) });
  };
  return {
    sql: `json_build_array(${[...ids, ...flags].join(', ')})::text`,
    ledger: { removing, removed: (transaction) => removals.removed(session.address, transaction) },
  };
}

/** Notes how many rows of a set go. */
export function setLedger({ session, removals, prints }: CleanedDatabase, rows: SeededRows): Ledger | undefined {
  const print = prints.get(rows);
  if (print === undefined) return undefined;
  return {
    removing: (transaction, removed) => removals.removing({ ...session.address, transaction, sets: { [print]: removed.rows } }),
    removed: (transaction) => removals.removed(session.address, transaction),
  };
}

/** The sets of which an entry may take rows out; of one that had more rows before, all of them. */
function setsOf({ prints }: CleanedDatabase, { table }: Target): [string, SeededRows][] {
  const found = new Map<string, SeededRows>();
  for (const [rows, print] of prints) {
    if (rows.table.oid !== table.oid || rows.own === undefined) continue;
    if (rows.set.rows >= (found.get(print)?.set.rows ?? 0)) found.set(print, rows);
  }
  return [...found];
}

function listOf(text: string): unknown[] {
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list : [];
}

function textsAt(rows: readonly unknown[][], index: number): string[] {
  return rows.flatMap((row) => {
    const text = row[index];
    return typeof text === 'string' ? [text] : [];
  });
}
