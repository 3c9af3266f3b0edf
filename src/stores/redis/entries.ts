import type { SeedStep, SeedValue } from '../../profile/schema.js';
import { jsonPieces, type Pieces, readPieces, render } from '../pieces.js';

/** A seed step that fills a cache. */
export type EntryStep = Extract<SeedStep, { key: string; value: unknown }>;

/** One entry as it is stored: a text, or the fields of a hash. */
export interface Entry {
  readonly n: number;
  readonly key: string;
  readonly value: string | Fields;
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

/** Some of a step's entries, in batches: 500 for each of `width` servers, fewer where they are long. */
export function* entryBatches(
  step: EntryStep,
  width: number,
  [first, last]: readonly [number, number] = [1, step.rows],
): Generator<Entry[]> {
  const entryOf = entryMaker(step);
  let batch: Entry[] = [];
  let characters = 0;
  for (let n = first; n <= last; n++) {
    const entry = entryOf(n);
    batch.push(entry);
    characters += lengthOf(entry);
    if (batch.length < batchEntries * width && characters < batchCharacters * width) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

function entryMaker(step: EntryStep): (n: number) => Entry {
  const key = readPieces(step.key);
  const value = valueMaker(step);
  return (n) => ({ n, key: render(key, n), value: value(n) });
}

/** Without `as`, a text is stored as it is and anything else as JSON. */
function valueMaker({ value, as }: EntryStep): (n: number) => string | Fields {
  if (as === 'hash') return hashMaker(value);
  const pieces = as === 'json' ? jsonPieces(value) : textPieces(value);
  return (n) => render(pieces, n);
}

function hashMaker(value: SeedValue): (n: number) => Fields {
  const fields = Object.entries(typeof value === 'object' && value !== null ? value : {});
  const made = fields.map(([field, content]) => [field, textPieces(content)] as const);
  return (n) => made.flatMap(([field, content]) => [field, render(content, n)]);
}

function textPieces(value: SeedValue): Pieces {
  return typeof value === 'string' ? readPieces(value) : jsonPieces(value);
}

function lengthOf({ key, value }: Entry): number {
  return typeof value === 'string' ? key.length + value.length : value.reduce((sum, text) => sum + text.length, key.length);
}
