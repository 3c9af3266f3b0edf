import { createHash } from 'node:crypto';

/** A name of so many bytes at most: a longer one is cut, and ends in a hash, so that two that begin alike stay two. */
export function cutApart(name: string, mostBytes: number): string {
  // Longer in characters is longer in bytes, and three bytes are the most for one of them.
  if (name.length * 3 <= mostBytes) return name;
  const bytes = Buffer.from(name);
  if (bytes.length <= mostBytes) return bytes.toString();
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const begin = bytes.subarray(0, mostBytes - 24).toString();
  return `${begin.replace(/\uFFFD+$/, '')}… ${hash}`;
}
