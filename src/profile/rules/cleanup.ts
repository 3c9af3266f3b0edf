import { own } from '../../core/own.js';
import type { Path } from '../document/tree.js';
import type { CleanupKeys, CleanupRows, Profile, Store } from '../sections/schema.js';
import type { Sets } from '../templates/sets.js';
import { setColumnText, tableText } from '../words/names.js';
import { allOf, didYouMean } from '../words/near.js';
import { type PatternPart, readPattern } from '../words/template.js';
import { readableColumn, tableSet } from './sets.js';
import type { Broken, Checked, Rule } from './types.js';

/** Cleanup reaches what it names, and nothing that is not the test's. */
export const cleanupRule: Rule = ({ profile: { cleanup, stores, seed = {} } }: Checked) => {
  if (!cleanup) return [];
  const { rows, keys, prefix } = cleanup;
  return [
    ...rows.flatMap((entry, index) => rowsEntry(seed, rows, { entry, index })),
    ...keys.flatMap((entry, index) => keysEntry({ seed, prefix, stores: stores ?? {} }, entry, index)),
  ];
};

type Rows = NonNullable<Profile['cleanup']>['rows'];

function rowsEntry(seed: Sets, rows: Rows, { entry, index }: { readonly entry: CleanupRows; readonly index: number }): Broken[] {
  const path = ['cleanup', 'rows', index];
  if ('in' in entry) return readableColumn(seed, entry.in, [...path, 'in']);
  if ('via' in entry) return via(seed, rows, { entry, index });
  return 'uuid' in entry ? ownNamespace(seed, entry.uuid, [...path, 'uuid']) : [];
}

/** `uuid` is for what a script makes: the UUIDs of a set are found by the set. */
function ownNamespace(seed: Sets, namespace: string, path: Path): Broken[] {
  const meant = Object.keys(seed).find((set) => set === namespace || namespace.startsWith(`${set}.`));
  if (meant === undefined) return [];
  const column = namespace === meant ? `${meant}.id` : namespace;
  return [
    {
      path,
      message: `\`uuid: ${namespace}\` is for UUIDs that the script makes; rows of the set \`${meant}\` are found by \`in: ${column}\``,
    },
  ];
}

type Via = { readonly entry: Extract<CleanupRows, { via: unknown }>; readonly index: number };

function via(seed: Sets, rows: Rows, { entry, index }: Via): Broken[] {
  const path = ['cleanup', 'rows', index, 'via'];
  if ('set' in entry.via) return viaSet(seed, rows, { entry, index }, path);
  const wanted = tableText(entry.via);
  const listed = (list: Rows) => list.map((each) => tableText(each));
  const earlier = listed(rows.slice(0, index));
  if (earlier.includes(wanted)) return [];
  if (listed(rows.slice(index + 1)).includes(wanted))
    return [{ path, message: `expected \`${wanted}\` to be listed further up, before what refers to it` }];
  const list = earlier.length === 0 ? 'none is' : `${allOf(earlier)} ${earlier.length === 1 ? 'is' : 'are'}`;
  return [
    {
      path,
      message: `expected a table that is listed further up (${list}) or a set, not \`${wanted}\`${didYouMean(wanted, [...earlier, ...Object.keys(seed)])}`,
    },
  ];
}

function viaSet(seed: Sets, rows: Rows, { entry, index }: Via, path: Path): Broken[] {
  const name = 'set' in entry.via ? entry.via.set : '';
  const unknown = tableSet(seed, name, path);
  const set = own(seed, name);
  if (unknown.length === 0)
    return set?.store === entry.store
      ? []
      : [{ path, message: `expected a set of the store \`${entry.store}\`; \`${name}\` is seeded into \`${set?.store}\`` }];
  const table = rows.slice(0, index).find((each) => each.table === name);
  return table === undefined ? unknown : [{ path, message: `expected a store and a table: \`via: ${tableText(table)}\`` }];
}

interface Around {
  readonly seed: Sets;
  readonly prefix: string;
  readonly stores: Readonly<Record<string, Store>>;
}

function keysEntry({ seed, prefix, stores }: Around, entry: CleanupKeys, index: number): Broken[] {
  const path = ['cleanup', 'keys', index];
  if ('flush' in entry) return flush(own(stores, entry.store), entry, path);
  const [word, text] = 'match' in entry ? (['match', entry.match] as const) : (['members', entry.members] as const);
  const at = [...path, word];
  const parts = readPattern(text);
  const where = 'match' in entry && entry.where !== undefined ? readableColumn(seed, entry.where.in, [...path, 'where', 'in']) : [];
  const named = parts.flatMap((part) =>
    part.kind === 'ref' ? readableColumn(seed, part, at) : part.kind === 'uuids' ? ownNamespace(seed, part.namespace, at) : [],
  );
  if (named.length > 0) return [...named, ...where];
  const swallowed = swallowedHole(parts);
  if (swallowed !== undefined) return [{ path: at, message: swallowed }, ...where];
  const isNarrow = entry.everything === true || ('match' in entry && entry.where !== undefined) || holdsOurs(parts, prefix);
  return isNarrow ? where : [{ path: at, message: broad(word, seed, prefix) }, ...where];
}

/** What stands in a set of characters, or behind an escape, is no name there but single characters. */
function swallowedHole(parts: readonly PatternPart[]): string | undefined {
  const at = parts.findIndex(({ kind }) => kind !== 'text');
  const hole = parts[at];
  if (hole === undefined || hole.kind === 'text') return undefined;
  const rest = textBefore(parts.slice(0, at)).replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/gs, '');
  if (!/[[\\]/.test(rest)) return undefined;
  const shown = hole.kind === 'ref' ? `{${setColumnText(hole)}}` : `{uuid:${hole.namespace}}`;
  return `expected \`${shown}\` outside of \`[…]\` and not behind \`\\\`: there it would name nothing`;
}

function textBefore(parts: readonly PatternPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function broad(word: string, seed: Sets, prefix: string): string {
  const set = Object.entries(seed).find(([, each]) => 'table' in each);
  const example =
    set === undefined
      ? ''
      : ` or a column of a set such as \`{${setColumnText({ set: set[0], column: Object.keys('table' in set[1] ? set[1].columns : {})[0] ?? 'id' })}}\``;
  return `expected \`${prefix}\`${example} in the pattern: without it, it may fit what is not the test’s (\`everything: true\` beside \`${word}\` accepts that)`;
}

/** One column of a set, or one namespace, or the prefix as it stands: not in a set of characters, and not escaped. */
function holdsOurs(parts: readonly PatternPart[], prefix: string): boolean {
  const held = parts.filter(({ kind }) => kind !== 'text').length;
  if (held > 0) return held === 1;
  return textBefore(parts)
    .split(/\\.|\[(?:\\.|[^\]])*\]?|[*?]/s)
    .some((plain) => plain.includes(prefix));
}

function flush(store: Store | undefined, { store: name }: { readonly store: string }, path: Path): Broken[] {
  const at = [...path, 'flush'];
  if (store?.kind !== 'redis') return [];
  if (store.cluster) return [{ path: at, message: `a cluster is never flushed; write \`match: "${name}/user:load-test-user-*"\` instead` }];
  if (store.testDatabase !== undefined) return [];
  return [
    {
      path: at,
      message: `\`flush\` needs \`stores.${name}.testDatabase\`: the one index that may be flushed`,
      lacks: [['stores', name, 'testDatabase']],
    },
  ];
}
