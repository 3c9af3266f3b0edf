import { sha256Hex, uuidOf } from '../../core/uuids.js';
import type { SeedValue } from '../sections/seed.js';
import { readTemplate, type TemplatePart } from '../words/template.js';

/**
 * A seed template, ready to be filled for row `n`: `user-{n}` is `['user-', {kind: 'n'}]`. It is read once, and JavaScript
 * and SQL make the same text of it. Two texts never stand side by side.
 */
export type Pieces = readonly Piece[];

/** Literal text, or what differs from row to row. */
export type Piece = string | Token;

/** What differs from row to row. `salt` tells one choice from another; with it and the row's number comes always the same. */
export type Token =
  | { readonly kind: 'n'; readonly plus: number }
  | { readonly kind: 'now'; readonly at: string }
  | { readonly kind: 'uuid'; readonly salt: string; readonly random: string }
  | { readonly kind: 'pick'; readonly salt: string; readonly options: readonly string[] }
  | { readonly kind: 'int'; readonly salt: string; readonly low: number; readonly high: number }
  /** The text of another set's row, round and round. */
  | { readonly kind: 'ref'; readonly rows: number; readonly pieces: Pieces };

/** What a set's templates stand in. */
export interface RowSource {
  /** The seed of all that looks like chance: another one, another choice. */
  readonly random: string;
  /** When the seed runs, ISO 8601: what `{now}` is. */
  readonly startedAt: string;
  /** The value of a column of a set, for `{users.id}`; throws where there is none. */
  refer(set: string, column: string): Referred;
}

/** A column of a set. */
export interface Referred {
  readonly value: SeedValue;
  readonly rows: number;
  readonly source: RowSource;
}

/** Reads the templates of one set. */
export interface PieceReader {
  /** `field` is the column or the key of a JSON object that it stands in: chance is the same in fields of one name. */
  text(template: string, field: string): Pieces;
  /** A value as JSON text; templates inside its strings are filled, keys are as they are written. */
  json(value: SeedValue, field: string): Pieces;
}

/** A reader for one set; each `{pick:…}` and `{int:…}` of a field is a choice of its own. */
export function pieceReader(source: RowSource): PieceReader {
  const choices = new Map<string, number>();
  const salted = (kind: string, field: string) => {
    const choice = choices.get(field) ?? 0;
    choices.set(field, choice + 1);
    return `${source.random}/${kind}/${field}/${choice}/`;
  };
  const text = (template: string, field: string): Pieces =>
    join(readTemplate(template).map((part): Pieces => [pieceOf(part, field, salted, source)]));
  const json = (value: SeedValue, field: string): Pieces => {
    if (typeof value === 'string') return join([['"'], escapePieces(text(value, field), insideJson), ['"']]);
    if (Array.isArray(value))
      return join([
        ['['],
        joinWith(
          value.map((item) => json(item, field)),
          ',',
        ),
        [']'],
      ]);
    if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
    const members = Object.entries(value).map(([key, item]) => join([[`${JSON.stringify(key)}:`], json(item, key)]));
    return join([['{'], joinWith(members, ','), ['}']]);
  };
  return { text, json };
}

function pieceOf(part: TemplatePart, field: string, salted: (kind: string, field: string) => string, source: RowSource): Piece {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'n':
      return part;
    case 'now':
      return { kind: 'now', at: source.startedAt };
    case 'uuid':
      return { kind: 'uuid', salt: `${source.random}/uuid/`, random: source.random };
    case 'pick':
      return { ...part, salt: salted('pick', field) };
    case 'int':
      return { ...part, salt: salted('int', field) };
    case 'ref':
      return reference(source.refer(part.set, part.column), part.column);
  }
}

function reference({ value, rows, source }: Referred, column: string): Piece {
  const reader = pieceReader(source);
  const pieces =
    typeof value === 'string' ? reader.text(value, column) : typeof value === 'object' ? reader.json(value, column) : [String(value)];
  return { kind: 'ref', rows, pieces };
}

function insideJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The text of row `n`. */
export function render(pieces: Pieces, n: number): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : renderToken(piece, n);
  return text;
}

function renderToken(token: Token, n: number): string {
  switch (token.kind) {
    case 'n':
      return String(n + token.plus);
    case 'now':
      return token.at;
    case 'uuid':
      return uuidOf(token.salt, n);
    case 'pick':
      return token.options[chance(token.salt, n) % token.options.length] ?? '';
    case 'int':
      return String(token.low + (chance(token.salt, n) % (token.high - token.low + 1)));
    case 'ref':
      return render(token.pieces, referredRow(n, token.rows));
  }
}

/** Hex digits of a hash that a choice is made by: 48 bits, which a double holds exactly. */
export const chanceDigits = 12;

function chance(salt: string, n: number): number {
  return Number.parseInt(sha256Hex(`${salt}${n}`).slice(0, chanceDigits), 16);
}

/** The row of `rows` that row `n` refers to. */
function referredRow(n: number, rows: number): number {
  return ((n - 1) % rows) + 1;
}

/** Whether the text is another one whenever it is made. */
export function isVolatile(pieces: Pieces): boolean {
  return pieces.some((piece) => typeof piece !== 'string' && (piece.kind === 'now' || (piece.kind === 'ref' && isVolatile(piece.pieces))));
}

/** Texts one after another. */
export function join(texts: readonly Pieces[]): Pieces {
  const joined: Piece[] = [];
  for (const piece of texts.flat()) {
    const last = joined.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') joined[joined.length - 1] = last + piece;
    else if (piece !== '') joined.push(piece);
  }
  return joined;
}

/** Texts with a separator between them. */
export function joinWith(texts: readonly Pieces[], separator: string): Pieces {
  return join(texts.flatMap((text, index): Pieces[] => (index === 0 ? [text] : [[separator], text])));
}

/** Changes every literal text; for escapes that know nothing of their neighbours, and leave digits, letters and `-:.` alone. */
export function escapePieces(pieces: Pieces, change: (text: string) => string): Pieces {
  return pieces.map((piece): Piece => {
    if (typeof piece === 'string') return change(piece);
    if (piece.kind === 'pick') return { ...piece, options: piece.options.map(change) };
    return piece.kind === 'ref' ? { ...piece, pieces: escapePieces(piece.pieces, change) } : piece;
  });
}

/** Every literal text that may stand in a row. */
export function literals(pieces: Pieces): string[] {
  return pieces.flatMap((piece) => {
    if (typeof piece === 'string') return [piece];
    return piece.kind === 'pick' ? piece.options : piece.kind === 'ref' ? literals(piece.pieces) : [];
  });
}

/**
 * The source of a regular expression that fits the text of row `n`, in which only what is volatile may be another one;
 * `literal` escapes what is literal.
 */
export function patternAt(pieces: Pieces, n: number, literal: (text: string) => string): string {
  const patterns = pieces.map((piece) => {
    if (typeof piece === 'string') return literal(piece);
    if (piece.kind === 'now') return '[\\dTZ:.-]+';
    return piece.kind === 'ref' ? patternAt(piece.pieces, referredRow(n, piece.rows), literal) : literal(renderToken(piece, n));
  });
  return patterns.join('');
}

/** Pieces with what they refer to in its place, as far as row n is row n there: none of `rows` goes round again. */
export function flatten(pieces: Pieces, rows: number): Pieces {
  return join(
    pieces.map(
      (piece): Pieces => (typeof piece === 'object' && piece.kind === 'ref' && rows <= piece.rows ? flatten(piece.pieces, rows) : [piece]),
    ),
  );
}
