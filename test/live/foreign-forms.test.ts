import { expect, test } from 'vitest';
import { expectSame } from '../foreign/expect-same.js';
import { nameOf } from '../foreign/form.js';
import { quickForms } from '../foreign/forms/index.js';

test('the quickest forms of npm run test:foreign are run here too', () => expect(quickForms.length).toBe(10));

test.each(quickForms.map((form) => [nameOf(form), form] as const))('%s: three runners do what one k6 does', (_, form) => expectSame(form));
