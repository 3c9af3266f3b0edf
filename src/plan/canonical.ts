import { createHash, scryptSync } from 'node:crypto';
import { isRecord } from '../core/own.js';

/** The sha256 of a value, in hex: the same for the same content, whatever the order of its keys. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * Tells texts apart that may be secret: like {@link contentHash}, but each guess at one takes an attacker tens of
 * milliseconds and 16 MB. None for none.
 */
export function fingerprint(texts: Readonly<Record<string, string>>): string | undefined {
  if (Object.keys(texts).length === 0) return undefined;
  return scryptSync(canonicalJson(texts), 'loadctl plan', 32).toString('hex');
}

/** JSON with sorted keys and without spaces; what is undefined is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (isRecord(inner) ? sorted(inner) : inner)) ?? 'null';
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
