import { uuidPrefix } from '../../core/uuids.js';
import { chanceDigits, type Pieces, type Token } from '../templates/pieces.js';
import { quoteText } from './quote.js';
import type { RowNumbers } from './shards.js';

/** A text as SQL makes it of a row's number, `n` being an SQL expression of type bigint; the same as render() makes. */
export function piecesSql(pieces: Pieces, n: string): string {
  const parts = pieces.map((piece) => (typeof piece === 'string' ? quoteText(piece) : tokenSql(piece, n)));
  const [only = "''", ...rest] = parts;
  return rest.length === 0 ? only : `(${parts.join(' || ')})`;
}

function tokenSql(token: Token, n: string): string {
  switch (token.kind) {
    case 'n':
      return `(${n})::text`;
    case 'now':
      return quoteText(token.at);
    case 'uuid':
      return uuidSql(hashSql(token.salt, n), token.namespace);
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

/** As uuidFrom() of src/core/uuids.ts. */
function uuidSql(digits: string, namespace: string | undefined): string {
  const part = (from: number, length: number) => `substr(h.d, ${from}, ${length})`;
  const begin = namespace === undefined ? `${part(1, 8)} || '-' || ${part(9, 4)} || '-4'` : quoteText(uuidPrefix(namespace));
  const variant = `substr('89ab', (('x' || ${part(17, 1)})::bit(4)::int & 3) + 1, 1)`;
  return `(SELECT ${begin} || ${part(14, 3)} || '-' || ${variant} || ${part(18, 3)} || '-' || ${part(21, 12)} FROM (SELECT ${digits} AS d) AS h)`;
}

/** Row numbers as a source of rows, `g(n)`. */
export function numbersSql(numbers: RowNumbers): string {
  if (numbers.kind === 'list') return `unnest('{${numbers.list.join(',')}}'::bigint[]) AS g(n)`;
  return `generate_series(${numbers.first}::bigint, ${numbers.last}, ${numbers.step}) AS g(n)`;
}
