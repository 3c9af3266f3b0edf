import type { SeedValue } from '../profile/schema.js';

/**
 * A text that differs from row to row only by the row's number: the pieces between the numbers. `user-{n}` is
 * `['user-', '']`. So a template is read once, and JavaScript and SQL make the same text of it.
 */
export type Pieces = readonly [string, ...string[]];

const token = /\{\{|\}\}|\{n\}|[{}]|[^{}]+/g;

/** Reads a template; the same words as expandTemplate of src/profile/template.ts. */
export function readPieces(template: string): Pieces {
  return join(
    [...template.matchAll(token)].map(([part]): Pieces => {
      if (part === '{n}') return ['', ''];
      return [part === '{{' || part === '}}' ? part.slice(1) : part];
    }),
  );
}

/** The text of row `n`. */
export function render(pieces: Pieces, n: number): string {
  return pieces.length === 1 ? pieces[0] : pieces.join(String(n));
}

/** Texts one after another. */
export function join(texts: readonly Pieces[]): Pieces {
  const done: string[] = [];
  let open = '';
  for (const [first, ...rest] of texts) {
    open += first;
    for (const piece of rest) {
      done.push(open);
      open = piece;
    }
  }
  const [head = open, ...tail] = done;
  return done.length === 0 ? [head] : [head, ...tail, open];
}

/** Texts with a separator between them. */
export function joinWith(texts: readonly Pieces[], separator: string): Pieces {
  return join(texts.flatMap((text, index): Pieces[] => (index === 0 ? [text] : [[separator], text])));
}

/** Changes every piece; for escapes that know nothing of their neighbours, and leave digits alone. */
export function escapePieces([first, ...rest]: Pieces, change: (piece: string) => string): Pieces {
  return [change(first), ...rest.map(change)];
}

/** A value as JSON text; templates inside its strings stay templates, keys are as they are written. */
export function jsonPieces(value: SeedValue): Pieces {
  if (typeof value === 'string')
    return join([['"'], escapePieces(readPieces(value), (piece) => JSON.stringify(piece).slice(1, -1)), ['"']]);
  if (Array.isArray(value)) return join([['['], joinWith(value.map(jsonPieces), ','), [']']]);
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
  const members = Object.entries(value).map(([key, item]) => join([[`${JSON.stringify(key)}:`], jsonPieces(item)]));
  return join([['{'], joinWith(members, ','), ['}']]);
}
