import type { SeedStep } from '../../profile/schema.js';
import { pieceReader, render } from '../pieces.js';

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
  const reader = pieceReader({
    random: step.random ?? '',
    startedAt: '',
    refer: () => ({
      value: '',
      rows: 1,
      source: {
        random: '',
        startedAt: '',
        refer: () => {
          throw new Error('');
        },
      },
    }),
  });
  const keys = reader.text(step.key, 'key');
  const values = typeof step.value === 'string' ? reader.text(step.value, 'value') : reader.json(step.value, 'value');
  for (let from = first; from <= last; from += batchEntries) {
    const length = Math.min(batchEntries, last - from + 1);
    yield Array.from({ length }, (_, index) => ({ n: from + index, key: render(keys, from + index), value: render(values, from + index) }));
  }
}
