import { LoadctlError } from '../../../core/errors.js';
import type { SeedValue } from '../../../profile/sections/schema.js';
import { escapePieces, join, joinWith, literals, type PieceReader, type Pieces } from '../../../profile/templates/pieces.js';
import type { Column, Shape } from '../catalog/columns.js';

/**
 * A value as the text that Postgres reads for a column; null is NULL. In a json column a string is a JSON string; in
 * any other a list or object that is no array's is JSON text.
 */
export function valuePieces(value: SeedValue, column: Pick<Column, 'name' | 'shape'>, reader: PieceReader): Pieces | null {
  if (value === null) return null;
  const pieces = textOf(value, column.shape, { reader, field: column.name });
  const bad = literals(pieces).find((text) => text.includes('\0') || halfSurrogate.test(text));
  if (bad === undefined) return pieces;
  throw new LoadctlError(
    'seeding-failed',
    `the value of ${column.name} holds a character that Postgres cannot store: ${JSON.stringify(bad)}`,
    {
      hint: 'Remove the NUL character (\\0) or lone surrogate.',
    },
  );
}

const halfSurrogate = /\p{Surrogate}/u;

interface Means {
  readonly reader: PieceReader;
  readonly field: string;
}

function textOf(value: Exclude<SeedValue, null>, shape: Shape, means: Means): Pieces {
  const { reader, field } = means;
  if (shape === 'json') return reader.json(value, field);
  if (typeof value === 'string') return reader.text(value, field);
  if (typeof value !== 'object') return [String(value)];
  const isArray = Array.isArray(value) && shape !== 'text';
  return isArray ? arrayPieces(value, shape === 'json-array' ? 'json' : 'text', means) : reader.json(value, field);
}

function arrayPieces(values: readonly SeedValue[], element: Shape, means: Means): Pieces {
  const items = values.map((value): Pieces => {
    if (value === null) return ['NULL'];
    if (Array.isArray(value)) return arrayPieces(value, element, means);
    return join([['"'], escapePieces(textOf(value, element, means), (piece) => piece.replace(/["\\]/g, '\\$&')), ['"']]);
  });
  return join([['{'], joinWith(items, ','), ['}']]);
}
