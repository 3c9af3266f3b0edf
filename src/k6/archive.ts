import { redactForeign } from '../core/redact-data.js';
import type { Redactor } from '../core/redactor.js';

const blockBytes = 512;
const sizeField = { at: 124, digits: 11 };
const checksumField = { at: 148, bytes: 8 };

/**
 * A k6 archive as it may be kept: where options hold secrets, from the profile or from the script's environment, it
 * says `[redacted]`. The user's own files are as they were.
 */
export function archiveToKeep(archive: Buffer, redact: Redactor): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < archive.length; ) {
    const header = archive.subarray(at, at + blockBytes);
    const size = Number.parseInt(textAt(header, sizeField.at, sizeField.digits), 8) || 0;
    const end = at + blockBytes + size;
    const next = at + blockBytes + wholeBlocks(size);
    const content = archive.toString('utf8', at + blockBytes, end);
    const clean = cleaned(textAt(header, 0, 100), content, redact);
    kept.push(...(clean === content ? [archive.subarray(at, next)] : entry(header, Buffer.from(clean))));
    at = next;
  }
  return Buffer.concat(kept);
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
