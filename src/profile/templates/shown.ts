import { flatten, type Piece, type Pieces } from './pieces.js';

/** A text of `rows` rows as the template that makes it, with what it refers to in its place. */
export function templateOf(pieces: Pieces, rows: number): string {
  return flatten(pieces, rows).map(pieceText).join('');
}

function pieceText(piece: Piece): string {
  if (typeof piece === 'string') return piece.replaceAll('{', '{{').replaceAll('}', '}}');
  switch (piece.kind) {
    case 'n':
      return piece.plus === 0 ? '{n}' : `{n${piece.plus > 0 ? '+' : ''}${piece.plus}}`;
    case 'pick':
      return `{pick:${piece.options.join('|')}}`;
    case 'int':
      return `{int:${piece.low}..${piece.high}}`;
    case 'ref':
      return `{${templateOf(piece.pieces, piece.rows)}}`;
    case 'now':
    case 'uuid':
      return `{${piece.kind}}`;
  }
}
