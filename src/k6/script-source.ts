import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LoadctlError } from '../core/errors.js';
import { looksLikeTar } from '../core/tar.js';
import { type ArchiveMetadata, editArchive, readMetadata } from './archive.js';
import type { MainModule } from './arguments.js';
import { beforeSource } from './before.js';

/** A user's script, as a module of ours imports it. */
export interface ScriptSource {
  /** Absolute. */
  readonly path: string;
  /** The URL that it is imported by. */
  readonly url: string;
  /** Where it is an archive: all of it, and what it says of itself. */
  readonly archive?: { readonly bytes: Buffer; readonly metadata: ArchiveMetadata };
}

/** Finds out what a script is: a module, or an archive that k6 made. Throws `invalid-profile` for any other tar file. */
export async function readScriptSource(path: string): Promise<ScriptSource> {
  const bytes = await readFile(path);
  // As k6 itself has it: what begins as a tar file does is an archive.
  if (!looksLikeTar(bytes)) return { path, url: urlOf(path) };
  const metadata = readMetadata(bytes);
  if (metadata === undefined || metadata.filename.endsWith('/-')) {
    throw new LoadctlError('invalid-profile', `${path} is a tar file, but not an archive that \`k6 archive FILE\` made.`, {
      hint: 'Name the script itself in workload.script, or archive it again: k6 archive -O test.tar script.js',
    });
  }
  return { path, url: metadata.filename, archive: { bytes, metadata } };
}

/** A module of ours around a user's script. */
export interface OwnModule {
  /** Its text; `before` is the URL of the module that it has to import first. */
  readonly text: (before: string) => string;
  /** The options of the test, where they come from an archive: k6 does not ask the module then. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How many runners there will be. */
  readonly runners: number;
  /** Takes files of ours. */
  readonly folder: string;
}

const beforeName = 'loadctl-before.js';

/**
 * Puts a module of ours in the place of a user's script, without moving what k6 resolves beside it: on k6's stdin, in the
 * script's folder; of an archive a copy is made that has it as its main module.
 */
export async function inPlaceOf({ path, url, archive }: ScriptSource, own: OwnModule): Promise<MainModule> {
  const { text, options, runners, folder } = own;
  const before = beforeFile(archive, folder);
  if (archive === undefined) {
    await writeFile(before, beforeSource(runners), { mode: 0o600 });
    return { source: text(urlOf(before)), folder: dirname(path) };
  }
  const copy = editArchive(archive.bytes, {
    main: text(urlOf(before)),
    filename: ownUrl(url),
    options,
    keepMain: true,
    files: { [before]: beforeSource(runners) },
  });
  const file = join(folder, 'around-archive.tar');
  await writeFile(file, copy, { mode: 0o600 });
  return { archive: file };
}

/** The URL of the module that comes before the user's; `folder` takes files of ours. */
export function beforeUrl({ archive }: ScriptSource, folder: string): string {
  return urlOf(beforeFile(archive, folder));
}

/** An archive has it at its root. */
function beforeFile(archive: ScriptSource['archive'], folder: string): string {
  return archive === undefined ? join(folder, beforeName) : `/${beforeName}`;
}

/** The URL of a main module of ours beside the user's: k6 looks there for what scripts name by relative paths. */
export function ownUrl(url: string): string {
  return new URL('loadctl-wrapper.js', url).href;
}

/** The URL of a file: k6 reads a specifier as one, in a bare path `%20`, `#` and `?` would mean something else. */
export function urlOf(path: string): string {
  return pathToFileURL(path).href;
}
