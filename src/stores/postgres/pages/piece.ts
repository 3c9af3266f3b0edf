import type { Part } from '../catalog/family.js';

/** Rows of a table that are looked at or deleted at once: those on a range of pages, or single ones. */
export type Piece = Pages | Places;

/** The rows on some pages of a part. */
export interface Pages {
  readonly kind: 'pages';
  readonly part: Part;
  readonly from: number;
  /** Without it; missing where the range has no end, as the table may have grown since it was measured. */
  readonly to?: number;
  /** How many rows on them are looked for. */
  readonly rows: number;
}

/** Single rows. */
export interface Places {
  readonly kind: 'places';
  readonly part: Part;
  readonly places: readonly Located[];
  readonly rows: number;
}

/** Where a row is: a ctid is unique in one table only. */
export interface Located {
  readonly oid: string;
  readonly ctid: string;
}

/** What a query selects to locate the row with alias t. */
export const located = 't.tableoid::text AS oid, t.ctid::text AS ctid';

/** Some rows as a piece. */
export function placesOf(part: Part, places: readonly Located[]): Places {
  return { kind: 'places', part, places, rows: places.length };
}

/** Whether the row with this alias is of a piece. */
export function isIn(piece: Piece, alias = 't'): string {
  if (piece.kind === 'pages') {
    const { oid } = piece.part;
    const only = oid === undefined ? '' : `${alias}.tableoid = ${oid}::oid AND `;
    const end = piece.to === undefined ? '' : ` AND ${alias}.ctid < '(${piece.to},0)'::tid`;
    return `${only}${alias}.ctid >= '(${piece.from},0)'::tid${end}`;
  }
  const tables = new Map<string, string[]>();
  for (const { oid, ctid } of piece.places) {
    const ctids = tables.get(oid);
    if (ctids === undefined) tables.set(oid, [`"${ctid}"`]);
    else ctids.push(`"${ctid}"`);
  }
  const each = [...tables].map(([oid, ctids]) => `${alias}.tableoid = ${oid}::oid AND ${alias}.ctid = ANY ('{${ctids.join(',')}}'::tid[])`);
  return each.length === 0 ? 'false' : `(${each.join(' OR ')})`;
}

/** Its first so many rows, by the count, and the others; of pages about as many. Pages without an end and single rows are not taken apart. */
export function cut(piece: Piece, rows: number): [Piece, Piece?] {
  if (piece.rows <= rows) return [piece];
  if (piece.kind === 'places') return [placesOf(piece.part, piece.places.slice(0, rows)), placesOf(piece.part, piece.places.slice(rows))];
  const { from, to = piece.part.pages } = piece;
  const pages = Math.max(1, Math.floor(((to - from) * rows) / piece.rows));
  if (from + pages >= to) return [piece];
  const share = Math.round((piece.rows * pages) / (to - from));
  const rest: Pages = { ...piece, from: from + pages, rows: piece.rows - share };
  return [{ ...piece, to: from + pages, rows: share }, rest];
}
