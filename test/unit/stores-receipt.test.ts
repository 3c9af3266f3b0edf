import { expect, test } from 'vitest';
import type { ReceiptLine } from '../../src/core/receipt.js';
import { compareOthers, makeReceipt } from '../../src/phases/data/receipt.js';
import { together } from '../../src/stores/kind/together.js';

const head = { environment: 'dev', dryRun: false, startedAt: 'a', finishedAt: 'b', by: { user: 'ann', host: 'laptop' } };
const part = (left: number | null, ...kinds: ReceiptLine['kind'][]) => ({
  rows: [{ store: 'db', shard: null, host: 'h', database: 'd', role: 'r', table: 't', which: 'w', deleted: 1, left }],
  keys: [],
  statements: [],
  lines: kinds.map((kind) => ({ kind, store: 'db', shard: null, what: 't', count: 1 })),
  notes: [],
});

test.each([
  [[part(0)], false, true],
  [[], false, true],
  [[part(0, 'kept')], false, true],
  [[part(0), part(1)], false, false],
  [[part(null)], false, false],
  [[part(0, 'left')], false, false],
  [[part(0, 'kept', 'unknown')], false, false],
  [[part(0)], true, false],
])('only what was counted, is zero and has no line against it is proven (%#)', (parts, dryRun, proven) => {
  expect(makeReceipt({ ...head, dryRun }, parts, { others: [], lines: [], notes: [] })).toMatchObject({ version: 2, proven });
});

test('counts of others stand side by side, where there is a count from before', () => {
  const at = (shard: number, rows: number) => ({ store: 'db', shard, table: 't', rows });
  expect(compareOthers([at(0, 5)], [at(0, 5), at(1, 7)])).toEqual([
    { store: 'db', shard: 0, table: 't', before: 5, after: 5 },
    { store: 'db', shard: 1, table: 't', before: null, after: 7 },
  ]);
});

test('together stops the others at the first failure, and waits for them', async () => {
  const stop = new AbortController();
  const ended: string[] = [];
  const work = together(
    ['slow', 'bad'],
    async (name) => {
      if (name === 'bad') throw new Error(name);
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
      ended.push(name);
    },
    (error) => stop.abort(error),
  );
  await expect(work).rejects.toThrow('bad');
  expect(ended).toEqual(['slow']);
});
