import { escapePieces, join, joinWith, type Pieces, render } from '../../../profile/templates/pieces.js';
import type { SeededRows } from './seeded-rows.js';
import { eachNumber, type RowNumbers } from './shards.js';
import { copyField } from './values.js';

const chunkLength = 128 * 1024;

/**
 * Rows as the lines of COPY's text format, some at a time. With `ordinal` the row's number stands first. `progress` is told
 * how many rows were handed out.
 */
export function* copyText(
  rows: Pick<SeededRows, 'values'>,
  numbers: RowNumbers,
  { ordinal, progress }: { readonly ordinal: boolean; readonly progress: (done: number) => void },
): Generator<string> {
  const line = linePieces(rows.values, ordinal);
  let chunk = '';
  let done = 0;
  for (const n of eachNumber(numbers)) {
    chunk += render(line, n);
    done++;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    progress(done);
    chunk = '';
  }
  if (chunk !== '') yield chunk;
  progress(done);
}

/** A whole line as one template: what COPY escapes is escaped once, not in every row. */
function linePieces(values: readonly (Pieces | null)[], ordinal: boolean): Pieces {
  const fields = values.map((pieces): Pieces => (pieces === null ? ['\\N'] : escapePieces(pieces, copyField)));
  return join([joinWith(ordinal ? [[{ kind: 'n', plus: 0 }], ...fields] : fields, '\t'), ['\n']]);
}
