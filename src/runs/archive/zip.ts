import { type Entry, openPromise } from 'yauzl';
import type { ArchiveEntry, Taking } from './take.js';

/** Reads a zip file through `taking`, the wanted entries alone. Rejects with what is wrong with it. */
export async function readZip(file: string, { wants, take, count }: Taking): Promise<void> {
  const zip = await openPromise(file);
  for await (const entry of zip.eachEntry()) {
    const header = asEntry(entry);
    if (!wants(header)) continue;
    // What an entry says of its size is held against what comes of it.
    count(entry.uncompressedSize);
    await take(header, () => zip.openReadStreamPromise(entry));
  }
}

/** What the upper half of an entry's attributes is where it was packed on UNIX (sys/stat.h). */
const unix = { type: 0o170000, file: 0o100000, folder: 0o040000 } as const;

function asEntry(entry: Entry): ArchiveEntry {
  const type = (entry.externalFileAttributes >>> 16) & unix.type;
  const isFolder = entry.fileName.endsWith('/') || type === unix.folder;
  const kind = isFolder ? 'folder' : type === 0 || type === unix.file ? 'file' : 'other';
  return { name: entry.fileName, kind, bytes: entry.uncompressedSize, encrypted: entry.isEncrypted() };
}
