import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that says who calls. */
export const idHeader = 'X-User-Id';

/** The header that proves that a virtual user's id was made by somebody who holds the environment's key. */
export const signatureHeader = 'X-Load-Test-Signature';

/** What every virtual user's id begins with. Anybody can guess it, so it alone lets nobody in. */
export const virtualUserPrefix = 'load-test-user-';

/** How far ahead an expiry may lie, in seconds: a leaked signature dies within a day. */
export const defaultMaxTtl = 24 * 60 * 60;

/** Fewer bytes could be found by trying. */
export const minimumKeyBytes = 32;

/** Why a caller was not let through; for logs, never for the caller. */
export type Refusal =
  | 'not-a-virtual-user'
  | 'no-signature'
  | 'malformed'
  | 'unknown-version'
  | 'wrong-signature'
  | 'expired'
  | 'too-far-ahead';

/** What the check found. */
export type BypassResult = { readonly ok: true } | { readonly ok: false; readonly reason: Refusal };

/** What is checked. */
export interface BypassClaim {
  /** The caller's id. */
  readonly id: string;
  /** The signature header's value; undefined or empty where there is none. */
  readonly header: string | undefined;
  /** The environment's key: at least 32 bytes of UTF-8. */
  readonly key: string;
  /** Now, in unix seconds. */
  readonly now: number;
  /** How far ahead an expiry may lie, in seconds; {@link defaultMaxTtl} where it is missing. */
  readonly maxTtl?: number | undefined;
}

// A closed set of characters: no id can hold the line break that separates the parts of the signed text.
const virtualUserId = /^load-test-user-[A-Za-z0-9_.-]{1,128}$/;
const anySignature = /^v\d+\./;
const signature = /^v1\.([1-9]\d{0,11})\.([0-9a-f]{64})$/;

/** Whether `id` is one that only a load test may use. */
export function isVirtualUser(id: string): boolean {
  return id.startsWith(virtualUserPrefix);
}

/** Throws a RangeError for a key that is too short to be safe. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key, 'utf8');
  if (bytes < minimumKeyBytes)
    throw new RangeError(`the bypass key has ${bytes} bytes; it needs ${minimumKeyBytes} or more: openssl rand -hex 32`);
}

/** Whether a virtual user may pass without being looked up: `v1.<expiry>.<HMAC-SHA256 of "v1\n<id>\n<expiry>">`. */
export function verifyBypass({ id, header, key, now, maxTtl = defaultMaxTtl }: BypassClaim): BypassResult {
  checkKey(key);
  if (!virtualUserId.test(id)) return refuse('not-a-virtual-user');
  if (header === undefined || header === '') return refuse('no-signature');
  const [, expiry, given] = signature.exec(header) ?? [];
  if (expiry === undefined || given === undefined) {
    return refuse(anySignature.test(header) && !header.startsWith('v1.') ? 'unknown-version' : 'malformed');
  }
  if (!timingSafeEqual(digest(id, expiry, key), Buffer.from(given, 'hex'))) return refuse('wrong-signature');
  if (Number(expiry) <= now) return refuse('expired');
  return Number(expiry) > now + maxTtl ? refuse('too-far-ahead') : { ok: true };
}

/** The header's value for `id` until `expires` (unix seconds). */
export function signBypass(id: string, expires: number, key: string): string {
  checkKey(key);
  return `v1.${expires}.${digest(id, String(expires), key).toString('hex')}`;
}

function digest(id: string, expiry: string, key: string): Buffer {
  return createHmac('sha256', key).update(`v1\n${id}\n${expiry}`).digest();
}

function refuse(reason: Refusal): BypassResult {
  return { ok: false, reason };
}
