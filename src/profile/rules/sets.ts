import { own } from '../../core/own.js';
import type { Path } from '../document/tree.js';
import type { SeedEntries, SeedTable, Store } from '../sections/schema.js';
import type { SeedStep, SeedValue } from '../sections/seed.js';
import { isVolatile, pieceReader } from '../templates/pieces.js';
import { columnInverse, entryTexts, keyInverse, referencesIn, rowSource, type Sets, setValue, textsIn } from '../templates/sets.js';
import { type SetColumn, setColumnText } from '../words/names.js';
import { allOf, didYouMean } from '../words/near.js';
import { readTemplate, templateProblem } from '../words/template.js';
import type { Broken, Rule } from './types.js';

/** Seeded rows can be told apart, find their shard, and refer to columns that are seeded, too. */
export const setsRule: Rule = ({ profile: { seed = {}, stores } }) =>
  Object.entries(seed).flatMap(([name, set]) => {
    const path = ['seed', name];
    const alone =
      'table' in set
        ? rows(set, path, own(stores ?? {}, set.store))
        : [...entries(seed, set, path), ...shape(set, path), ...lifetime(set, path)];
    return [...alone, ...templates(set, path).flatMap(([texts, at]) => references(seed, referencesIn(texts), at))];
  });

/** The texts of a set in which templates are filled, each with its place. */
function templates(set: SeedStep, path: Path): [texts: string[], at: Path][] {
  if ('table' in set) return Object.entries(set.columns).map(([column, value]) => [textsIn(value), [...path, 'columns', column]]);
  return [
    [[set.key], [...path, 'key']],
    [entryTexts(set), [...path, 'value']],
  ];
}

/** The same for the request that asks the target for a seeded user, and for the pool. */
export const poolRule: Rule = ({ profile: { seed = {}, target, users } }) => {
  const { lookup } = target ?? {};
  const asked = lookup === undefined ? [] : referencesIn([lookup.path, ...Object.values(lookup.headers)]);
  const unknown = lookup?.set === undefined ? [] : tableSet(seed, lookup.set, ['target', 'lookup', 'set']);
  const pool = users?.strategy === 'pool' ? poolColumn(seed, users.from) : [];
  return [...references(seed, asked, ['target', 'lookup']), ...unknown, ...pool];
};

/** A column that a script can make itself: of plain text, numbers and UUIDs. */
function poolColumn(seed: Sets, column: SetColumn): Broken[] {
  const path = ['users', 'from'];
  const unreadable = readableColumn(seed, column, path);
  const pieces = columnInverse(seed, column)?.pieces ?? [];
  const odd = pieces.some((piece) => typeof piece === 'object' && piece.kind !== 'n' && piece.kind !== 'uuid');
  if (unreadable.length > 0 || !odd) return unreadable;
  return [{ path, message: `expected a column of plain text with \`{n}\` or \`{uuid}\`: the script makes these ids itself` }];
}

/** A set of rows has this name. */
export function tableSet(seed: Sets, name: string, path: Path): Broken[] {
  if ('table' in (own(seed, name) ?? {})) return [];
  const known = Object.keys(seed).filter((each) => 'table' in (seed[each] ?? {}));
  if (Object.hasOwn(seed, name)) return [{ path, message: `expected a set of rows; \`${name}\` is a set of cache entries` }];
  const list = known.length === 0 ? '`seed` has no set of rows' : `\`seed\` has ${allOf(known)}`;
  return [{ path, message: `unknown set \`${name}\`; ${list}${didYouMean(name, known)}`, lacks: [['seed', name]] }];
}

/** A column of a set from which the row can be read back. */
export function readableColumn(seed: Sets, column: SetColumn, path: Path): Broken[] {
  const unknown = knownColumn(seed, column, path);
  if (unknown.length > 0 || isCircular(seed, column, []) || columnInverse(seed, column) !== undefined) return unknown;
  return [{ path, message: `expected a column that identifies its row, by \`{n}\` or \`{uuid}\`; \`${setColumnText(column)}\` does not` }];
}

function knownColumn(seed: Sets, column: SetColumn, path: Path): Broken[] {
  const wrongSet = tableSet(seed, column.set, path);
  if (wrongSet.length > 0 || setValue(seed, column) !== undefined) return wrongSet;
  const set = own(seed, column.set);
  const known = set !== undefined && 'table' in set ? Object.keys(set.columns) : [];
  const made = `; a column that the database fills is reached by \`via: ${column.set}\``;
  return [
    {
      path,
      message: `\`${column.set}\` seeds no column \`${column.column}\`; it seeds ${allOf(known)}${didYouMean(column.column, known) || made}`,
    },
  ];
}

/** `{users.id}` means a column of a set of rows, and never comes back to itself. */
export function references(seed: Sets, columns: readonly SetColumn[], path: Path): Broken[] {
  return columns.flatMap((column): Broken[] => {
    const unknown = knownColumn(seed, column, path);
    if (unknown.length > 0) return unknown;
    return isCircular(seed, column, []) ? [{ path, message: `\`{${setColumnText(column)}}\` refers back to itself` }] : [];
  });
}

function isCircular(seed: Sets, column: SetColumn, seen: readonly string[]): boolean {
  const name = setColumnText(column);
  if (seen.includes(name)) return true;
  const next = referencesIn(textsIn(setValue(seed, column)?.value ?? null));
  return next.some((each) => isCircular(seed, each, [...seen, name]));
}

/** Whose an entry is, its key tells alone. */
function entries(seed: Sets, set: SeedEntries, path: Path): Broken[] {
  const at = [...path, 'key'];
  const parts = readTemplate(set.key);
  if (parts.some(({ kind }) => kind === 'now'))
    return [{ path: at, message: 'expected no `{now}` in the key: an entry is found again by it' }];
  if (references(seed, referencesIn([set.key]), at).length > 0) return [];
  const isOne = set.rows === 1 && parts.every(({ kind }) => kind === 'text');
  if (isOne || keyInverse(seed, set) !== undefined) return [];
  const which = parts.some(({ kind }) => kind === 'n' || kind === 'uuid' || kind === 'ref');
  const why = which
    ? 'a key from which the row’s number can be read: one `{n}` beside plain text, or `{uuid}`'
    : `\`{n}\`, \`{uuid}\` or a column of a set in the key, or all ${set.rows} entries are one`;
  return [{ path: at, message: `expected ${why}${roundAgain(seed, set)}` }];
}

/** Why a reference tells no row: the set that it means is smaller. */
function roundAgain(seed: Sets, { key, rows: count }: SeedEntries): string {
  const short = referencesIn([key]).find(({ set }) => (own(seed, set)?.rows ?? count) < count);
  return short === undefined ? '' : `; \`${short.set}\` has ${own(seed, short.set)?.rows} rows, fewer than ${count}`;
}

/** `as` says how a value is stored: not every value can be stored in every way. */
function shape({ as, value }: SeedEntries, path: Path): Broken[] {
  const say = (message: string, ...below: string[]): Broken[] => [{ path: [...path, 'value', ...below], message }];
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (as === 'text' && (typeof value === 'object' || value === null))
    return say('expected a text for `as: text`; anything else can be stored `as: json`');
  if (as === 'list' || as === 'set') {
    if (!Array.isArray(value) || value.length === 0) return say(`expected a list of what the ${as} holds such as \`["{users.id}"]\``);
    if (value.includes(null)) return say(`what a ${as} holds is always a text; leave out what is \`null\``);
    const again = as === 'set' ? repeated(value) : -1;
    return again < 0 ? [] : say(`\`${elementText(value[again])}\` is there twice; a set holds each element once`, String(again));
  }
  if (as !== 'hash' && as !== 'zset') return [];
  const example =
    as === 'hash' ? 'the fields of the hash such as `{name: "Test User {n}"}`' : 'members and their scores such as `{"{users.id}": "{n}"}`';
  if (!isMap || Object.keys(value).length === 0) return say(`expected a map with ${example}`);
  const bad = Object.entries(value).find(([, field]) => field === null || (as === 'zset' && typeof field === 'object'));
  if (bad === undefined) return [];
  return say(
    as === 'hash' ? 'a field of a hash is always a text; leave out what is `null`' : 'a score is a number, or a template that becomes one',
    bad[0],
  );
}

/** Redis counts in milliseconds, and takes none for no life at all. */
function lifetime({ ttl }: SeedEntries, path: Path): Broken[] {
  return ttl === undefined || ttl >= 1 ? [] : [{ path: [...path, 'ttl'], message: 'expected a duration of at least `1ms`' }];
}

/** Where the first element stands that was there before: a set would hold fewer than the profile says, and never be as seeded. */
function repeated(elements: readonly SeedValue[]): number {
  const texts = elements.map(elementText);
  return texts.findIndex((text, index) => texts.indexOf(text) < index);
}

function elementText(element: SeedValue | undefined): string {
  return typeof element === 'string' ? element : JSON.stringify(element);
}

function rows(set: SeedTable, path: Path, store: Store | undefined): Broken[] {
  const shardBy = store?.kind === 'postgres' && store.shardBy ? (set.shardBy ?? store.shardBy.column) : undefined;
  return [...rowKey(set, path), ...(shardBy === undefined ? [] : shardColumn(set, path, shardBy))];
}

/** The next seed finds a row by its key: it is a column of the set, and the same every time. */
function rowKey({ key, columns }: SeedTable, path: Path): Broken[] {
  if (key === undefined) return [];
  if (Object.hasOwn(columns, key)) return lasting(columns, key, path, 'it identifies rows (`key`)');
  const names = Object.keys(columns);
  return [{ path: [...path, 'key'], message: `expected one of \`columns\`: ${allOf(names)}${didYouMean(key, names)}` }];
}

function shardColumn({ store, columns }: SeedTable, path: Path, column: string): Broken[] {
  if (Object.hasOwn(columns, column)) return lasting(columns, column, path, 'it says what shard a row is in');
  return [
    {
      path: [...path, 'columns'],
      on: 'key',
      message: `expected the column \`${column}\`, which says what shard of \`${store}\` a row is in`,
      lacks: [[...path, 'columns', column]],
    },
  ];
}

function lasting(columns: SeedTable['columns'], name: string, path: Path, why: string): Broken[] {
  const value = own(columns, name) ?? null;
  const isLasting = value !== null && !textsIn(value).some((text) => readTemplate(text).some(({ kind }) => kind === 'now'));
  return isLasting ? [] : [{ path: [...path, 'columns', name], message: `expected neither \`null\` nor \`{now}\`: ${why}` }];
}

/** What lists and sets hold is compared as it is, and members of sorted sets are templates in the keys of a map. */
export const memberRule: Rule = ({ profile: { seed = {} } }) =>
  Object.entries(seed).flatMap(([name, set]): Broken[] => {
    if ('table' in set || (set.as !== 'list' && set.as !== 'set' && set.as !== 'zset')) return [];
    const path = ['seed', name, 'value'];
    const texts = entryTexts(set);
    const problem = texts.map(templateProblem).find((each) => each !== undefined);
    if (problem !== undefined) return set.as === 'zset' ? [{ path, message: problem }] : [];
    if (references(seed, referencesIn(texts), path).length > 0) return [];
    const reader = pieceReader(rowSource(seed, set, ''));
    const volatile = texts.some((text) => isVolatile(reader.text(text, name)));
    return volatile ? [{ path, message: `expected no \`{now}\` in a ${set.as}, which is compared as it is` }] : [];
  });
