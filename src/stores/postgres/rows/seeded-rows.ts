import { own } from '../../../core/own.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { isVolatile, type Pieces, pieceReader, type RowSource, render } from '../../../profile/templates/pieces.js';
import { type Column, findColumns, sameValue } from '../catalog/columns.js';
import { quoteName } from '../catalog/quote.js';
import { findTable, type Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { askForNumbers } from './asked-numbers.js';
import { numbersSql, piecesSql } from './made-rows.js';
import { type Ownership, ownership } from './ownership.js';
import { allRows, type RowNumbers, rowsOnShard, shardRule, type TableSet } from './shards.js';
import { valuePieces } from './values.js';

/** The rows of one set in one database: the table that was found, and what each row of it holds. */
export interface SeededRows {
  readonly set: TableSet;
  /** Which of the set's rows this database has. */
  readonly numbers: RowNumbers;
  readonly table: Table;
  /** What stands after FROM for exactly the rows that an INSERT reaches: not those of tables that inherit from it. */
  readonly from: string;
  readonly columns: readonly Column[];
  /** Those of them that a row is held against: not what is another value whenever it is made. */
  readonly compared: readonly Column[];
  /** In the columns' order. */
  readonly values: readonly (Pieces | null)[];
  /** The columns that tell rows apart; undefined where none do. */
  readonly key: readonly string[] | undefined;
  /** What must be unique in the table, of columns that are all seeded with something other than NULL. */
  readonly unique: readonly (readonly string[])[];
  /** Whose a row is; undefined where no unique key tells the set's rows from others. */
  readonly own: Ownership | undefined;
  /** The quoted name of the row's number, which no column has. */
  readonly ordinal: string;
}

/** Finds the table, the columns and what tells rows apart. */
export async function findSeededRows(session: Session, config: PostgresStore, set: TableSet, source: RowSource): Promise<SeededRows> {
  const table = await findTable(session, set.table, set.schema);
  const names = Object.keys(set.columns);
  const columns = await findColumns(session, table, names, true);
  const reader = pieceReader(source);
  const values = columns.map((column) => valuePieces(own(set.columns, column.name) ?? null, column, reader));
  const isLasting = ({ name }: Column) => !isVolatile(values[names.indexOf(name)] ?? []);
  const lasting = columns.filter(isLasting);
  const constraints = uniqueAmong(await findConstraints(session, table), set, lasting);
  const isComparable = (name: string) => lasting.some((column) => column.name === name && column.comparable);
  const unique = constraints.filter((names) => names.every(isComparable));
  const isSpread = await inheritsRows(session, table);
  let ordinal = 'n';
  while (names.includes(ordinal)) ordinal = `loadctl ${ordinal}`;
  return {
    set,
    numbers: await numbersHere(session, config, set, { columns, values }),
    table,
    from: isSpread ? `ONLY ${table.quoted}` : table.quoted,
    columns,
    compared: columns.filter(isLasting),
    values,
    key: set.key !== undefined && names.includes(set.key) ? [set.key] : (unique[0] ?? constraints[0]),
    unique,
    own: isSpread ? undefined : ownership({ rows: set.rows, columns, values, unique }),
    ordinal: quoteName(ordinal),
  };
}

/** Whether tables inherit from this one without being its partitions: nothing is unique over all of them. */
async function inheritsRows(session: Session, { oid }: Table): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE i.inhparent = $1 AND c.relkind <> 'p' LIMIT 1`,
    [oid],
  );
  return rows.length > 0;
}

/** A set as people read it: `users (db.users)`. */
export function setName({ set, table }: Pick<SeededRows, 'set' | 'table'>): string {
  return `${set.name} (${set.store}.${table.inProfile})`;
}

async function numbersHere(
  session: Session,
  config: PostgresStore,
  set: TableSet,
  { columns, values }: Pick<SeededRows, 'columns' | 'values'>,
): Promise<RowNumbers> {
  const rule = shardRule(config, session.address.shard, set);
  if (rule === undefined) return allRows(set.rows);
  const index = columns.findIndex(({ name }) => name === rule.column);
  const key = values[index] ?? [];
  const { by } = rule;
  if (by.kind !== 'sql') return rowsOnShard({ ...rule, by }, key, set.rows);
  return askForNumbers(session, { ...rule, sql: by.sql }, { rows: set.rows, key, type: columns[index]?.type ?? 'text' });
}

/** The columns of what is unique in a table for every row; the primary key first, then the narrowest. */
async function findConstraints(session: Session, table: Table): Promise<string[][]> {
  const { rows } = await session.query<{ columns: string[] }>(
    `SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                   WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
       FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid`,
    [table.oid],
  );
  return rows.map(({ columns }) => columns);
}

/** Those over columns that are all seeded with something other than NULL. */
function uniqueAmong(constraints: readonly string[][], set: TableSet, lasting: readonly Column[]): string[][] {
  const isSet = (wanted: string) => lasting.some(({ name }) => name === wanted) && own(set.columns, wanted) !== null;
  return constraints.filter((columns) => columns.every(isSet));
}

/** The names of columns for an INSERT. */
export function columnList(columns: readonly Column[]): string {
  return columns.map(({ name }) => quoteName(name)).join(', ');
}

/** Whether two rows have the same key, as the table's constraints see it; letter by letter where a type has no `=`. */
export function sameKey(key: readonly Column[], one: string, other: string): string {
  const plain = ({ name }: Column) => `${one}.${quoteName(name)} = ${other}.${quoteName(name)}`;
  return key.map((column) => (column.comparable ? plain(column) : sameRow([column], one, other))).join(' AND ');
}

/** The columns by which a set's rows are found again: a key that is theirs alone, where there is one. */
export function exactKey({ own, key = [], columns }: SeededRows): readonly Column[] {
  return own?.key ?? columns.filter(({ name }) => key.includes(name));
}

/** Whether two rows have exactly the same key: by the index, and then letter by letter. */
export function sameExactKey(rows: SeededRows, one: string, other: string): string {
  const key = exactKey(rows);
  return `${sameKey(key, one, other)} AND ${sameRow(
    key.filter(({ byText }) => byText),
    one,
    other,
  )}`;
}

/** Whether two rows are equal in every one of these columns. */
export function sameRow(columns: readonly Column[], one: string, other: string): string {
  if (columns.length === 0) return 'true';
  return columns.map((column) => sameValue(column, `${one}.${quoteName(column.name)}`, `${other}.${quoteName(column.name)}`)).join(' AND ');
}

/** A row's columns as one text that differs when one of them does. */
export function wholeRow(columns: readonly Column[], alias: string): string {
  return `ROW(${columns.map(({ name }) => `${alias}.${quoteName(name)}::text`).join(', ')})::text COLLATE "C"`;
}

/** Whether a row holds all that a seeded one does, in a table in which nothing tells them apart. */
export function looksSeeded(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${wholeRow(rows.compared, alias)} = ${wholeRow(rows.compared, 's')})`;
}

/** The seeded rows, or some columns of theirs, as a subquery that needs no table: the server makes them from their numbers. */
export function seededQuery({ numbers, columns, values, ordinal }: SeededRows, wanted: readonly Column[] = columns): string {
  const made = wanted.map((column) => `${madeBy(values[columns.indexOf(column)] ?? null)}::${column.type} AS ${quoteName(column.name)}`);
  return `(SELECT g.n AS ${ordinal}, ${made.join(', ')} FROM (SELECT g.n, g.n::text AS text FROM ${numbersSql(numbers)} OFFSET 0) AS g)`;
}

/** The number is made a text once, and not for each column: OFFSET keeps the planner from it. */
function madeBy(pieces: Pieces | null): string {
  return pieces === null ? 'NULL' : piecesSql(pieces, 'g.n', 'g.text');
}

/** Row `n` as people would point at it, by its key or other columns: `row 7 (id "user-7")`. */
export function describeRow(
  { columns, values, key = [], own }: SeededRows,
  n: number,
  by: readonly string[] = own?.key.map(({ name }) => name) ?? key,
): string {
  const shown = by.length > 0 ? by : [columns[0]?.name];
  const parts = columns.flatMap(({ name }, index) => {
    const pieces = values[index];
    return shown.includes(name) ? [`${name} ${pieces ? JSON.stringify(render(pieces, n)) : 'NULL'}`] : [];
  });
  return `row ${n} (${parts.join(', ')})`;
}
