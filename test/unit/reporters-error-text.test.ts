import { expect, test } from 'vitest';
import { errorText } from '../../src/reporters/error-text.js';

const plain = (text: string) => text;

test('an error of a megabyte is told in a few lines, with its beginning, its end and the hint', () => {
  const told = errorText({ code: 'script-threw', message: `first ${'x'.repeat(1_000_000)} last`, hint: 'Fix it.' }, plain);
  expect(told.length).toBeLessThan(2200);
  expect(told).toMatch(/^error: first x+…x+ last\nhint: Fix it\.\n$/);
});

test('of a stack of ten thousand lines the first are shown, and how many there are besides', () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => `at line ${index}`);
  const told = errorText({ code: 'script-threw', message: 'it threw', lines }, plain).split('\n');
  expect(told.slice(0, 3)).toEqual(['error: it threw', '  at line 0', '  at line 1']);
  expect(told.slice(-2)).toEqual(['  … and 9,900 more lines', '']);
});
