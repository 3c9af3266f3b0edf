import { expect, test } from 'vitest';
import { expectSame } from './expect-same.js';
import { nameOf } from './form.js';
import { forms } from './forms/index.js';
import { known } from './known.js';

test('every form has a name of its own, and what is known to fail is one of them', () => {
  const names = forms.map(nameOf);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(known).filter((name) => !names.includes(name))).toEqual([]);
});

test.each(forms.map((form) => [nameOf(form), form] as const))('%s', (_, form) => expectSame(form));
