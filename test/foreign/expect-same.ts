import { expect } from 'vitest';
import { differences } from './differences.js';
import { type Form, nameOf } from './form.js';
import { known } from './known.js';
import { runBoth } from './run-both.js';

/** Runs a form both ways: the same comes of it, or, where it is known to fail, what is known of it. */
export async function expectSame(form: Form): Promise<void> {
  const said = differences(form, await runBoth(form));
  const failing = known[nameOf(form)];
  if (failing === undefined) expect(said).toEqual([]);
  else
    expect(said.join('\n'), `${nameOf(form)} is known to fail (${failing.row}). Mended? Then take it out of known.ts`).toMatch(
      failing.shows,
    );
}
