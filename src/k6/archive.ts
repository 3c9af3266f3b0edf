import { redactForeign } from '../core/redact-data.js';
import type { Redactor } from '../core/redactor.js';
import { asTarFile, newTarEntry, rewrittenTarEntry, tarEnd, tarEntries } from '../core/tar.js';

/** `metadata.json` of a k6 archive, as far as loadctl reads it. */
export interface ArchiveMetadata {
  readonly options: Readonly<Record<string, unknown>>;
  /** The URL of the main script. */
  readonly filename: string;
  /** The URL of the folder that the archive was made in. */
  readonly pwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a k6 archive says of itself; undefined where it is none that k6 2 made. */
export function readMetadata(archive: Buffer): ArchiveMetadata | undefined {
  const found = [...tarEntries(archive)].find(({ name }) => name === 'metadata.json');
  if (found === undefined) return undefined;
  try {
    const { options, filename, pwd, env, type } = JSON.parse(found.content.toString()) as Partial<ArchiveMetadata> & { type?: unknown };
    if (type !== 'js' || typeof filename !== 'string' || typeof pwd !== 'string' || !URL.canParse(filename)) return undefined;
    return { options: options ?? {}, filename, pwd, env: env ?? {} };
  } catch {
    return undefined;
  }
}

/** What is changed in an archive. */
export interface ArchiveEdit {
  /** The main module, in the place of the one that is there. */
  readonly main?: string;
  /** The URL that the main module has: what it names by relative paths is looked for beside it. */
  readonly filename: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** The script's variables, for a k6 that gets them with the archive; none where they are not given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Keeps the module that was the main one, under its own URL: the new one imports it. */
  readonly keepMain?: boolean;
  /** Further local files, by their absolute paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** An archive with another main module. What else is in it stays as it is. */
export function editArchive(archive: Buffer, { main, filename, options, env = {}, keepMain = false, files = {} }: ArchiveEdit): Buffer {
  const entries = [...tarEntries(archive)];
  const old = entries.find(({ name }) => name === 'data');
  const more = Object.entries(files).map(([path, content]) => newTarEntry(`file${path}`, content));
  const edited = entries.flatMap((entry) => {
    if (entry.name === 'data' && main !== undefined) return rewrittenTarEntry(entry.header, Buffer.from(main));
    if (entry.name === 'metadata.json')
      return rewrittenTarEntry(
        entry.header,
        Buffer.from(editedMetadata(entry.content, { filename, env, ...(options === undefined ? {} : { options }) })),
      );
    if (keepMain && entry.isLink) return rewrittenTarEntry(asTarFile(entry.header), old?.content ?? Buffer.alloc(0));
    return [entry.whole];
  });
  return Buffer.concat([...edited, ...more.flat(), tarEnd]);
}

function editedMetadata(content: Buffer, changed: Pick<ArchiveEdit, 'filename' | 'options' | 'env'>): string {
  const metadata = JSON.parse(content.toString()) as Record<string, unknown>;
  return `${JSON.stringify({ ...metadata, ...changed }, null, 2)}\n`;
}

/**
 * A k6 archive as it may be kept: where options hold secrets, from the profile or from the script's environment, it
 * says `[redacted]`. The user's own files are as they were.
 */
export function archiveToKeep(archive: Buffer, redact: Redactor): Buffer {
  const entries = [...tarEntries(archive)];
  const kept = entries.flatMap(({ header, name, content, whole }) => {
    const text = content.toString();
    const clean = cleaned(name, text, redact);
    return clean === text ? [whole] : rewrittenTarEntry(header, Buffer.from(clean));
  });
  const end = entries.reduce((sum, { whole }) => sum + whole.length, 0);
  return Buffer.concat([...kept, archive.subarray(end)]);
}

/** k6 and loadctl wrote the options as they came out, and the main script, which is loadctl's wrapper. */
function cleaned(name: string, content: string, redact: Redactor): string {
  if (name === 'data') return cleanStrings(content, redact);
  if (name !== 'metadata.json') return content;
  const metadata: unknown = JSON.parse(content);
  const [before, after] = [metadata, redactForeign(metadata, redact)].map((value) => JSON.stringify(value, null, 2));
  return after === undefined || after === before ? content : after;
}

/** Texts in double quotes only: what else there is is no value, and a secret may be spelled like a word of it. */
function cleanStrings(source: string, redact: Redactor): string {
  return source.replace(/"(?:[^"\\\n]|\\.)*"/g, (quoted) => {
    const value: unknown = JSON.parse(quoted);
    const clean = typeof value === 'string' ? redact.output(value) : value;
    return clean === value ? quoted : JSON.stringify(clean);
  });
}
