import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { looseChildren, looseEntry } from './loose-children.js';
import type { Ledger, Removed } from './remove.js';

/** What rows hand back as they go, as SQL with alias t, and how that is noted. */
export interface Returning {
  readonly sql: string;
  readonly ledger: Ledger;
}

/** What it takes to know which rows are found through others, and to note their ids. */
type Bearing = Pick<CleanedDatabase, 'session' | 'removals' | 'targets'>;

/** The ids of rows that go, by which rows are found that no key holds to them: as SQL with alias t, and how they are noted. */
function lostIds({ session, removals, targets }: Bearing, parents: Pick<Target, 'table'>) {
  const children = looseChildren(parents, targets);
  return {
    sql: children.map(({ parentColumn }) => `t.${parentColumn}::text`),
    losing(rows: readonly unknown[][]) {
      for (const [index, child] of children.entries()) removals.losing(looseEntry(session, child.target), textsAt(rows, index));
    },
  };
}

/**
 * What a later cleanup has to know of an entry's rows: the ids by which rows that no key holds to them are found, and which of them
 * were seeded. Undefined where it is nothing.
 */
export function entryReturning(database: CleanedDatabase, target: Target): Returning | undefined {
  const { session, removals } = database;
  const ids = lostIds(database, target);
  const sets = setsOf(database, target);
  if (ids.sql.length + sets.length === 0) return undefined;
  const flags = sets.map(([, { own }]) => (own === undefined ? 'NULL' : `CASE WHEN ${own.owns('t')} THEN '1' END`));
  const removing = (transaction: string, { returned }: Removed) => {
    const rows = returned.map(listOf);
    ids.losing(rows);
    const counts = sets.map(([print], index) => [print, textsAt(rows, ids.sql.length + index).length] as const);
    removals.removing({ ...session.address, transaction, sets: Object.fromEntries(counts) });
  };
  return {
    sql: `json_build_array(${[...ids.sql, ...flags].join(', ')})::text`,
    ledger: { removing, removed: (transaction) => removals.removed(session.address, transaction) },
  };
}

/** The same of a set's rows, and how many of them go; `sql` is missing where no row is found by theirs. */
export function setReturning(database: CleanedDatabase, rows: SeededRows): Partial<Returning> & Pick<Returning, 'ledger'> {
  const { session, removals, prints } = database;
  const ids = lostIds(database, rows);
  const print = prints.get(rows);
  const removing = (transaction: string, removed: Removed) => {
    ids.losing(removed.returned.map(listOf));
    removals.removing({ ...session.address, transaction, sets: print === undefined ? {} : { [print]: removed.rows } });
  };
  return {
    ...(ids.sql.length === 0 ? {} : { sql: `json_build_array(${ids.sql.join(', ')})::text` }),
    ledger: { removing, removed: (transaction) => removals.removed(session.address, transaction) },
  };
}

/** The ids alone of a set's rows that are taken back. Undefined where no row is found by them. */
export function idsReturning(bearing: Bearing, rows: SeededRows): Returning | undefined {
  const ids = lostIds(bearing, rows);
  if (ids.sql.length === 0) return undefined;
  const removing = (_: string, { returned }: Removed) => ids.losing(returned.map(listOf));
  return { sql: `json_build_array(${ids.sql.join(', ')})::text`, ledger: { removing, removed: () => undefined } };
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
