import { mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import { looksLikeTar } from '../../core/tar.js';
import { type ArchiveLimits, oddArchive, taking, usualLimits } from './take.js';

type Kind = 'tar' | 'tar.gz' | 'zip';

/** Enough to see what a file is. */
const headBytes = 512;

/** Which kind of archive a file is, by how it begins; undefined for none, and for what is not a file. */
async function archiveKind(file: string): Promise<Kind | undefined> {
  const head = Buffer.alloc(headBytes);
  try {
    const opened = await open(file);
    try {
      await opened.read(head, 0, headBytes, 0);
    } finally {
      await opened.close();
    }
  } catch {
    return undefined;
  }
  if (head.readUInt16BE(0) === 0x1f8b) return 'tar.gz';
  // The last is a zip of nothing.
  if (['PK\x03\x04', 'PK\x05\x06'].includes(head.toString('latin1', 0, 4))) return 'zip';
  return looksLikeTar(head) ? 'tar' : undefined;
}

/** Whether a file is an archive, whatever it is called. */
export async function isArchive(file: string): Promise<boolean> {
  return (await archiveKind(file)) !== undefined;
}

/**
 * The directory of the one run in an archive, with the files that it is judged and compared by, in a new folder below `folder`.
 * The archive may come from anybody. Throws `unavailable` for one that is damaged, hostile, too large, or has not one run.
 */
export async function unpackRun(file: string, folder: string, limits: ArchiveLimits = usualLimits): Promise<string> {
  const kind = await archiveKind(file);
  if (kind === undefined) throw oddArchive(file, 'it is neither a tar file nor a zip');
  const into = await mkdtemp(join(folder, 'run-'));
  const taken = taking(file, into, limits);
  try {
    if (kind === 'zip') await (await import('./zip.js')).readZip(file, taken);
    else await (await import('./tar.js')).readTar(file, kind === 'tar.gz', taken);
  } catch (error) {
    throw error instanceof LoadctlError ? error : oddArchive(file, errorMessage(error), error);
  }
  const [run, other] = taken.runs();
  if (run === undefined) throw oddArchive(file, 'there is no run.json in it');
  if (other !== undefined) throw oddArchive(file, `it holds ${taken.runs().length} runs`);
  return run;
}
