import { redactForeign } from '../core/redact-data.js';
import type { Redactor } from '../core/redactor.js';

const blockBytes = 512;
/** Where a tar header (ustar) says what (POSIX: pax, "ustar Interchange Format"). */
const field = {
  name: { at: 0, bytes: 100 },
  mode: { at: 100, bytes: 8 },
  size: { at: 124, bytes: 12 },
  modified: { at: 136, bytes: 12 },
  checksum: { at: 148, bytes: 8 },
  type: { at: 156, bytes: 1 },
  linkName: { at: 157, bytes: 100 },
  magic: { at: 257, bytes: 8 },
} as const;

/** `metadata.json` of a k6 archive, as far as loadctl reads it. */
export interface ArchiveMetadata {
  readonly options: Readonly<Record<string, unknown>>;
  /** The URL of the main script. */
  readonly filename: string;
  /** The URL of the folder that the archive was made in. */
  readonly pwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One entry of an archive: its header, which may be another one's extension, and what it holds. */
interface Entry {
  readonly header: Buffer;
  readonly name: string;
  readonly isLink: boolean;
  readonly content: Buffer;
  /** All of it, as it stands in the archive. */
  readonly whole: Buffer;
}

/** Whether a file begins as a tar file does; k6 takes any that does for an archive. */
export function looksLikeArchive(start: Buffer): boolean {
  return start.length >= blockBytes && textAt(start, field.magic).startsWith('ustar');
}

/** What a k6 archive says of itself; undefined where it is none that k6 2 made. */
export function readMetadata(archive: Buffer): ArchiveMetadata | undefined {
  const found = [...entriesOf(archive)].find(({ name }) => name === 'metadata.json');
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
  /** Keeps the module that was the main one, under its own URL: the new one imports it. */
  readonly keepMain?: boolean;
  /** Further local files, by their absolute paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** An archive with another main module. What else is in it stays as it is. */
export function editArchive(archive: Buffer, { main, filename, options, keepMain = false, files = {} }: ArchiveEdit): Buffer {
  const entries = [...entriesOf(archive)];
  const old = entries.find(({ name }) => name === 'data');
  const more = Object.entries(files).map(([path, content]) => newEntry(`file${path}`, content));
  const edited = entries.flatMap((entry) => {
    if (entry.name === 'data' && main !== undefined) return write(entry.header, Buffer.from(main));
    if (entry.name === 'metadata.json') return write(entry.header, Buffer.from(editedMetadata(entry.content, filename, options)));
    if (keepMain && entry.isLink) return write(asFile(entry.header), old?.content ?? Buffer.alloc(0));
    return [entry.whole];
  });
  return Buffer.concat([...edited, ...more.flat(), Buffer.alloc(2 * blockBytes)]);
}

function editedMetadata(content: Buffer, filename: string, options: ArchiveEdit['options']): string {
  const metadata = JSON.parse(content.toString()) as Record<string, unknown>;
  return `${JSON.stringify({ ...metadata, filename, env: {}, ...(options === undefined ? {} : { options }) }, null, 2)}\n`;
}

/**
 * A k6 archive as it may be kept: where options hold secrets, from the profile or from the script's environment, it
 * says `[redacted]`. The user's own files are as they were.
 */
export function archiveToKeep(archive: Buffer, redact: Redactor): Buffer {
  const entries = [...entriesOf(archive)];
  const kept = entries.flatMap(({ header, name, content, whole }) => {
    const text = content.toString();
    const clean = cleaned(name, text, redact);
    return clean === text ? [whole] : write(header, Buffer.from(clean));
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

/** Up to the end of the archive, which is a block of zeros. */
function* entriesOf(archive: Buffer): Generator<Entry> {
  for (let at = 0; at + blockBytes <= archive.length; ) {
    const header = archive.subarray(at, at + blockBytes);
    if (header[0] === 0) return;
    const size = Number.parseInt(textAt(header, field.size), 8) || 0;
    const content = archive.subarray(at + blockBytes, at + blockBytes + size);
    const whole = archive.subarray(at, at + blockBytes + wholeBlocks(size));
    yield { header, name: textAt(header, field.name), isLink: textAt(header, field.type) === '1', content, whole };
    at += whole.length;
  }
}

function newEntry(name: string, content: string): Buffer[] {
  const header = Buffer.alloc(blockBytes);
  header.write(name, field.name.at, 'utf8');
  header.write('0000644\0', field.mode.at, 'latin1');
  header.write('00000000000\0', field.modified.at, 'latin1');
  header.write('0', field.type.at, 'latin1');
  header.write('ustar\x0000', field.magic.at, 'latin1');
  return write(header, Buffer.from(content));
}

function asFile(link: Buffer): Buffer {
  const header = Buffer.from(link);
  header.write('0', field.type.at, 'latin1');
  header.fill(0, field.linkName.at, field.linkName.at + field.linkName.bytes);
  header.write('0000644\0', field.mode.at, 'latin1');
  return header;
}

function write(old: Buffer, content: Buffer): Buffer[] {
  const header = Buffer.from(old);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, field.size.at, 'latin1');
  header.fill(' ', field.checksum.at, field.checksum.at + field.checksum.bytes);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, field.checksum.at, 'latin1');
  return [header, content, Buffer.alloc(wholeBlocks(content.length) - content.length)];
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

function textAt(bytes: Buffer, { at, bytes: length }: { readonly at: number; readonly bytes: number }): string {
  return bytes.toString('latin1', at, at + length).replace(/\0.*$/s, '');
}
