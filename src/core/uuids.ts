import { createHash } from 'node:crypto';

/** The sha256 of a text, in hex. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * How every UUID of a namespace begins: `9f86d081-884c-8`. They are of version 8 (RFC 9562, section 5.8: the bits are ours to
 * choose): 48 bits tell the namespace, and no UUID of another version, random or of time, is ever among them.
 */
export function uuidPrefix(namespace: string): string {
  const digits = sha256Hex(`loadctl ${namespace}`);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8`;
}

/** The first and the last UUID of a namespace. */
export function uuidRange(namespace: string): { readonly low: string; readonly high: string } {
  const prefix = uuidPrefix(namespace);
  return { low: `${prefix}000-0000-000000000000`, high: `${prefix}fff-ffff-ffffffffffff` };
}

/** 32 hex digits of chance as a UUID: of the namespace, or else of version 4. */
export function uuidFrom(digits: string, namespace: string | undefined): string {
  const begin = namespace === undefined ? `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4` : uuidPrefix(namespace);
  const variant = '89ab'[Number.parseInt(digits.slice(16, 17), 16) & 3];
  return `${begin}${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
