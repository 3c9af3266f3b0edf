import { expect, test } from 'vitest';
import { compareOthers, makeReceipt } from '../../src/phases/data/receipt.js';
import { together } from '../../src/stores/kind/together.js';

const head = { environment: 'dev', dryRun: false, startedAt: 'a', finishedAt: 'b', by: { user: 'ann', host: 'laptop' } };
const part = (left: number, countable = true) => ({
  rows: [{ store: 'db', shard: null, host: 'h', database: 'd', role: 'r', table: 't', which: 'w', deleted: 1, left }],
  keys: [],
  statements: [],
  notes: [],
  countable,
});

test.each([
  [[part(0)], true, false, true],
  [[], true, false, true],
  [[part(0), part(1)], true, false, false],
  [[part(0, false)], true, false, false],
  [[part(0)], false, false, false],
  [[part(0)], true, true, false],
])('only what was counted, is zero and stayed so is proven (%#)', (parts, quiet, dryRun, proven) => {
  expect(makeReceipt({ ...head, dryRun }, parts, [], { quiet, notes: [] }).proven).toBe(proven);
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
