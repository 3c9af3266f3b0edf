import type { StoreTask } from '../../kind/types.js';
import { patternOf } from '../../templates/pieces.js';
import { isEntryStep, keyPieces } from './entries.js';
import { globMatcher } from './glob.js';
import { literal } from './literal.js';

/**
 * Whether a key in the test database is one that this profile makes: a part of it begins with the prefix of the test's
 * ids, it fits a `keys` pattern of the cleanup, or it fits the key of a seed step, whatever its templates come to.
 */
export function knownKeys(task: StoreTask): (key: Buffer) => boolean {
  const prefixed = task.prefix === undefined ? [] : [new RegExp(`(?<![A-Za-z0-9])${literal(task.prefix)}`, 'u')];
  const seeded = task.seed.filter(isEntryStep).map((step) => {
    const pattern = patternOf(keyPieces(step, task.source(step)), literal);
    return new RegExp(`^(?:${pattern})$`, 'u');
  });
  const globs = task.caches.flatMap((cache) => ('keys' in cache ? [globMatcher(cache.keys)] : []));
  return (key) => {
    const text = key.toString();
    return [...prefixed, ...seeded].some((pattern) => pattern.test(text)) || globs.some((fits) => fits(key));
  };
}
