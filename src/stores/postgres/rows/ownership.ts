import { type Inverse, inverseOf, isUnmistakable } from '../../../profile/templates/inverse.js';
import { flatten, literals, type Pieces, render } from '../../../profile/templates/pieces.js';
import { type Column, sameValue, textOf } from '../catalog/columns.js';
import { quoteName } from '../catalog/quote.js';
import { rowOfSql } from './inverse-sql.js';
import { piecesSql } from './made-rows.js';

/** Which rows of a table are exactly those of a set: a unique key of theirs holds what only one row of the set makes. */
export interface Ownership {
  readonly key: readonly Column[];
  /** Whether the row with this alias is one of the set's, as SQL; takes constant time and memory. */
  readonly owns: (alias: string) => string;
  /** What of the key tells its row. */
  readonly carriers: readonly Carrying[];
  /** Whether others may have such keys, too: no column holds more than a number, a constant or a pick. */
  readonly isBare: boolean;
}

/** A column of a key from which the row's number is read. */
export interface Carrying {
  readonly column: Column;
  readonly inverse: Inverse;
}

/** What a set makes of a table's columns. */
export interface Made {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** In the columns' order. */
  readonly values: readonly (Pieces | null)[];
  /** Unique constraints over columns that are all seeded with something other than NULL. */
  readonly unique: readonly (readonly string[])[];
}

/** The ownership of a set's rows; undefined where no unique key of theirs tells them from others. */
export function ownership(made: Made): Ownership | undefined {
  for (const names of made.unique) {
    const key = made.columns.filter(({ name }) => names.includes(name));
    const carriers = key.flatMap((column) => carrying(made, column));
    const [carrier] = carriers;
    if (carrier === undefined) continue;
    return {
      key,
      carriers,
      owns: (alias) => ownsSql(made, key, carrier, alias),
      isBare: !key.some((column) => isUnmistakable(made.values[made.columns.indexOf(column)] ?? [], made.rows)),
    };
  }
  return undefined;
}

/** The names of an ownership's key columns. */
export function keyNames({ key }: Ownership): string[] {
  return key.map(({ name }) => name);
}

/** Whether a column's text is the one that a template makes, so that its number can be read back from it. */
export function isReadBack(column: Column, inverse: Inverse | undefined): inverse is Inverse {
  if (inverse === undefined) return false;
  const { pieces, rows } = inverse;
  switch (column.kind) {
    case 'text':
      return true;
    case 'number':
      return isCanonicalNumber(pieces);
    case 'uuid':
      return (
        [1, rows].every((n) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(render(pieces, n))) &&
        literals(pieces).every((text) => text === text.toLowerCase())
      );
    case 'other':
      return false;
  }
}

/** The least and the largest number that a text of `rows` rows is; undefined where it is not always a number. */
export function numbersOf(text: Pieces, rows: number): { readonly low: bigint; readonly high: bigint } | undefined {
  const pieces = flatten(text, rows);
  const [only] = pieces;
  if (pieces.length === 1 && typeof only === 'object' && only.kind === 'int') return { low: BigInt(only.low), high: BigInt(only.high) };
  if (!isCanonicalNumber(pieces)) return undefined;
  const [one, other] = [BigInt(render(pieces, 1)), BigInt(render(pieces, rows))];
  return one < other ? { low: one, high: other } : { low: other, high: one };
}

/** Whether the server writes the number as the template does: no leading zeros. */
function isCanonicalNumber(pieces: Pieces): boolean {
  const [first, ...rest] = pieces;
  const isFirst = typeof first === 'string' ? /^(-|-?[1-9][0-9]*)$/.test(first) : first?.kind === 'n';
  return isFirst && rest.every((piece) => (typeof piece === 'string' ? /^[0-9]+$/.test(piece) : piece.kind === 'n'));
}

function carrying({ rows, columns, values }: Made, column: Column): Carrying[] {
  const pieces = values[columns.indexOf(column)];
  const inverse = pieces ? inverseOf(pieces, rows) : undefined;
  return isReadBack(column, inverse) ? [{ column, inverse }] : [];
}

function ownsSql({ columns, values }: Made, key: readonly Column[], { column, inverse }: Carrying, alias: string): string {
  const value = (each: Column) => `${alias}.${quoteName(each.name)}`;
  const number = rowOfSql(inverse, textOf(column, value(column)));
  const others = key.filter((each) => each !== column);
  if (others.length === 0) return `(${number} IS NOT NULL)`;
  const same = others.map((each) => sameValue(each, value(each), `${piecesSql(values[columns.indexOf(each)] ?? [], 'o.n')}::${each.type}`));
  return `EXISTS (SELECT FROM (SELECT ${number} AS n OFFSET 0) AS o WHERE o.n IS NOT NULL AND ${same.join(' AND ')})`;
}
