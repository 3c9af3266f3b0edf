import { expect, test } from 'vitest';
import { asRunId, makeRunId, runnerId } from '../../src/core/ids.js';

test('runs are named by the second in which they begin, and five random characters', () => {
  const at = Date.UTC(2026, 10, 23, 19, 56, 1, 900);
  expect(makeRunId(at, () => 0.999)).toBe('20261123-195601-zzzzz');
  // Four pairs of equal ones among 1,000 of 60 million: twice in ten billion times.
  expect(new Set(Array.from({ length: 1000 }, () => makeRunId(at))).size).toBeGreaterThan(996);
  expect([makeRunId(at + 1000), makeRunId(at)].sort()[0]).toMatch(/^20261123-195601-[a-z\d]{5}$/);
});

test('what names a directory may be the id of a run, nothing else', () => {
  expect(['20261123-195601-k3x9q', 'a copy of it', '..copy'].map(asRunId)).toEqual(['20261123-195601-k3x9q', 'a copy of it', '..copy']);
  expect(['', '.', '..', '../elsewhere', 'a/b', 'a\0', 7, null, undefined].map(asRunId)).toEqual(Array(9).fill(undefined));
});

test('an id is its text while the program runs', () => {
  expect(JSON.stringify({ runner: runnerId(12) })).toBe('{"runner":"12"}');
});
