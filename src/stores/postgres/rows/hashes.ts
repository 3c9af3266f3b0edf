import { createHash } from 'node:crypto';
import type { shardHashes } from '../../../profile/sections/stores.js';

type HashName = (typeof shardHashes)[number];

/** Hashes of a text's UTF-8 bytes, as unsigned numbers of 32 bits: what a target may choose a shard by. */
export const hashes: Readonly<Record<HashName, (text: string) => number>> = {
  crc32: (text) => crc32(Buffer.from(text)),
  fnv1a: (text) => fnv1a(Buffer.from(text)),
  murmur3: (text) => murmur3(Buffer.from(text)),
  /** The first four bytes of the digest, the first one counting most. */
  md5: (text) => createHash('md5').update(text).digest().readUInt32BE(0),
};

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as zlib, PNG and Ethernet have it (reflected, polynomial 0x04c11db7). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** FNV-1a, 32 bits (draft-eastlake-fnv). */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** MurmurHash3_x86_32 with the seed 0 (Austin Appleby's smhasher). */
function murmur3(bytes: Buffer): number {
  const mix = (block: number) => Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) hash = (Math.imul(rotate(hash ^ mix(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0;
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] ?? 0);
  hash ^= mix(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
