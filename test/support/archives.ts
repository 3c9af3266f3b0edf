import { buffer } from 'node:stream/consumers';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** An entry of an archive that a test makes, honest or not. */
export interface MadeEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly link?: 'symlink' | 'link';
  /** Of zip: says that it is encrypted. */
  readonly encrypted?: true;
  /** Of zip: says that it has so many bytes. */
  readonly says?: number;
}

/** A `.tar.gz` of these entries. */
export async function tarOf(entries: readonly MadeEntry[]): Promise<Buffer> {
  const packed = pack();
  for (const { name, content = '', link } of entries) {
    if (link === undefined) packed.entry({ name }, content);
    else packed.entry({ name, type: link, linkname: '/etc/passwd' });
  }
  packed.finalize();
  return gzipSync(await buffer(packed));
}

/** A zip file (PKWARE's APPNOTE, 4.3) of these entries, as UNIX packs them. */
export function zipOf(entries: readonly MadeEntry[]): Buffer {
  const [locals, centrals]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const { name, content = '', link, encrypted, says } of entries) {
    const plain = Buffer.from(content);
    const packed = deflateRawSync(plain);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(encrypted ? 1 : 0, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(says ?? plain.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((link === undefined ? 0o100644 : 0o120777) << 16) >>> 0, 6);
    tail.writeUInt32LE(at, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    locals.push(local);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, tail, Buffer.from(name)]));
    at += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}
