import { expect, test } from 'vitest';
import { expectSame } from './expect-same.js';
import { nameOf } from './form.js';
import { forms } from './forms/index.js';

test('every form has a name of its own', () => {
  const names = forms.map(nameOf);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});

test.each(forms.map((form) => [nameOf(form), form] as const))('%s', (_, form) => expectSame(form));
