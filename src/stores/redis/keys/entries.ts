import type { SeedStep, SeedValue } from '../../../profile/sections/schema.js';
import { isVolatile, type PieceReader, type Pieces, patternAt, pieceReader, type RowSource, render } from '../../templates/pieces.js';
import { literal } from './literal.js';

/** A seed step that fills a cache. */
export type EntryStep = Extract<SeedStep, { key: string; value: unknown }>;

/** One entry as it is stored: a text, or the fields of a hash. */
export interface Entry {
  readonly n: number;
  readonly key: string;
  readonly value: string | Fields;
  /** Where a seed of another day writes another value, `{now}`: what fits the text, or each of the hash's. */
  readonly fits?: readonly RegExp[];
}

/** The entries of a seed step, made one by one. */
export interface Entries {
  readonly step: EntryStep;
  entry(n: number): Entry;
}

/** Fields of a hash and their values by turns, as Redis takes them. */
export type Fields = readonly string[];

const batchEntries = 500;
/** As much text as is kept in memory at a time, for each server. */
const batchCharacters = 1_000_000;

/** Whether a seed step fills a cache. */
export function isEntryStep(step: SeedStep): step is EntryStep {
  return !('table' in step);
}

/** The entries of a step, whose templates stand in `source`. */
export function entriesOf(step: EntryStep, source: RowSource): Entries {
  const reader = pieceReader(source);
  const key = reader.text(step.key, 'key');
  const texts = textsOf(step, reader);
  const volatile = texts.some(isVolatile);
  const isHash = step.as === 'hash';
  return {
    step,
    entry(n) {
      const made = texts.map((pieces) => render(pieces, n));
      const fits = volatile ? { fits: texts.map((pieces) => new RegExp(`^${patternAt(pieces, n, literal)}$`, 'u')) } : {};
      return { n, key: render(key, n), value: isHash ? made : (made[0] ?? ''), ...fits };
    },
  };
}

/** What an entry's key is made of. */
export function keyPieces(step: EntryStep, source: RowSource): Pieces {
  return pieceReader(source).text(step.key, 'key');
}

/** The text that an entry holds, or the fields and values of its hash. Without `as`, a text is stored as it is and anything else as JSON. */
function textsOf({ value, as }: EntryStep, reader: PieceReader): readonly Pieces[] {
  if (as === 'json') return [reader.json(value, 'value')];
  if (as !== 'hash') return [plainText(value, 'value', reader)];
  const fields = Object.entries(typeof value === 'object' && value !== null ? value : {});
  return fields.flatMap(([field, content]) => [[field], plainText(content, field, reader)]);
}

function plainText(value: SeedValue, field: string, reader: PieceReader): Pieces {
  return typeof value === 'string' ? reader.text(value, field) : reader.json(value, field);
}

/** Some of a step's entries, in batches: 500 for each of `width` servers, fewer where they are long. */
export function* entryBatches(
  { step, entry: make }: Entries,
  width: number,
  [first, last]: readonly [number, number] = [1, step.rows],
): Generator<Entry[]> {
  let batch: Entry[] = [];
  let characters = 0;
  for (let n = first; n <= last; n++) {
    const entry = make(n);
    batch.push(entry);
    characters += lengthOf(entry);
    if (batch.length < batchEntries * width && characters < batchCharacters * width) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

function lengthOf({ key, value }: Entry): number {
  return typeof value === 'string' ? key.length + value.length : value.reduce((sum, text) => sum + text.length, key.length);
}
