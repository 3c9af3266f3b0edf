import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { Receipt } from '../core/receipt.js';
import { listRuns } from './find.js';
import { runFiles, runsRoot, stateRoot } from './layout.js';
import { makeFolder } from './make-folder.js';
import { environmentOf } from './record.js';
import { writeJson } from './write.js';

/** Puts a cleanup's receipt, which is without secrets, into the latest run of its environment here; where there is none, into a folder of its own. Hands back that run's directory. */
export async function keepReceipt(cwd: string, environment: string, receipt: Receipt): Promise<string | undefined> {
  for (const run of await listRuns(cwd)) {
    const directory = join(runsRoot(cwd), run);
    if ((await environmentIn(directory)) !== environment) continue;
    await writeJson(join(directory, runFiles.receipt), receipt);
    return directory;
  }
  const folder = join(stateRoot(cwd), 'receipts');
  await makeFolder(folder, 0o700).catch(() => undefined); // writing says why it cannot be
  await writeJson(join(folder, `${receipt.finishedAt.replaceAll(/[-:]/g, '').slice(0, 15)}-${environment}.json`), receipt);
  return undefined;
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
