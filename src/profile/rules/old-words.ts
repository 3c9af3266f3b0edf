import type { Path } from '../document/tree.js';
import { quotedWhereNeeded } from '../words/names.js';
import { type Broken, itemsOf, keysOf, valueAt } from './types.js';

/**
 * Words of a profile that there were, each answered with what took its place. Where one is found, nothing else is said of
 * the section that it stands in.
 */
export function oldWords(data: unknown): Broken[] {
  return [...seedList(data), ...seedStores(data), ...pool(data), ...cleanupRows(data), ...caches(data), ...lookup(data)];
}

function say(path: Path, message: string): Broken {
  return { path, on: 'key', message };
}

function seedList(data: unknown): Broken[] {
  const steps = itemsOf(data, 'seed');
  if (steps.length === 0) return [];
  const [first] = steps;
  const name = String(valueAt(first, 'table') ?? 'users');
  const like = valueAt(first, 'table') === undefined ? `logins: {key: ${keyOf(first)}, …}` : `${name}: {table: ${tableOf(first)}, …}`;
  return [say(['seed'], `\`seed\` is a map of named sets: write \`${like}\` in place of each item of the list`)];
}

function seedStores(data: unknown): Broken[] {
  return keysOf(data, 'seed').flatMap((name) => {
    const set = valueAt(data, 'seed', name);
    const word = ['store', 'schema'].find((each) => valueAt(set, each) !== undefined);
    if (word === undefined || Array.isArray(valueAt(data, 'seed'))) return [];
    const instead = valueAt(set, 'table') === undefined ? `key: ${keyOf(set)}` : `table: ${tableOf(set)}`;
    return [say(['seed', name, word], `\`${word}\` is part of the name: write \`${instead}\``)];
  });
}

function pool(data: unknown): Broken[] {
  const word = ['count', 'id'].find((each) => valueAt(data, 'users', each) !== undefined);
  if (word === undefined) return [];
  if (valueAt(data, 'users', 'strategy') === 'bypass')
    return [say(['users', word], `remove \`${word}\`: a seeded set has as many users as its \`rows\``)];
  return [say(['users', word], `\`${word}\` is the set’s to say: write \`from: users.id\`, a column of a set under \`seed\``)];
}

function cleanupRows(data: unknown): Broken[] {
  return itemsOf(data, 'cleanup', 'rows').flatMap((entry, index): Broken[] => {
    const path = ['cleanup', 'rows', index];
    const store = valueAt(entry, 'store');
    if (valueAt(entry, 'range') !== undefined)
      return [
        say([...path, 'range'], 'numbers are found by the set that seeds them: `in: SET.COLUMN`, with `{n+900000000}` in that column'),
      ];
    if (store !== undefined)
      return [say([...path, 'store'], `\`store\` is part of the table’s name: write \`table: ${tableOf(entry)}\`${viaOf(entry)}`)];
    return [];
  });
}

/** The line that an old entry of `via` becomes, after the table. */
function viaOf(entry: unknown): string {
  const via = valueAt(entry, 'via');
  return typeof via === 'string' ? `, \`via: ${String(valueAt(entry, 'store'))}.${via}\`` : '';
}

function caches(data: unknown): Broken[] {
  const entries = itemsOf(data, 'cleanup', 'caches');
  const found = entries.map((entry) => {
    const store = String(valueAt(entry, 'store') ?? 'cache');
    const keys = valueAt(entry, 'keys');
    if (typeof keys === 'string') return `{match: "${store}/${keys}"}`;
    if (valueAt(entry, 'members') !== undefined)
      return `{key: "${store}/${String(valueAt(entry, 'key') ?? '…')}", members: "${String(valueAt(entry, 'members'))}"}`;
    return valueAt(entry, 'flush') === 'everything' ? `{flush: ${store}, everything: true}` : `{flush: ${store}}`;
  });
  if (valueAt(data, 'cleanup', 'caches') === undefined) return storesOfKeys(data);
  return [say(['cleanup', 'caches'], `\`caches\` is called \`keys\`${found.length === 0 ? '' : `: \`keys: [${found.join(', ')}]\``}`)];
}

function storesOfKeys(data: unknown): Broken[] {
  return itemsOf(data, 'cleanup', 'keys').flatMap((entry, index) => {
    const store = valueAt(entry, 'store');
    if (store === undefined) return [];
    const key = valueAt(entry, 'key') ?? valueAt(entry, 'match') ?? valueAt(entry, 'keys') ?? valueAt(entry, 'pattern') ?? '…';
    const word = valueAt(entry, 'key') === undefined ? 'match' : 'key';
    const instead = valueAt(entry, 'flush') === undefined ? `${word}: "${String(store)}/${String(key)}"` : `flush: ${String(store)}`;
    return [say(['cleanup', 'keys', index, 'store'], `\`store\` is part of the key: write \`${instead}\``)];
  });
}

function lookup(data: unknown): Broken[] {
  const table = valueAt(data, 'target', 'lookup', 'table');
  return table === undefined ? [] : [say(['target', 'lookup', 'table'], `\`table\` is called \`set\`: the name of a set under \`seed\``)];
}

function tableOf(entry: unknown): string {
  const parts = ['store', 'schema', 'table'].map((word) => valueAt(entry, word)).filter((part) => part !== undefined);
  return parts.map((part) => String(part).split('.').map(quotedWhereNeeded).join('.')).join('.');
}

function keyOf(entry: unknown): string {
  return `"${String(valueAt(entry, 'store') ?? 'cache')}/${String(valueAt(entry, 'key') ?? 'user:{n}')}"`;
}
