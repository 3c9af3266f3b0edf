import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFiles } from './layout.js';

/** Enough for the last events of a run, and most summaries. */
const reserveBytes = 256 * 1024;

/** Room on the disk of a run that is kept for its end: a disk that is full is no reason not to say how it ended. */
export interface Reserve {
  /** Gives the room back to the disk. */
  release(): void;
}

/** Takes the room. Rejects where there is none: a run that cannot say how it ended shall not begin. */
export async function keepReserve(directory: string): Promise<Reserve> {
  const file = join(directory, runFiles.reserve);
  // Zeros take no room on disks that compress.
  await writeFile(file, randomBytes(reserveBytes), { mode: 0o600 });
  return { release: () => rmSync(file, { force: true }) };
}
