import type { Path } from '../document/tree.js';
import type { Profile, SeedStep, SeedValue, Store } from '../sections/schema.js';
import { seededColumn } from '../sections/seeded-column.js';
import { allOf, didYouMean } from '../words/near.js';
import { dependsOnRow, readTemplate } from '../words/template.js';
import { type Broken, type Checked, itemsOf, keysOf, type Rule, valueAt } from './types.js';

/** Every store that is named exists and is of the kind that the words around the name need. */
export const referenceRule: Rule = ({ data }) => {
  const lists: [Path, unknown[]][] = [
    [['seed'], itemsOf(data, 'seed')],
    [['cleanup', 'rows'], itemsOf(data, 'cleanup', 'rows')],
    [['cleanup', 'caches'], itemsOf(data, 'cleanup', 'caches')],
  ];
  const named = lists.flatMap(([path, items]) =>
    items.map((item, index) => ({ path: [...path, index, 'store'], name: valueAt(item, 'store'), kind: kindFor(path, item) })),
  );
  const shared = itemsOf(data, 'guards', 'sharedStores').map((name, index) => ({
    path: ['guards', 'sharedStores', index],
    name,
    kind: undefined,
  }));
  return [...named, ...shared].flatMap(({ path, name, kind }) => (typeof name === 'string' ? reference(data, { path, name, kind }) : []));
};

function kindFor(path: Path, item: unknown): string {
  const table = path[0] === 'seed' ? valueAt(item, 'table') !== undefined : path[1] === 'rows';
  return table ? 'postgres' : 'redis';
}

function reference(data: unknown, { path, name, kind }: { path: Path; name: string; kind: string | undefined }): Broken[] {
  const known = keysOf(data, 'stores');
  if (!known.includes(name)) {
    const list = known.length === 0 ? 'the profile has none' : `\`stores\` has ${allOf(known)}`;
    return [{ path, message: `unknown store \`${name}\`; ${list}${didYouMean(name, known)}` }];
  }
  const actual = valueAt(data, 'stores', name, 'kind');
  if (kind === undefined || actual === kind || (actual !== 'postgres' && actual !== 'redis')) return [];
  return [{ path, message: `expected a ${kind} store; \`${name}\` is ${actual}` }];
}

/** Seeded rows can be told apart, find their shard, and refer to columns that are seeded, too. */
export const seedRule: Rule = ({ profile: { seed, stores } }) =>
  (seed ?? []).flatMap((step, index) => [
    ...('key' in step && 'value' in step ? [...entries(step, index), ...shape(step, index)] : rows(step, index, stores?.[step.store])),
    ...references(seed ?? [], 'table' in step ? textsIn(step.columns) : [...textsIn(step.value), step.key], [
      'seed',
      index,
      'table' in step ? 'columns' : 'value',
    ]),
  ]);

/** The same for the request that asks the target for a seeded user. */
export const lookupRule: Rule = ({ profile: { seed, target } }) => {
  const { lookup } = target ?? {};
  return lookup === undefined ? [] : references(seed ?? [], [lookup.path, ...Object.values(lookup.headers)], ['target', 'lookup']);
};

/** `{ref:table.column}` means a column of a table that is seeded, and never comes back to itself. */
function references(steps: readonly SeedStep[], texts: readonly string[], path: Path): Broken[] {
  return referencesIn(texts).flatMap(({ table, column }): Broken[] => {
    const named = `\`{ref:${table}.${column}}\``;
    const found = seededColumn(steps, table, column);
    if (found === undefined) {
      const known = steps.flatMap((one) => ('table' in one ? Object.keys(one.columns).map((name) => `${one.table}.${name}`) : []));
      const list = known.length === 0 ? 'no table is seeded' : `seeded are ${allOf(known)}`;
      return [{ path, message: `${named} is no column of a seeded table; ${list}${didYouMean(`${table}.${column}`, known)}` }];
    }
    return isCircular(steps, table, column, []) ? [{ path, message: `${named} refers back to itself` }] : [];
  });
}

function isCircular(steps: readonly SeedStep[], table: string, column: string, seen: readonly string[]): boolean {
  const name = `${table}.${column}`;
  if (seen.includes(name)) return true;
  const next = referencesIn(textsIn(seededColumn(steps, table, column)?.value ?? null));
  return next.some((each) => isCircular(steps, each.table, each.column, [...seen, name]));
}

function referencesIn(texts: readonly string[]): { table: string; column: string }[] {
  return texts.flatMap(readTemplate).flatMap((part) => (part.kind === 'ref' ? [part] : []));
}

function textsIn(value: SeedValue): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function entries(step: SeedStep, index: number): Broken[] {
  if ('value' in step && readTemplate(step.key).some(({ kind }) => kind === 'now'))
    return [{ path: ['seed', index, 'key'], message: 'expected no `{now}` in the key: an entry is found again by it' }];
  if (step.rows === 1 || !('value' in step) || dependsOnRow(step.key)) return [];
  return [{ path: ['seed', index, 'key'], message: `expected \`{n}\` or \`{uuid}\` in the key, or all ${step.rows} entries are one` }];
}

/** `as` says how a value is stored: not every value can be stored in every way. */
function shape({ as, value }: Extract<SeedStep, { value: unknown }>, index: number): Broken[] {
  const say = (message: string, ...below: string[]): Broken[] => [{ path: ['seed', index, 'value', ...below], message }];
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (as === 'text' && (typeof value === 'object' || value === null))
    return say('expected a text for `as: text`; anything else can be stored `as: json`');
  if (as !== 'hash') return [];
  if (!isMap || Object.keys(value).length === 0) return say('expected a map with the fields of the hash such as `{name: "Test User {n}"}`');
  const nothing = Object.entries(value).find(([, field]) => field === null);
  return nothing === undefined ? [] : say('a field of a hash is always a text; leave out what is `null`', nothing[0]);
}

function rows(step: SeedStep, index: number, store: Store | undefined): Broken[] {
  if (!('columns' in step)) return [];
  const shardBy = store?.kind === 'postgres' && store.shardBy ? (step.shardBy ?? store.shardBy.column) : undefined;
  return [...rowKey(step, index), ...(shardBy === undefined ? [] : shardColumn(step, index, shardBy))];
}

type Columns = Extract<SeedStep, { columns: unknown }>;

/** The next seed finds a row by its key: it is a column of the step, and the same every time. */
function rowKey({ key, columns }: Columns, index: number): Broken[] {
  if (key === undefined) return [];
  if (Object.hasOwn(columns, key)) return lasting(columns, key, index, 'rows are told apart by it (`key`)');
  const names = Object.keys(columns);
  return [{ path: ['seed', index, 'key'], message: `expected one of \`columns\`: ${allOf(names)}${didYouMean(key, names)}` }];
}

function shardColumn({ store, columns }: Columns, index: number, column: string): Broken[] {
  if (Object.hasOwn(columns, column)) return lasting(columns, column, index, 'it says what shard a row is in');
  return [
    {
      path: ['seed', index, 'columns'],
      on: 'key',
      message: `expected the column \`${column}\`, which says what shard of \`${store}\` a row is in`,
      lacks: [['seed', index, 'columns', column]],
    },
  ];
}

function lasting(columns: Columns['columns'], name: string, index: number, why: string): Broken[] {
  const value = columns[name] ?? null;
  const isLasting = value !== null && !textsIn(value).some((text) => readTemplate(text).some(({ kind }) => kind === 'now'));
  return isLasting ? [] : [{ path: ['seed', index, 'columns', name], message: `expected neither \`null\` nor \`{now}\`: ${why}` }];
}

/** Cleanup reaches what it names: parents before children, and flushes only a test index. */
export const cleanupRule: Rule = ({ profile: { cleanup, stores } }: Checked) => {
  if (!cleanup) return [];
  return [
    ...cleanup.rows.flatMap((row, index) => ('via' in row ? via(cleanup.rows, index, row) : [])),
    ...cleanup.caches.flatMap((cache, index) => ('flush' in cache ? flush(stores?.[cache.store], index, cache.store) : [])),
  ];
};

type Rows = NonNullable<Profile['cleanup']>['rows'];

function via(rows: Rows, index: number, row: { store: string; via: string }): Broken[] {
  const inStore = (list: Rows) => list.filter(({ store }) => store === row.store).map(({ table }) => table);
  const earlier = inStore(rows.slice(0, index));
  if (earlier.includes(row.via)) return [];
  const path = ['cleanup', 'rows', index, 'via'];
  if (inStore(rows.slice(index + 1)).includes(row.via))
    return [{ path, message: `expected \`${row.via}\` to be listed further up, before what refers to it` }];
  const list = earlier.length === 0 ? 'none is' : `${allOf(earlier)} ${earlier.length === 1 ? 'is' : 'are'}`;
  return [
    {
      path,
      message: `expected a table of \`${row.store}\` that is listed further up (${list}), not \`${row.via}\`${didYouMean(row.via, earlier)}`,
    },
  ];
}

function flush(store: Store | undefined, index: number, name: string): Broken[] {
  const path = ['cleanup', 'caches', index, 'flush'];
  if (store?.kind !== 'redis') return [];
  if (store.cluster)
    return [{ path, on: 'key', message: `a cluster is never flushed; give \`keys\` such as \`keys: "user:load-test-user-*"\` instead` }];
  if (store.testDatabase === undefined)
    return [
      {
        path,
        on: 'key',
        message: `\`flush\` needs \`stores.${name}.testDatabase\`: the one index that may be flushed`,
        lacks: [['stores', name, 'testDatabase']],
      },
    ];
  return [];
}
