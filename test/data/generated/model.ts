import { createHash } from 'node:crypto';
import pg from 'pg';

/*
 * A random schema, and what the test has to do with each table of it. Every table has a column `who`, which says whose a row
 * is: the oracle goes by it alone, and nothing in a profile selects by it.
 */

/** How a table's rows are told apart; the last four by numbers that the database makes, or by two columns. */
export type IdKind = 'text' | 'uuid' | 'number' | 'identity' | 'always' | 'shared' | 'pair';

/** What becomes of a table: filled before the test, cleaned up after it, both, or neither. */
export type Role = 'seeded' | 'listed' | 'both' | 'others';

export type Layout = 'plain' | 'inherits' | 'hash' | 'range' | 'list';

export interface Reference {
  /** The table's place in the list of all. */
  readonly parent: number;
  readonly columns: readonly string[];
  /** A foreign key, one that is declared and not enforced, or a column that merely holds ids. */
  readonly bound: 'key' | 'not enforced' | 'loose';
  readonly action: string;
  readonly timing: string;
  readonly required: boolean;
}

/** An entry of `cleanup.rows`: by a reference (its place in the list), or by a prefix in `owner` or in the id. */
export type Entry = { readonly by: 'in' | 'set' | 'table'; readonly reference: number } | { readonly by: 'owner' | 'id' };

export interface TableModel {
  readonly index: number;
  readonly schema: string;
  readonly name: string;
  readonly layout: Layout;
  /** Names of what inherits from it, each from the one before. */
  readonly heirs: readonly string[];
  readonly id: { readonly kind: IdKind; readonly columns: readonly string[] };
  /** Whether ids that the database numbers are seeded nevertheless, far from where the sequence is. */
  readonly numbered: boolean;
  readonly references: readonly Reference[];
  readonly self?: Reference;
  readonly tag: 'plain' | 'unique' | 'deferrable' | 'expression' | 'partial' | 'not distinct' | 'exclusion' | 'temporal';
  /** Types of further columns, and what stands in the way of nothing. */
  readonly flavour: {
    readonly collated: boolean;
    readonly blindOwner: boolean;
    readonly heirKeys: boolean;
    readonly generated: boolean;
    readonly openPolicy: boolean;
    readonly tidyTrigger: boolean;
  };
  /** How many rows are seeded. */
  readonly seeded?: number;
  readonly entry?: Entry;
}

/** A table that triggers of another one write to; its rows name their source row. */
export interface Audit {
  readonly of: number;
  readonly name: string;
  readonly each: 'ROW' | 'STATEMENT';
  readonly onDelete: boolean;
  /** How cleanup finds its rows; `unlisted`: not loadctl's promise. */
  readonly by: 'in' | 'set' | 'table' | 'unlisted';
}

/** A column `back` of a table that references one which references it. */
export interface Cycle {
  readonly from: number;
  readonly to: number;
  readonly action: string;
}

export interface SchemaModel {
  readonly tables: readonly TableModel[];
  readonly audits: readonly Audit[];
  readonly cycles: readonly Cycle[];
  /** Whether loadctl logs in as a role that row security holds for. */
  readonly plainRole: boolean;
}

/** Where seeded numbers begin. */
export const base = 900_000_000;
export const prefix = 'load-test-user-';

export const quote = pg.escapeIdentifier;

/** The table as SQL names it. */
export function sqlName({ schema, name }: Pick<TableModel, 'schema' | 'name'>): string {
  return `${quote(schema)}.${quote(name)}`;
}

/** The table as a profile names it. */
export function profileName({ schema, name }: Pick<TableModel, 'schema' | 'name'>): string {
  return schema === 'public' ? `db.${quote(name)}` : `db.${quote(schema)}.${quote(name)}`;
}

export function setName({ index }: TableModel): string {
  return `s${index}`;
}

/** Whether the database makes the ids. */
export function isMade({ id, numbered }: TableModel): boolean {
  return ['identity', 'always', 'shared'].includes(id.kind) && !numbered;
}

export function idType({ id }: TableModel): string {
  return id.kind === 'text' || id.kind === 'uuid' ? id.kind : 'bigint';
}

/** Types of the columns by which other tables reference it. */
export function keyTypes(table: TableModel): string[] {
  return table.id.kind === 'pair' ? ['text', 'bigint'] : [idType(table)];
}

/** Whether ids of seeded rows are known from the profile. */
export function isReadable(table: TableModel): boolean {
  return table.seeded !== undefined && table.id.kind !== 'pair' && !isMade(table);
}

/** Whether the test has rows in it. */
export function isTested({ seeded, entry }: TableModel): boolean {
  return seeded !== undefined || entry !== undefined;
}

/** Whether an entry finds rows by what they reference. */
export function isByReference(entry: Entry | undefined): entry is Extract<Entry, { reference: number }> {
  return entry !== undefined && 'reference' in entry;
}

/** The text before the number in a seeded id. */
export function idWord({ entry, index }: TableModel): string {
  return entry?.by === 'id' ? `${prefix}s-` : `user${index}-`;
}

/** The key of a row of others that is there from the beginning. */
export function knownKey({ id, index }: Pick<TableModel, 'id' | 'index'>): (string | number)[] {
  switch (id.kind) {
    case 'text':
      return ['real-1'];
    case 'uuid':
      return [madeUuid(index, 'other', 1)];
    case 'pair':
      return ['real', 1];
    default:
      return [1];
  }
}

/** A UUID of a row that is not seeded; SQL makes the same: see `idSql`. */
function madeUuid(index: number, who: string, g: number): string {
  const hex = createHash('md5').update(`${index} ${who} ${g}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
