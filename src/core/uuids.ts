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

/** How many hex digits of a UUID carry a number, the last ones: numbers below 2^48. */
const carrying = 12;

/**
 * The UUID of a number, version 8. Its first 20 digits are a hash of the number; the last 12 are the number itself, under a
 * mask that is a hash of those 20. So the number can be read back, and no other UUID has this form: 74 bits are a check.
 */
export function uuidOf(salt: string, n: number): string {
  const d = sha256Hex(`${salt}${n}`);
  const variant = '89ab'[Number.parseInt(d.slice(16, 17), 16) & 3];
  const head = `${d.slice(0, 12)}8${d.slice(13, 16)}${variant}${d.slice(17, 20)}`;
  const digits = head + masked(n.toString(16).padStart(carrying, '0'), maskOf(salt, head));
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

/** The number that a UUID would carry if it is one of {@link uuidOf}; only making it again tells whether it is. */
export function numberIn(salt: string, uuid: string): number {
  const digits = uuid.replaceAll('-', '');
  return Number.parseInt(masked(digits.slice(-carrying), maskOf(salt, digits.slice(0, -carrying))), 16);
}

function maskOf(salt: string, head: string): string {
  return sha256Hex(`${salt}${head}`).slice(0, carrying);
}

/** Both exclusive-or'ed, in halves that a 32-bit operation takes. */
function masked(digits: string, mask: string): string {
  const half = (from: number) => {
    const [one, other] = [digits, mask].map((text) => Number.parseInt(text.slice(from, from + 6), 16)) as [number, number];
    return (one ^ other).toString(16).padStart(6, '0');
  };
  return half(0) + half(6);
}
