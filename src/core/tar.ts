/** A block of a tar file. */
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

/** One entry of a tar file: its header, which may be another one's extension, and what it holds. */
export interface TarEntry {
  readonly header: Buffer;
  readonly name: string;
  readonly isLink: boolean;
  readonly content: Buffer;
  /** All of it, as it stands in the file. */
  readonly whole: Buffer;
}

/** Whether a file begins as a tar file does. */
export function looksLikeTar(start: Buffer): boolean {
  return start.length >= blockBytes && textAt(start, field.magic).startsWith('ustar');
}

/** Up to the end of the file, which is a block of zeros. */
export function* tarEntries(file: Buffer): Generator<TarEntry> {
  for (let at = 0; at + blockBytes <= file.length; ) {
    const header = file.subarray(at, at + blockBytes);
    if (header[0] === 0) return;
    const size = Number.parseInt(textAt(header, field.size), 8) || 0;
    const content = file.subarray(at + blockBytes, at + blockBytes + size);
    const whole = file.subarray(at, at + blockBytes + wholeBlocks(size));
    yield { header, name: textAt(header, field.name), isLink: textAt(header, field.type) === '1', content, whole };
    at += whole.length;
  }
}

/** What ends a tar file. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

/** A file as an entry; its name has at most 100 bytes. */
export function newTarEntry(name: string, content: string | Buffer): Buffer[] {
  const header = Buffer.alloc(blockBytes);
  header.write(name, field.name.at, 'utf8');
  header.write('0000644\0', field.mode.at, 'latin1');
  header.write('00000000000\0', field.modified.at, 'latin1');
  header.write('0', field.type.at, 'latin1');
  header.write('ustar\x0000', field.magic.at, 'latin1');
  return rewrittenTarEntry(header, Buffer.from(content));
}

/** The header of a link as that of a file of the same name. */
export function asTarFile(link: Buffer): Buffer {
  const header = Buffer.from(link);
  header.write('0', field.type.at, 'latin1');
  header.fill(0, field.linkName.at, field.linkName.at + field.linkName.bytes);
  header.write('0000644\0', field.mode.at, 'latin1');
  return header;
}

/** An entry with another content. */
export function rewrittenTarEntry(old: Buffer, content: Buffer): Buffer[] {
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
