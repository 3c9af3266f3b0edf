import { createReadStream } from 'node:fs';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { LoadctlError } from '../../core/errors.js';
import type { ArchiveEntry, Taking } from './take.js';

/** Reads a tar file through `taking`. Rejects with what is wrong with it. */
export async function readTar(file: string, isGzip: boolean, { wants, take, count }: Taking): Promise<void> {
  const entries = extract();
  const counted = new Transform({
    transform: (chunk: Buffer, _, done) => {
      try {
        count(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
  const reading = pipeline(createReadStream(file), isGzip ? createGunzip() : new PassThrough(), counted, entries);
  const taking = (async () => {
    for await (const entry of entries) {
      const header = asEntry(entry.header);
      if (wants(header)) await take(header, async () => Readable.from(entry));
      else entry.resume();
    }
  })();
  const ends = await Promise.allSettled([reading, taking]);
  const failed = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  // Where one ends early, the other is told no more than that.
  if (failed.length > 0) throw failed.find((reason) => reason instanceof LoadctlError) ?? failed[0];
}

function asEntry({ name, type, size = 0 }: Header): ArchiveEntry {
  const kind = type === 'file' || type === 'contiguous-file' ? 'file' : type === 'directory' ? 'folder' : 'other';
  return { name, kind, bytes: size };
}
