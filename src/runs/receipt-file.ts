import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { Receipt } from '../core/receipt.js';
import { listRuns } from './find.js';
import { runFiles, runsRoot, stateRoot } from './layout.js';
import { environmentOf } from './record.js';
import { writeJson } from './write.js';

/** Puts a cleanup's receipt, which is without secrets, into the latest run of its environment here; where there is none, into a folder of its own. */
export async function keepReceipt(cwd: string, environment: string, receipt: Receipt): Promise<void> {
  for (const run of await listRuns(cwd)) {
    const directory = join(runsRoot(cwd), run);
    if ((await environmentIn(directory)) !== environment) continue;
    return writeJson(join(directory, runFiles.receipt), receipt);
  }
  const folder = join(stateRoot(cwd), 'receipts');
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined); // writing says why it cannot be
  await writeJson(join(folder, `${receipt.finishedAt.replaceAll(/[-:]/g, '').slice(0, 15)}-${environment}.json`), receipt);
}

/** A damaged run is nobody's. */
async function environmentIn(directory: string): Promise<string | undefined> {
  try {
    return await environmentOf(directory);
  } catch (error) {
    if (error instanceof LoadctlError) return undefined;
    throw error;
  }
}
