import { expect, test } from 'vitest';
import type { RowSource } from '../../src/stores/pieces.js';
import { globSource, knownKeys } from '../../src/stores/redis/patterns.js';
import type { StoreTask } from '../../src/stores/types.js';

const task: StoreTask & { source(): RowSource } = {
  prefix: 'load-test-user-',
  pauseMs: undefined,
  source: () => ({ random: '', startedAt: '', refer: () => ({ value: '', rows: 1, source: task.source() }) }),
  seed: [
    { store: 'cache', key: 'user:user-{n}', rows: 10, value: 'x' },
    { store: 'cache', key: '{{cart.{n}}}+', rows: 10, value: 'x' },
  ],
  rows: [],
  caches: [{ store: 'cache', keys: 'session:test-*' }],
};

test.each([
  ['user:user-1', true],
  ['user:user-9999', true],
  ['user:user-bob', false],
  ['user:user-1x', false],
  ['xuser:user-1', false],
  ['{cart.3}+', true],
  ['{cartx3}+', false],
  ['session:test-', true],
  ['session:test-a\nb', true],
  ['load-test-user-1', true],
  ['cart:load-test-user-r-1:x', true],
  ['reload-test-user-1', false],
  ['load_test_user_1', false],
  ['LOAD-TEST-USER-1', false],
  ['', false],
])('the key %j is the test’s own: %s', (key, known) => {
  expect(knownKeys(task)(key)).toBe(known);
});

test.each([
  ['a*c', 'a[]b.c', true],
  ['a?c', 'a/c', true],
  ['a?c', 'ac', false],
  ['a[b-d]c', 'acc', true],
  ['a[^b-d]c', 'acc', false],
  ['a[^b-d]c', 'axc', true],
  ['a\\*c', 'a*c', true],
  ['a\\*c', 'abc', false],
  ['a.c', 'abc', false],
  ['a[\\]]c', 'a]c', true],
])('the glob %s fits %j: %s', (glob, key, fits) => {
  expect(new RegExp(`^(?:${globSource(glob)})$`, 'u').test(key)).toBe(fits);
});
