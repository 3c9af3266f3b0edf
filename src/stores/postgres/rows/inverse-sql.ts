import { type Inverse, uuidLength } from '../../../profile/templates/inverse.js';
import { piecesSql, uuidNumberSql } from './made-rows.js';

/** The number of the row that has this text, an SQL expression of type text; NULL where none has. As rowOf() finds it. */
export function rowOfSql(inverse: Inverse, text: string): string {
  // OFFSET keeps the planner from writing the expression out wherever the number is used.
  const found = `(SELECT ${carriedNumberSql(inverse, 'i.x')} AS n FROM (SELECT ${text} COLLATE "C" AS x) AS i OFFSET 0)`;
  const isRow = `m.n BETWEEN 1 AND ${inverse.rows} AND ${piecesSql(inverse.pieces, 'm.n')} COLLATE "C" = ${text} COLLATE "C"`;
  return `(SELECT m.n FROM ${found} AS m WHERE ${isRow})`;
}

/** The number that a text carries where one of a row would; NULL where it has none there. Only making the row again tells whether it is one. */
export function carriedNumberSql({ carrier, before, after }: Inverse, text: string): string {
  const inside =
    after === undefined
      ? `substr(${text}, ${(before?.characters ?? 0) + 1})`
      : `substr(${text}, ${(before?.characters ?? 0) + 1}, greatest(0, char_length(${text}) - ${(before?.characters ?? 0) + after.characters}))`;
  const both = before !== undefined && after !== undefined;
  if (carrier.kind === 'uuid') {
    const uuid = both ? inside : before === undefined ? `right(${inside}, ${uuidLength})` : `left(${inside}, ${uuidLength})`;
    return `CASE WHEN ${uuid} ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN ${uuidNumberSql(carrier.salt, `replace(${uuid}, '-', '')`)} END`;
  }
  const digits = both ? inside : `substring(${inside} FROM '${before === undefined ? '-?[0-9]+$' : '^-?[0-9]+'}')`;
  return `CASE WHEN ${digits} ~ '^-?[0-9]{1,16}$' THEN (${digits})::bigint - (${carrier.plus}) END`;
}
