import type { Redact } from '../core/secrets.js';

const blockBytes = 512;
const sizeField = { at: 124, digits: 11 };
const checksumField = { at: 148, bytes: 8 };

/** What k6 and loadctl wrote into an archive: the options as they came out, and the main script, which is loadctl's wrapper. */
const writtenByUs: readonly string[] = ['metadata.json', 'data'];

/**
 * A k6 archive as it may be kept: where options hold secrets, from the profile or from the script's environment, it
 * says `[redacted]`. The user's own files are as they were.
 */
export function archiveToKeep(archive: Buffer, redact: Redact): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < archive.length; ) {
    const header = archive.subarray(at, at + blockBytes);
    const size = Number.parseInt(textAt(header, sizeField.at, sizeField.digits), 8) || 0;
    const end = at + blockBytes + size;
    const next = at + blockBytes + wholeBlocks(size);
    const content = archive.toString('utf8', at + blockBytes, end);
    const clean = writtenByUs.includes(textAt(header, 0, 100)) ? redactStrings(content, redact) : content;
    kept.push(...(clean === content ? [archive.subarray(at, next)] : entry(header, Buffer.from(clean))));
    at = next;
  }
  return Buffer.concat(kept);
}

/** Texts in double quotes only: what else there is is no value of ours, and a secret may be spelled like a word of it. */
function redactStrings(text: string, redact: Redact): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"/g, (quoted) => {
    const value: unknown = JSON.parse(quoted);
    const clean = typeof value === 'string' ? redact(value) : value;
    return clean === value ? quoted : JSON.stringify(clean);
  });
}

function entry(old: Buffer, content: Buffer): Buffer[] {
  const header = Buffer.from(old);
  header.write(content.length.toString(8).padStart(sizeField.digits, '0'), sizeField.at, 'latin1');
  header.fill(' ', checksumField.at, checksumField.at + checksumField.bytes);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, checksumField.at, 'latin1');
  return [header, content, Buffer.alloc(wholeBlocks(content.length) - content.length)];
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length).replace(/\0.*$/s, '');
}
