import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LoadctlError } from '../../core/errors.js';
import { runFiles } from '../layout.js';

/** How much of an archive is read at most. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Of one file that is taken out, unpacked. */
  readonly fileBytes: number;
  /** Of all that is unpacked, taken out or not. */
  readonly bytes: number;
}

const mega = 2 ** 20;

/** An hour of a large run takes some 50 MB of the files that are read; logs of runners are passed over. */
export const usualLimits: ArchiveLimits = { entries: 20_000, fileBytes: 256 * mega, bytes: 4096 * mega };

/** What a comparison and a verdict are made from. */
const wanted: ReadonlySet<string> = new Set([
  runFiles.run,
  runFiles.events,
  runFiles.summary,
  runFiles.generators,
  runFiles.monitors,
  runFiles.histograms,
  runFiles.timeseries,
]);

/** An entry of an archive, as far as its header tells. */
export interface ArchiveEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  /** As the archive says; the truth is counted. */
  readonly bytes: number;
  readonly encrypted?: boolean;
}

/** Takes the files of runs out of an archive, each run into a folder of its own below `into`. */
export interface Taking {
  /** Whether this entry is to be unpacked. Throws `unavailable` for one that no archive of a run has. */
  wants(entry: ArchiveEntry): boolean;
  /** Writes an entry that is wanted; `open` begins to unpack it. */
  take(entry: ArchiveEntry, open: () => Promise<Readable>): Promise<void>;
  /** Hears of so many unpacked bytes more. Throws `unavailable` where there are too many. */
  count(bytes: number): void;
  /** The folders that hold a run.json. */
  runs(): readonly string[];
}

/** The {@link Taking} of an archive that is called `archive` in errors. Nothing of it is used for a path but the names that are known. */
export function taking(archive: string, into: string, limits: ArchiveLimits): Taking {
  const folders = new Map<string, string>();
  const seen = new Set<string>();
  let [entries, bytes] = [0, 0];
  const folderOf = (name: string) => {
    const above = dirname(name);
    const folder = folders.get(above) ?? join(into, String(folders.size));
    folders.set(above, folder);
    return folder;
  };
  const count = (more: number) => {
    bytes += more;
    if (bytes > limits.bytes) throw oddArchive(archive, `unpacked it has more than ${inMega(limits.bytes)}`);
  };
  return {
    wants: (entry) => {
      entries += 1;
      if (entries > limits.entries) throw oddArchive(archive, `it has more than ${limits.entries} entries`);
      const name = plainName(archive, entry.name);
      if (entry.kind === 'folder' || !wanted.has(basename(name)) || isOfRunner(name)) return false;
      const why = whyNot(entry, seen.has(name), limits);
      if (why !== undefined) throw oddArchive(archive, `${name} ${why}`);
      seen.add(name);
      return true;
    },
    take: async (entry, open) => {
      const name = plainName(archive, entry.name);
      const folder = folderOf(name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      let taken = 0;
      const counted = new Transform({
        transform: (chunk: Buffer, _, done) => {
          taken += chunk.length;
          if (taken > limits.fileBytes) return done(oddArchive(archive, `${name} has more than ${inMega(limits.fileBytes)}`));
          done(null, chunk);
        },
      });
      await pipeline(await open(), counted, createWriteStream(join(folder, basename(name)), { flags: 'wx', mode: 0o600 }));
    },
    count,
    runs: () => [...folders].flatMap(([above, folder]) => (seen.has(join(above, runFiles.run)) ? [folder] : [])),
  };
}

/** A runner has a summary of its own. */
function isOfRunner(name: string): boolean {
  return basename(dirname(dirname(name))) === runFiles.runners;
}

function whyNot({ kind, bytes, encrypted }: ArchiveEntry, isTwice: boolean, { fileBytes }: ArchiveLimits): string | undefined {
  if (kind === 'other') return 'is a link or a device, not a file';
  if (encrypted === true) return 'is encrypted';
  if (isTwice) return 'is there twice';
  return bytes > fileBytes ? `has more than ${inMega(fileBytes)}` : undefined;
}

/** A name without `./` before it. Throws `unavailable` for one that leads out of the folder that it is unpacked to. */
function plainName(archive: string, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || /[\\\0]/.test(name) || parts.includes('..'))
    throw oddArchive(archive, `the entry ${JSON.stringify(name)} leads out of it`);
  return parts.join('/');
}

function inMega(bytes: number): string {
  return `${Math.round((bytes / mega) * 10) / 10} MB`;
}

/** The error for an archive that is not one of a run. */
export function oddArchive(archive: string, why: string, cause?: unknown): LoadctlError {
  return new LoadctlError('unavailable', `${archive} is not an archive of a run: ${why}.`, {
    cause,
    hint: 'Pack a run directory (tar czf run.tar.gz -C .loadctl/runs RUN), or unpack this one and name the folder.',
  });
}
