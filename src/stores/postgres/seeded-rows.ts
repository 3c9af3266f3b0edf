import type { PostgresStore } from '../../profile/sections/schema.js';
import { isVolatile, type Pieces, pieceReader, type RowSource, render } from '../templates/pieces.js';
import { askForNumbers } from './asked-numbers.js';
import { type Column, findColumns, sameValue } from './columns.js';
import { numbersSql, piecesSql } from './made-rows.js';
import { quoteName } from './quote.js';
import type { Session } from './session.js';
import { allRows, type RowNumbers, rowsOnShard, shardRule, type TableStep } from './shards.js';
import { findTable, type Table } from './tables.js';
import { valuePieces } from './values.js';

/** The rows of one seed step in one database: the table that was found, and what each row of it holds. */
export interface SeededRows {
  readonly step: TableStep;
  /** Which of the step's rows this database has. */
  readonly numbers: RowNumbers;
  readonly table: Table;
  readonly columns: readonly Column[];
  /** Those of them that a row is held against: not what is another value whenever it is made. */
  readonly compared: readonly Column[];
  /** In the columns' order. */
  readonly values: readonly (Pieces | null)[];
  /** The columns that tell rows apart; undefined where none do: then whole rows are compared. */
  readonly key: readonly string[] | undefined;
  /** What must be unique in the table, of columns that are all seeded with something other than NULL. */
  readonly unique: readonly (readonly string[])[];
  /** Whether the table has a constraint that plain columns do not tell: a partial or exclusion constraint, or an expression. */
  readonly odd: boolean;
  /** The quoted name of the row's number, which no column has. */
  readonly ordinal: string;
  /** Whether the table has a unique or exclusion constraint that may be checked late. */
  readonly deferrable: boolean;
}

/** Finds the table, the columns and what tells rows apart. */
export async function findSeededRows(session: Session, config: PostgresStore, step: TableStep, source: RowSource): Promise<SeededRows> {
  const table = await findTable(session, step.table, step.schema);
  const names = Object.keys(step.columns);
  const columns = await findColumns(session, table, names);
  const reader = pieceReader(source);
  const values = columns.map((column) => valuePieces(step.columns[column.name] ?? null, column, reader));
  const isLasting = ({ name }: Column) => !isVolatile(values[names.indexOf(name)] ?? []);
  const constraints = await findConstraints(session, table);
  const unique = uniqueAmong(
    constraints,
    step,
    columns.filter((column) => column.comparable && isLasting(column)),
  );
  let ordinal = 'n';
  while (names.includes(ordinal)) ordinal = `loadctl ${ordinal}`;
  return {
    step,
    numbers: await numbersHere(session, config, step, { columns, values }),
    table,
    columns,
    compared: columns.filter(isLasting),
    values,
    key: step.key !== undefined && names.includes(step.key) ? [step.key] : unique[0],
    unique,
    odd: constraints.some(({ plain }) => !plain),
    ordinal: quoteName(ordinal),
    deferrable: constraints.some(({ deferrable }) => deferrable),
  };
}

/**
 * Whether a row that holds what one of these does is this one, and nobody else's: a constraint makes it the only one, or it
 * bears a UUID of the seed, or refers to another seeded row.
 */
export function areCertain({ unique, columns, compared, values }: SeededRows): boolean {
  const tells = (column: Column) =>
    (values[columns.indexOf(column)] ?? []).some((piece) => typeof piece === 'object' && (piece.kind === 'uuid' || piece.kind === 'ref'));
  return unique.length > 0 || compared.some(tells);
}

async function numbersHere(
  session: Session,
  config: PostgresStore,
  step: TableStep,
  { columns, values }: Pick<SeededRows, 'columns' | 'values'>,
): Promise<RowNumbers> {
  const rule = shardRule(config, session.address.shard, step);
  if (rule === undefined) return allRows(step.rows);
  const index = columns.findIndex(({ name }) => name === rule.column);
  const key = values[index] ?? [];
  const { by } = rule;
  if (by.kind !== 'sql') return rowsOnShard({ ...rule, by }, key, step.rows);
  return askForNumbers(session, { ...rule, sql: by.sql }, { step, key, type: columns[index]?.type ?? 'text' });
}

interface Constraint {
  readonly columns: string[];
  /** Unique over plain columns, for every row. */
  readonly plain: boolean;
  readonly deferrable: boolean;
}

async function findConstraints(session: Session, table: Table): Promise<Constraint[]> {
  const { rows } = await session.query<Constraint>(
    `SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                   WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns,
            i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AS plain, NOT i.indimmediate AS deferrable
       FROM pg_index i WHERE i.indrelid = $1 AND (i.indisunique OR i.indisexclusion)
      ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid`,
    [table.oid],
  );
  return rows;
}

/** Constraints over columns that are all seeded with something other than NULL; the primary key first, then the narrowest. */
function uniqueAmong(constraints: readonly Constraint[], step: TableStep, lasting: readonly Column[]): (readonly string[])[] {
  const isSet = (wanted: string) => lasting.some(({ name }) => name === wanted) && step.columns[wanted] !== null;
  return constraints.filter(({ plain, columns }) => plain && columns.every(isSet)).map(({ columns }) => columns);
}

/** The names of columns for an INSERT. */
export function columnList(columns: readonly Column[]): string {
  return columns.map(({ name }) => quoteName(name)).join(', ');
}

/** Whether two rows have the same key. */
export function sameKey(key: readonly string[], one: string, other: string): string {
  return key.map((name) => `${one}.${quoteName(name)} = ${other}.${quoteName(name)}`).join(' AND ');
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

/** The seeded rows as a subquery that needs no table: the server makes them from their numbers. */
export function seededQuery({ numbers, columns, values, ordinal }: SeededRows): string {
  const made = columns.map(({ name, type }, index) => `${madeBy(values[index] ?? null)}::${type} AS ${quoteName(name)}`);
  return `(SELECT g.n AS ${ordinal}, ${made.join(', ')} FROM ${numbersSql(numbers)})`;
}

function madeBy(pieces: Pieces | null): string {
  return pieces === null ? 'NULL' : piecesSql(pieces, 'g.n');
}

/** Row `n` as people would point at it: `row 7 (id "user-7")`. */
export function describeRow({ columns, values, key }: SeededRows, n: number): string {
  const index = Math.max(
    0,
    columns.findIndex(({ name }) => name === key?.[0]),
  );
  const pieces = values[index];
  return `row ${n} (${columns[index]?.name} ${pieces ? JSON.stringify(render(pieces, n)) : 'NULL'})`;
}
