import type { Path } from '../document/tree.js';
import { readKey, readTableName } from '../words/names.js';
import { allOf, didYouMean } from '../words/near.js';
import { type Broken, itemsOf, keysOf, type Rule, valueAt } from './types.js';

/** A place where a store is named, and of what kind it has to be there. */
interface Named {
  readonly path: Path;
  readonly name: string;
  readonly kind?: 'postgres' | 'redis';
}

/** Every store that is named exists and is of the kind that the words around the name need. */
export const storeNamesRule: Rule = ({ data }) => {
  const sets = keysOf(data, 'seed').flatMap((set) => [
    ...tableAt(data, ['seed', set, 'table']),
    ...keyAt(data, ['seed', set, 'key'], ['seed', set, 'table']),
  ]);
  const rows = itemsOf(data, 'cleanup', 'rows').flatMap((_, index) =>
    ['table', 'via'].flatMap((word) => tableAt(data, ['cleanup', 'rows', index, word])),
  );
  const keys = itemsOf(data, 'cleanup', 'keys').flatMap((_, index) => [
    ...keyAt(data, ['cleanup', 'keys', index, 'match']),
    ...keyAt(data, ['cleanup', 'keys', index, 'key']),
    ...nameAt(data, ['cleanup', 'keys', index, 'flush'], 'redis'),
  ]);
  const shared = itemsOf(data, 'guards', 'sharedStores').flatMap((_, index) => nameAt(data, ['guards', 'sharedStores', index]));
  return [...sets, ...rows, ...keys, ...shared].flatMap((named) => check(data, named));
};

function tableAt(data: unknown, path: Path): Named[] {
  const text = valueAt(data, ...path);
  const found = typeof text === 'string' ? readTableName(text) : undefined;
  return found === undefined ? [] : [{ path, name: found.store, kind: 'postgres' }];
}

/** In a set of rows `key` is a column. */
function keyAt(data: unknown, path: Path, unless: Path = []): Named[] {
  const text = valueAt(data, ...path);
  if (typeof text !== 'string' || (unless.length > 0 && valueAt(data, ...unless) !== undefined)) return [];
  const found = readKey(text);
  return found === undefined ? [] : [{ path, name: found.store, kind: 'redis' }];
}

function nameAt(data: unknown, path: Path, kind?: Named['kind']): Named[] {
  const name = valueAt(data, ...path);
  return typeof name === 'string' ? [{ path, name, ...(kind === undefined ? {} : { kind }) }] : [];
}

function check(data: unknown, { path, name, kind }: Named): Broken[] {
  const known = keysOf(data, 'stores');
  if (!known.includes(name)) {
    const list = known.length === 0 ? 'the profile has none' : `\`stores\` has ${allOf(known)}`;
    return [{ path, message: `unknown store \`${name}\`; ${list}${didYouMean(name, known)}` }];
  }
  const actual = valueAt(data, 'stores', name, 'kind');
  if (kind === undefined || actual === kind || (actual !== 'postgres' && actual !== 'redis')) return [];
  return [{ path, message: `expected a ${kind} store; \`${name}\` is ${actual}` }];
}
