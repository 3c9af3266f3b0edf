import { chanceDigits, type Pieces, type Token } from '../../../profile/templates/pieces.js';
import { quoteText } from '../catalog/quote.js';
import type { RowNumbers } from './shards.js';

/**
 * A text as SQL makes it of a row's number, `n` being an SQL expression of type bigint, and `text` the same as a text; the same as
 * render() makes.
 */
export function piecesSql(pieces: Pieces, n: string, text = `(${n})::text`): string {
  const parts = pieces.map((piece) => (typeof piece === 'string' ? quoteText(piece) : tokenSql(piece, n, text)));
  const [only = "''", ...rest] = parts;
  return rest.length === 0 ? only : `(${parts.join(' || ')})`;
}

function tokenSql(token: Token, n: string, text: string): string {
  switch (token.kind) {
    case 'n':
      return token.plus === 0 ? text : `((${n}) + ${token.plus})::text`;
    case 'now':
      return quoteText(token.at);
    case 'uuid':
      return uuidSql(token.salt, n);
    case 'pick':
      return `(ARRAY[${token.options.map(quoteText).join(', ')}])[1 + ${chanceSql(token.salt, n)} % ${token.options.length}]`;
    case 'int':
      return `(${token.low} + ${chanceSql(token.salt, n)} % ${token.high - token.low + 1})::text`;
    case 'ref':
      return piecesSql(token.pieces, `((${n}) - 1) % ${token.rows} + 1`);
  }
}

function hashSql(salt: string, n: string): string {
  return `encode(sha256(convert_to(${quoteText(salt)} || (${n})::text, 'UTF8')), 'hex')`;
}

function chanceSql(salt: string, n: string): string {
  return `('x' || left(${hashSql(salt, n)}, ${chanceDigits}))::bit(${chanceDigits * 4})::bigint`;
}

/** As uuidOf() of src/core/uuids.ts. OFFSET keeps the planner from writing a hash out wherever it is used. */
function uuidSql(salt: string, n: string): string {
  const variant = `substr('89ab', (('x' || substr(h.d, 17, 1))::bit(4)::int & 3) + 1, 1)`;
  const head = `left(h.d, 12) || '8' || substr(h.d, 14, 3) || ${variant} || substr(h.d, 18, 3)`;
  const part = (from: number, length: number) => `substr(u.g, ${from}, ${length})`;
  const groups = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), `lpad(to_hex((${n}) # ${uuidMaskSql(salt, 'u.g')}), 12, '0')`];
  return `(SELECT ${groups.join(` || '-' || `)} FROM (SELECT ${head} AS g FROM (SELECT ${hashSql(salt, n)} AS d OFFSET 0) AS h OFFSET 0) AS u)`;
}

/** As numberIn(): the number that a UUID would carry, given its digits without hyphens. */
export function uuidNumberSql(salt: string, digits: string): string {
  return `(('x' || right(${digits}, 12))::bit(48)::bigint # ${uuidMaskSql(salt, `left(${digits}, 20)`)})`;
}

function uuidMaskSql(salt: string, head: string): string {
  return `('x' || left(${hashSql(salt, head)}, 12))::bit(48)::bigint`;
}

/** Row numbers as a source of rows, `g(n)`. */
export function numbersSql(numbers: RowNumbers): string {
  if (numbers.kind === 'list') return `unnest('{${numbers.list.join(',')}}'::bigint[]) AS g(n)`;
  // In a SELECT list the numbers go on one by one, where a function after FROM is done with all of them first.
  return `(SELECT generate_series(${numbers.first}::bigint, ${numbers.last}, ${numbers.step})) AS g(n)`;
}
