import { type Pieces, readPieces, render } from '../../pieces.js';
import type { StoreTask } from '../../types.js';
import { isEntryStep } from '../entries.js';
import { globMatcher } from './glob.js';

/**
 * Whether a key in the test database is one that this profile makes: a part of it begins with the prefix of the test's
 * ids, it fits a `keys` pattern of the cleanup, or it is the key of a seed step with some number for `{n}`.
 */
export function knownKeys({ prefix, caches, seed }: StoreTask): (key: Buffer) => boolean {
  const prefixed = prefix === undefined ? undefined : new RegExp(`(?<![A-Za-z0-9])${literal(prefix)}`, 'u');
  const globs = caches.flatMap((cache) => ('keys' in cache ? [globMatcher(cache.keys)] : []));
  const templates = seed.filter(isEntryStep).map(({ key }) => readPieces(key));
  return (key) => {
    const text = key.toString();
    return (prefixed?.test(text) ?? false) || globs.some((fits) => fits(key)) || templates.some((template) => isOneOf(template, text));
  };
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Whether a template makes this text for some row: one whose number is to be seen in it. */
function isOneOf(template: Pieces, text: string): boolean {
  return [...numbersIn(text)].some((n) => render(template, n) === text) || render(template, 1) === text;
}

const mostDigits = 15;

/** Every number that can be read in a text, part of a longer one or not. */
function* numbersIn(text: string): Generator<number> {
  for (const { 0: digits } of text.matchAll(/\d+/g)) {
    for (let from = 0; from < digits.length; from++) {
      for (let to = from + 1; to <= Math.min(digits.length, from + mostDigits); to++) yield Number(digits.slice(from, to));
    }
  }
}
