import { expect } from 'vitest';
import { differences } from './differences.js';
import type { Form } from './form.js';
import { runBoth } from './run-both.js';

/** Runs a form both ways: the same comes of it. */
export async function expectSame(form: Form): Promise<void> {
  expect(differences(form, await runBoth(form))).toEqual([]);
}
