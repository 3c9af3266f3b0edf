import { numberIn } from '../../core/uuids.js';
import { flatten, type Piece, type Pieces, render, type Token } from './pieces.js';

/**
 * How the number of a row is read back from a text that the row has: from the `{n}` or `{uuid}` in it. The row of that number
 * is made again and compared, so a text is never taken for one of a row that it merely looks like. Takes constant time and
 * memory; SQL does the same (src/stores/postgres/inverse-sql.ts).
 *
 *     "user" + {n} + "@test.com"      user0042@test.com → 42 → user42@test.com: another text, so no row's
 */
export interface Inverse {
  /** The number of rows that the set has. */
  readonly rows: number;
  readonly pieces: Pieces;
  readonly carrier: Carrier;
  /** How much stands before and after what carries the number, where that is always as much. */
  readonly before: Width | undefined;
  readonly after: Width | undefined;
}

/** What a row's number is read from. */
export type Carrier = Extract<Token, { kind: 'n' | 'uuid' }>;

/** The length of a text, as JavaScript and as Postgres count it. */
interface Width {
  readonly units: number;
  readonly characters: number;
}

/** How many characters a UUID has. */
export const uuidLength = 36;

/** The inverse of a text of `rows` rows; undefined where no number can be read back from it. */
export function inverseOf(text: Pieces, rows: number): Inverse | undefined {
  const pieces = flatten(text, rows);
  const found = pieces.flatMap((piece, index): Inverse[] => {
    if (!isCarrier(piece)) return [];
    const [before, after] = [widthOf(pieces.slice(0, index)), widthOf(pieces.slice(index + 1))];
    return isReadable(pieces, index, { before, after }) ? [{ rows, pieces, carrier: piece, before, after }] : [];
  });
  return found.find(({ carrier }) => carrier.kind === 'uuid') ?? found[0];
}

/** The number of the row that has exactly this text; undefined where none has. */
export function rowOf(inverse: Inverse, text: string): number | undefined {
  const n = numberFrom(inverse.carrier, carriedBy(inverse, text));
  return Number.isSafeInteger(n) && n >= 1 && n <= inverse.rows && render(inverse.pieces, n) === text ? n : undefined;
}

/** Whether a text is one that others do not have by accident: it carries a UUID, or a number beside plain text with a letter in it. */
export function isUnmistakable(text: Pieces, rows: number): boolean {
  const pieces = flatten(text, rows);
  const isNumbered = pieces.some((piece) => typeof piece === 'object' && piece.kind === 'n');
  return pieces.some((piece) => {
    if (typeof piece === 'string') return isNumbered && /\p{L}/u.test(piece);
    return piece.kind === 'uuid' || (piece.kind === 'ref' && isUnmistakable(piece.pieces, piece.rows));
  });
}

/** What is read of a text that may be a row's: all that stands between, or as far as it looks like what carries a number. */
function carriedBy({ carrier, before, after }: Inverse, text: string): string {
  const from = text.slice(before?.units ?? 0, after === undefined ? undefined : Math.max(0, text.length - after.units));
  if (before !== undefined && after !== undefined) return from;
  if (carrier.kind === 'uuid') return before === undefined ? from.slice(-uuidLength) : from.slice(0, uuidLength);
  return (before === undefined ? /-?[0-9]+$/ : /^-?[0-9]+/).exec(from)?.[0] ?? '';
}

function numberFrom(carrier: Carrier, text: string): number {
  if (carrier.kind === 'uuid') return /^[0-9a-f-]{36}$/.test(text) ? numberIn(carrier.salt, text) : Number.NaN;
  return /^-?[0-9]{1,16}$/.test(text) ? Number(text) - carrier.plus : Number.NaN;
}

function isCarrier(piece: Piece): piece is Carrier {
  return typeof piece === 'object' && (piece.kind === 'n' || piece.kind === 'uuid');
}

/** A UUID is found from either side. A number needs both, or a neighbour that no digit belongs to. */
function isReadable(pieces: Pieces, index: number, { before, after }: Pick<Inverse, 'before' | 'after'>): boolean {
  const piece = pieces[index];
  if (typeof piece === 'object' && piece.kind === 'uuid') return before !== undefined || after !== undefined;
  if (before !== undefined && after !== undefined) return true;
  const [left, right] = [pieces[index - 1], pieces[index + 1]];
  if (before !== undefined) return typeof right === 'string' && /^[^0-9]/.test(right);
  return after !== undefined && typeof left === 'string' && /[^0-9-]$/.test(left);
}

function widthOf(pieces: Pieces): Width | undefined {
  let [units, characters] = [0, 0];
  for (const piece of pieces) {
    const texts = textsOf(piece);
    const [first] = texts;
    if (first === undefined || !texts.every((text) => text.length === first.length && lengthOf(text) === lengthOf(first))) return undefined;
    units += first.length;
    characters += lengthOf(first);
  }
  return { units, characters };
}

/** Texts as long as those that a piece comes to; empty where they are of many lengths. */
function textsOf(piece: Piece): readonly string[] {
  if (typeof piece === 'string') return [piece];
  if (piece.kind === 'uuid') return ['x'.repeat(uuidLength)];
  if (piece.kind === 'pick') return piece.options;
  return piece.kind === 'int' && piece.low >= 0 ? [String(piece.low), String(piece.high)] : [];
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
