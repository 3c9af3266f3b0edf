import { LoadctlError } from '../../core/errors.js';
import type { SeedValue } from '../../profile/schema.js';
import { escapePieces, join, joinWith, jsonPieces, type Pieces, readPieces } from '../pieces.js';
import type { Column, Shape } from './columns.js';

/**
 * A value as the text that Postgres reads for a column; null is NULL. In a json column a string is a JSON string; in
 * any other a list or object that is no array's is JSON text.
 */
export function valuePieces(value: SeedValue, column: Pick<Column, 'name' | 'shape'>): Pieces | null {
  if (value === null) return null;
  const pieces = textOf(value, column.shape);
  const bad = pieces.find((piece) => piece.includes('\0') || halfSurrogate.test(piece));
  if (bad === undefined) return pieces;
  throw new LoadctlError(
    'seeding-failed',
    `the value of ${column.name} holds a character that Postgres cannot store: ${JSON.stringify(bad)}`,
    {
      hint: 'Take the NUL character (\\0) or the half surrogate out of it.',
    },
  );
}

const halfSurrogate = /\p{Surrogate}/u;

/** One field of COPY's text format. */
export function copyField(text: string | null): string {
  return text === null ? '\\N' : text.replace(/[\\\t\n\r]/g, (character) => copyEscapes[character] ?? character);
}

const copyEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function textOf(value: Exclude<SeedValue, null>, shape: Shape): Pieces {
  if (shape === 'json') return jsonPieces(value);
  if (typeof value === 'string') return readPieces(value);
  if (typeof value !== 'object') return [String(value)];
  return Array.isArray(value) && shape !== 'text' ? arrayPieces(value, shape === 'json-array' ? 'json' : 'text') : jsonPieces(value);
}

function arrayPieces(values: readonly SeedValue[], element: Shape): Pieces {
  const items = values.map((value): Pieces => {
    if (value === null) return ['NULL'];
    if (Array.isArray(value)) return arrayPieces(value, element);
    return join([['"'], escapePieces(textOf(value, element), (piece) => piece.replace(/["\\]/g, '\\$&')), ['"']]);
  });
  return join([['{'], joinWith(items, ','), ['}']]);
}
