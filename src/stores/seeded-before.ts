import type { SeededSet } from '../core/events.js';
import { own } from '../core/own.js';
import { sha256Hex } from '../core/uuids.js';
import type { Profile, SeedStep } from '../profile/sections/schema.js';
import { seed as seedSection } from '../profile/sections/seed.js';
import { flatten } from '../profile/templates/pieces.js';
import { columnPieces, inOrder, keyInverse, type NamedSet, referencesOf, rowSource, type Sets } from '../profile/templates/sets.js';
import { tableText } from '../profile/words/names.js';
import type { FormerSet } from './kind/types.js';
import { seededAgain } from './seeded-again.js';

/** The parts of a profile that say what is seeded, and where. */
type Seeds = Pick<Profile, 'stores' | 'seed'>;

/** A set whose rows are asked for, by some of its columns; `where`: in which column of another table. */
interface Recorded {
  readonly profile: Seeds;
  readonly set: NamedSet;
  readonly columns: readonly string[];
  readonly where: string | undefined;
}

/**
 * What a profile seeds, to be kept: names, rows and templates. So a cleanup that comes later knows whose rows are whose,
 * whatever the profile says by then. What was kept before stays, with as many rows as there ever were.
 */
export function toKeep(profile: Seeds & Pick<Profile, 'cleanup'>, before: readonly SeededSet[]): SeededSet[] {
  const now = inOrder(profile.seed).map((set) => described(profile, set));
  const same = (one: SeededSet) => (other: SeededSet) => one.fingerprint === other.fingerprint;
  const grown = now.map((set) => {
    const { rows = 0, there, free = [] } = before.find(same(set)) ?? {};
    const looked = [...new Set([...free, ...foundBy(profile, set.set)])];
    return {
      ...set,
      rows: Math.max(set.rows, rows),
      ...(there === undefined ? {} : { there }),
      ...(looked.length === 0 ? {} : { free: looked }),
    };
  });
  return [...before.filter((set) => !now.some(same(set))), ...grown];
}

/** The columns in which cleanup finds rows by a set: a seed looked whether anybody has its numbers there. */
function foundBy({ cleanup }: Pick<Profile, 'cleanup'>, set: string): string[] {
  return (cleanup?.rows ?? []).flatMap((entry) => ('in' in entry && entry.in.set === set ? [`${tableText(entry)}.${entry.column}`] : []));
}

/** What is kept once a profile's sets are in. */
export function allThere(profile: Seeds, kept: readonly SeededSet[]): SeededSet[] {
  const now = new Map(inOrder(profile.seed).map((set) => [fingerprintOf(profile, set), set.rows]));
  return kept.map((set) => {
    const rows = now.get(set.fingerprint);
    return rows === undefined ? set : { ...set, there: Math.max(rows, set.there ?? 0) };
  });
}

/** What tells a set with its templates and its place from others, with however many rows. */
export function fingerprintOf(profile: Seeds, set: NamedSet): string {
  return described(profile, set).fingerprint;
}

/** How many rows were seeded into the same table with the same templates in these columns; of entries, with the same key. */
export function recordedRows({ profile, set, columns, where }: Recorded, before: readonly SeededSet[]): number {
  const place = placeOf(profile, set.store);
  const wanted = identity(profile.seed, set, columns);
  const found = before.filter(
    (each) => each.store === set.store && each.place === place && (where === undefined || each.free?.includes(where) === true),
  );
  const same = found.filter(({ set: name, sets }) => {
    const read = seedSection.safeParse(sets);
    const kept = read.success ? own(read.data, name) : undefined;
    return read.success && kept !== undefined && identity(read.data, { ...kept, name }, columns) === wanted;
  });
  return Math.max(0, ...same.map(({ rows }) => rows));
}

/** What a set's rows are known by: where they are, and what these columns of theirs (or their key) come to. */
function identity(sets: Sets, set: NamedSet, columns: readonly string[]): string {
  const { name, random } = set;
  if (!('table' in set)) return JSON.stringify([set.key, keyInverse(sets, set)?.pieces, random]);
  const texts = columns.map((column) => columnPieces(sets, { set: name, column })?.pieces);
  return JSON.stringify([
    set.schema,
    set.table,
    random,
    ...texts.map((pieces) => (pieces === undefined ? null : flatten(pieces, set.rows))),
  ]);
}

/** The sets that were seeded into a place that the profile does not name any more. */
export function seededElsewhere(profile: Pick<Seeds, 'stores'>, before: readonly SeededSet[]): SeededSet[] {
  return before.filter(({ store, place }) => placeOf(profile, store) !== place);
}

/** The sets that were seeded into the stores as they are now, and of which the profile has fewer rows or none by now. */
export function differsNow(profile: Seeds, before: readonly SeededSet[], startedAt: string): FormerSet[] {
  const now = inOrder(profile.seed).map((set) => described(profile, set));
  const here = before.filter(({ store, place }) => placeOf(profile, store) === place);
  const differing = here.filter((set) => !now.some(({ fingerprint, rows }) => fingerprint === set.fingerprint && rows >= set.rows));
  const writtenNow = Object.fromEntries(written(new Map(Object.entries(profile.seed))));
  return differing.flatMap((record): FormerSet[] => {
    const { set: name, rows, sets } = record;
    const read = seedSection.safeParse(sets);
    const set = read.success ? own(read.data, name) : undefined;
    if (set === undefined || !read.success) return [];
    const then = { ...read.data, [name]: { ...set, rows } };
    const again = seededAgain(record, differing, writtenNow);
    return [{ set: { ...set, rows, name }, source: rowSource(then, set, startedAt), sets: then, again }];
  });
}

function described(profile: Seeds, { name, ...set }: NamedSet): SeededSet {
  const sets = written(closure(profile.seed, name));
  const place = placeOf(profile, set.store);
  const content = JSON.stringify([place, sets.map(([each, { rows, ...rest }]) => [each, rest, each === name ? 0 : rows])]);
  return { set: name, store: set.store, place, rows: set.rows, fingerprint: sha256Hex(content), sets: Object.fromEntries(sets) };
}

/** A set and all that it refers to. */
function closure(sets: Sets, name: string, found: Map<string, SeedStep> = new Map()): Map<string, SeedStep> {
  const set = own(sets, name);
  if (set === undefined || found.has(name)) return found;
  found.set(name, set);
  for (const { set: other } of referencesOf(set)) closure(sets, other, found);
  return found;
}

/** Sets as a profile writes them; a time to live says nothing of whose an entry is. */
function written(sets: ReadonlyMap<string, SeedStep>): (readonly [string, Record<string, unknown>])[] {
  return [...sets].map(([name, set]) => {
    if ('table' in set) {
      const { store, schema, table, ...rest } = set;
      return [name, { table: tableText({ store, table, ...(schema === undefined ? {} : { schema }) }), ...rest }] as const;
    }
    const { store, key, ttl: _ttl, ...rest } = set;
    return [name, { key: `${store}/${key}`, ...rest }] as const;
  });
}

/** Where a store is, without how to log in: other rows are there in another place. */
function placeOf({ stores }: Pick<Seeds, 'stores'>, name: string): string {
  const store = own(stores, name);
  if (store === undefined) return '';
  const urls = [...(store.url === undefined ? [] : [store.url]), ...(store.kind === 'postgres' ? (store.shards ?? []) : [])];
  const nodes = store.kind === 'redis' ? (store.cluster ?? []) : [];
  return [...urls.map(withoutLogin), ...nodes].join(' ');
}

function withoutLogin(text: string): string {
  if (!URL.canParse(text)) return '';
  const { hostname, port, pathname } = new URL(text);
  return `${hostname}:${port}${pathname}`;
}
