import type { CleanupCache } from '../../profile/schema.js';
import { patternOf, pieceReader } from '../pieces.js';
import type { StoreTask } from '../types.js';
import { isEntryStep } from './entries.js';

/**
 * Whether a key in the test database is one that this profile makes: it fits the key of a seed step with any number for
 * `{n}`, a `keys` pattern of the cleanup, or a part of it begins with the prefix of the test's ids.
 */
export function knownKeys(task: StoreTask): (key: string) => boolean {
  const seeded = task.seed.filter(isEntryStep).map(({ key }) => whole(patternOf(pieceReader(null as never).text(key, 'key'), literal)));
  const patterns = task.caches.flatMap((cache: CleanupCache) => ('keys' in cache ? [whole(globSource(cache.keys))] : []));
  const prefixed = task.prefix === undefined ? [] : [new RegExp(`(?<![A-Za-z0-9])${literal(task.prefix)}`, 'u')];
  const all = [...seeded, ...patterns, ...prefixed];
  return (key) => all.some((pattern) => pattern.test(key));
}

/** What a Redis glob means, as the source of a regular expression: `*`, `?`, `[a-z]`, `[^a]`, `\` before a character. */
export function globSource(glob: string): string {
  return glob.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]])*)\]|[\s\S]/gu,
    (part, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined)
        return set === '' ? '(?!)' : `[${not}${set.replace(/\\?([\s\S])/gu, (_, one: string) => (one === '-' ? one : literal(one)))}]`;
      if (part === '*') return '[\\s\\S]*';
      return part === '?' ? '[\\s\\S]' : literal(part);
    },
  );
}

function whole(source: string): RegExp {
  return new RegExp(`^(?:${source})$`, 'u');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
