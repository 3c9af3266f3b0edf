import type { Family } from '../catalog/family.js';
import { type ForeignKey, holdsBack, isReferenced } from '../catalog/foreign-keys.js';

/** Rows to delete: whose they are, and what keeps single ones of them back. */
export interface Doomed {
  readonly family: Family;
  /** Whether the row with alias t is to go at all. */
  readonly selection: string;
  /** What it must be besides: nothing of another table references it. */
  readonly guards: readonly string[];
  /** Keys by which rows of the table reference rows of it. */
  readonly own: readonly ForeignKey[];
  /** Whether a key passes the delete on (CASCADE, SET NULL): then nobody may begin to reference the row in the meantime. */
  readonly isPassedOn: boolean;
  /** Whether all that a row is held against is found by an index; else the server reads or makes it anew for every statement. */
  readonly isIndexed: boolean;
  /** How many are tried first in one transaction. */
  readonly firstRows: number;
  /** What is handed back of every row that goes. */
  readonly returning?: string;
}

/** What is to go of a table, by every foreign key to it; `condition` says which rows (alias o) that reference one count. */
export function doomedRows(
  family: Family,
  keys: readonly ForeignKey[],
  selection: string,
  condition: (key: ForeignKey) => string = () => 'true',
): Doomed {
  const isOwn = ({ child }: ForeignKey) => family.oids.includes(child.oid);
  const others = keys.filter((key) => !isOwn(key));
  const isIndexed = keys.every(({ indexed }) => indexed);
  return {
    family,
    selection,
    guards: others.map((key) => `NOT ${isReferenced(family, key, condition(key))}`),
    own: keys.filter(isOwn),
    isPassedOn: keys.some((key) => !holdsBack(key)),
    isIndexed,
    firstRows: isIndexed ? 2000 : 20,
  };
}

/** Whether the row with alias t may go by itself: nothing at all references it. */
export function mayGo({ family, selection, guards, own }: Doomed): string {
  return [selection, ...guards, ...own.map((key) => `NOT ${isReferenced(family, key)}`)].join(' AND ');
}

/** The statement, as a receipt shows it; it is run for a part of the rows at a time. */
export function deleteSql(doomed: Doomed): string {
  return `DELETE FROM ${doomed.family.table.quoted} AS t WHERE ${mayGo(doomed)}`;
}
