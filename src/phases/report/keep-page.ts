import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import { page } from '../../reports/page/index.js';
import type { Result } from '../../reports/result/result.js';
import { runFiles } from '../../runs/layout.js';
import { madeOf } from '../../runs/read.js';
import { readResult } from './read-result.js';

/** Writes a run's page into its directory, or to another place, at once or not at all; hands back where it is. Throws `unavailable`. */
export async function keepPage(directory: string, result: Result, out = join(directory, runFiles.report)): Promise<string> {
  const text = await madeOf(directory, async () => page(result));
  try {
    await writeFile(`${out}.new`, text, { mode: 0o600 });
    await rename(`${out}.new`, out);
    return out;
  } catch (cause) {
    await rm(`${out}.new`, { force: true }).catch(() => undefined);
    throw new LoadctlError('unavailable', `The report ${out} cannot be written: ${errorMessage(cause)}`, {
      hint: 'Free some space there, or name another place: loadctl report --out FILE',
      cause,
    });
  }
}

/** Writes a run's page anew where that can be done: what cannot be read has none, and the end of the command says what cannot be written. */
export async function renewPage(directory: string): Promise<void> {
  try {
    await keepPage(directory, await readResult(directory));
  } catch (error) {
    if (!(error instanceof LoadctlError)) throw error;
  }
}
