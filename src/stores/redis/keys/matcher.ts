import { uuidPrefix } from '../../../core/uuids.js';
import { type Inverse, rowOf } from '../../../profile/templates/inverse.js';
import type { Piece, Pieces } from '../../../profile/templates/pieces.js';
import { type PatternPart, readPattern } from '../../../profile/words/template.js';
import type { StoreTask } from '../../kind/types.js';
import { globMatcher, plainStart } from './glob.js';
import { literal } from './literal.js';

/** A pattern of the cleanup, read. */
export interface Matcher {
  /** A pattern of Redis' that fits all that this one does, and maybe more. */
  readonly glob: string;
  fits(text: Buffer): boolean;
}

/**
 * A pattern with Redis' wildcards, in which a column of a set stands for exactly the texts that its rows have:
 * `cart:{users.id}:*` fits `cart:user-7:open` where there is a row 7, and never `cart:user-77:open`, a longer name.
 */
export function matcherOf(pattern: string, task: Pick<StoreTask, 'inverse'>): Matcher {
  const parts = readPattern(pattern);
  const at = parts.findIndex(({ kind }) => kind !== 'text');
  const hole = parts[at];
  if (hole === undefined || hole.kind === 'text') return { glob: textOf(parts), fits: globMatcher(textOf(parts)) };
  const [left, right] = [textOf(parts.slice(0, at)), textOf(parts.slice(at + 1))];
  const { shape, accepts, begins } = hole.kind === 'ref' ? ofSet(task.inverse(hole)) : ofNamespace(hole.namespace);
  const isPlainLeft = plainStart(left) === left;
  const glob = `${isPlainLeft ? left + plainStart(begins) : plainStart(left)}*`;
  const candidates = new RegExp(
    `${isOpen(left.at(-1)) ? notInWord.before : ''}(?:${shape})${isOpen(right[0]) ? notInWord.behind : ''}`,
    'gs',
  );
  const [fitsLeft, fitsRight] = [globMatcher(left), globMatcher(right)];
  const fits = (text: Buffer) => {
    const found = [...text.toString('latin1').matchAll(candidates)].map(({ 0: { length }, index }) => [index, index + length] as const);
    return found.some(([from, to]) => accepts(text.subarray(from, to)) && fitsLeft(text.subarray(0, from)) && fitsRight(text.subarray(to)));
  };
  return { glob, fits };
}

interface Hole {
  /** The source of a regular expression that finds what may be one, byte by byte. */
  readonly shape: string;
  /** What each begins with. */
  readonly begins: string;
  accepts(text: Buffer): boolean;
}

function ofSet(inverse: Inverse): Hole {
  const [first] = inverse.pieces;
  return { shape: shapeOf(inverse.pieces), begins: typeof first === 'string' ? first : '', accepts: (text) => isRow(inverse, text) };
}

function ofNamespace(namespace: string): Hole {
  const begins = uuidPrefix(namespace);
  return { shape: `${literal(begins)}[\\da-f]{3}-[89ab][\\da-f]{3}-[\\da-f]{12}`, begins, accepts: () => true };
}

/** Whether bytes are exactly the text that a row has. */
export function isRow(inverse: Inverse, bytes: Buffer): boolean {
  const text = bytes.toString();
  return rowOf(inverse, text) !== undefined && Buffer.from(text).equals(bytes);
}

/** Where a wildcard stands beside it a name could be cut short: user-1 is no part of user-12. */
const notInWord = { before: '(?<![\\w\\x80-\\xff])', behind: '(?![\\w\\x80-\\xff])' };

function isOpen(neighbour: string | undefined): boolean {
  return neighbour !== undefined && '*?[]'.includes(neighbour);
}

function shapeOf(pieces: Pieces): string {
  return pieces.map(shapeOfPiece).join('');
}

function shapeOfPiece(piece: Piece): string {
  if (typeof piece === 'string') return bytesOf(piece);
  switch (piece.kind) {
    case 'uuid':
      return '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}';
    case 'pick':
      return `(?:${piece.options.map(bytesOf).join('|')})`;
    case 'ref':
      return shapeOf(piece.pieces);
    case 'now':
      return '[\\dTZ:.-]+';
    case 'n':
    case 'int':
      return '-?\\d+';
  }
}

/** A text as a regular expression reads its bytes. */
function bytesOf(text: string): string {
  return literal(Buffer.from(text).toString('latin1'));
}

function textOf(parts: readonly PatternPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
