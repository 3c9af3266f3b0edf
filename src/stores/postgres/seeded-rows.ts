import type { PostgresStore } from '../../profile/schema.js';
import { type Pieces, render } from '../pieces.js';
import { type Column, findColumns, sameValue } from './columns.js';
import { quoteName, quoteText } from './quote.js';
import type { Session } from './session.js';
import { type ShardRule, shardRule, type TableStep } from './shards.js';
import { findTable, type Table } from './tables.js';
import { valuePieces } from './values.js';

/** The rows of one seed step in one database: the table that was found, and what each row of it holds. */
export interface SeededRows {
  readonly step: TableStep;
  readonly rule: ShardRule | undefined;
  readonly table: Table;
  readonly columns: readonly Column[];
  /** In the columns' order. */
  readonly values: readonly (Pieces | null)[];
  /** The columns that tell rows apart; undefined where none do: then whole rows are compared. */
  readonly key: readonly string[] | undefined;
  /** The quoted name of the row's number, which no column has. */
  readonly ordinal: string;
  /** Whether the table has a unique or exclusion constraint that may be checked late. */
  readonly deferrable: boolean;
}

/** Finds the table, the columns and what tells rows apart. */
export async function findSeededRows(session: Session, config: PostgresStore, step: TableStep): Promise<SeededRows> {
  const table = await findTable(session, step.table, step.schema);
  const names = Object.keys(step.columns);
  const columns = await findColumns(session, table, names);
  const values = columns.map((column) => valuePieces(step.columns[column.name] ?? null, column));
  const constraints = await findConstraints(session, table);
  let ordinal = 'n';
  while (names.includes(ordinal)) ordinal = `loadctl ${ordinal}`;
  return {
    step,
    rule: shardRule(config, session.address.shard, step),
    table,
    columns,
    values,
    key: step.key !== undefined && names.includes(step.key) ? [step.key] : pickKey(constraints, step),
    ordinal: quoteName(ordinal),
    deferrable: constraints.some(({ deferrable }) => deferrable),
  };
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

/** The primary key, or else the narrowest unique one, whose columns are all seeded with something other than NULL. */
function pickKey(constraints: readonly Constraint[], step: TableStep): readonly string[] | undefined {
  const isSet = (name: string) => Object.hasOwn(step.columns, name) && step.columns[name] !== null;
  return constraints.find(({ plain, columns }) => plain && columns.every(isSet))?.columns;
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
  return columns.map((column) => sameValue(column, `${one}.${quoteName(column.name)}`, `${other}.${quoteName(column.name)}`)).join(' AND ');
}

/** A row's columns as one text that differs when one of them does. */
export function wholeRow(columns: readonly Column[], alias: string): string {
  return `ROW(${columns.map(({ name }) => `${alias}.${quoteName(name)}::text`).join(', ')})::text COLLATE "C"`;
}

/** The seeded rows as a subquery that needs no table: the server makes them from their numbers. */
export function seededQuery({ step, rule, columns, values, ordinal }: SeededRows): string {
  const made = columns.map(({ name, type }, index) => `${madeBy(values[index] ?? null)}::${type} AS ${quoteName(name)}`);
  const index = columns.findIndex(({ name }) => name === rule?.column);
  const digits = `substring((${madeBy(values[index] ?? null)}) from '[0-9]+$')::numeric`;
  const mine = rule ? ` WHERE ${digits} % ${rule.modulo} = ${rule.remainder}` : '';
  return `(SELECT g.n AS ${ordinal}, ${made.join(', ')} FROM generate_series(1, ${step.rows}) AS g(n)${mine})`;
}

function madeBy(pieces: Pieces | null): string {
  if (pieces === null) return 'NULL';
  const [only, ...rest] = pieces;
  return rest.length === 0 ? quoteText(only) : `(${pieces.map(quoteText).join(' || g.n || ')})`;
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
