import type { SeedEntries } from '../sections/schema.js';
import { inverseOf, rowOf } from '../templates/inverse.js';
import { type Pieces, pieceReader, render } from '../templates/pieces.js';
import { referencesOf, rowSource, type Sets } from '../templates/sets.js';
import { references } from './sets.js';
import type { Broken, Rule } from './types.js';

/** A set of entries with what its keys are made of. */
interface Keyed {
  readonly name: string;
  readonly set: SeedEntries;
  readonly pieces: Pieces;
}

/** Two sets do not make one key: the second would find the first one's entry, and take it for somebody else's. */
export const sameKeysRule: Rule = ({ profile: { seed = {} } }) => {
  const sets = keyed(seed);
  return sets.flatMap((set, index) => sets.slice(0, index).flatMap((other) => clash(set, other)));
};

function keyed(seed: Sets): Keyed[] {
  return Object.entries(seed).flatMap(([name, set]): Keyed[] => {
    if ('table' in set || references(seed, referencesOf(set), []).length > 0) return [];
    return [{ name, set, pieces: pieceReader(rowSource(seed, set, '')).text(set.key, 'key') }];
  });
}

function clash(one: Keyed, other: Keyed): Broken[] {
  if (one.set.store !== other.set.store) return [];
  const key = sharedKey(one, other) ?? sharedKey(other, one);
  if (key === undefined) return [];
  return [{ path: ['seed', one.name, 'key'], message: `expected keys of its own; the set \`${other.name}\` makes \`${key}\` too` }];
}

/** The first or the last key of a set that is one of another set's, too. */
function sharedKey({ set, pieces }: Keyed, other: Keyed): string | undefined {
  const inverse = inverseOf(other.pieces, other.set.rows);
  const isOther = (key: string) => (inverse === undefined ? render(other.pieces, 1) === key : rowOf(inverse, key) !== undefined);
  return [1, set.rows].map((n) => render(pieces, n)).find(isOther);
}
