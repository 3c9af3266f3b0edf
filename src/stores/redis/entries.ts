import type { SeedStep } from '../../profile/schema.js';
import { jsonPieces, readPieces, render } from '../pieces.js';

/** A seed step that fills a cache. */
export type EntryStep = Extract<SeedStep, { key: string; value: unknown }>;

/** One entry as it is stored. */
export interface Entry {
  readonly n: number;
  readonly key: string;
  readonly value: string;
}

const batchEntries = 500;

/** Whether a seed step fills a cache. */
export function isEntryStep(step: SeedStep): step is EntryStep {
  return !('table' in step);
}

/** A step's entries, or some of them, 500 at a time: a text as it is, anything else as JSON. */
export function* entryBatches(step: EntryStep, first = 1, last = step.rows): Generator<Entry[]> {
  const keys = readPieces(step.key);
  const values = typeof step.value === 'string' ? readPieces(step.value) : jsonPieces(step.value);
  for (let from = first; from <= last; from += batchEntries) {
    const length = Math.min(batchEntries, last - from + 1);
    yield Array.from({ length }, (_, index) => ({ n: from + index, key: render(keys, from + index), value: render(values, from + index) }));
  }
}
