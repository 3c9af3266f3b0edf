import type { SeededSet } from '../core/events.js';
import { own } from '../core/own.js';
import type { EpochMs, Milliseconds } from '../core/quantities.js';
import type { PostgresStore, Profile, RedisStore } from '../profile/sections/schema.js';
import { columnInverse, inOrder, rowSource } from '../profile/templates/sets.js';
import { formerEntries } from './former-entries.js';
import type { StoreKind, StoreTask } from './kind/types.js';
import { listedBeside } from './same-database.js';
import { differsNow, fingerprintOf, recordedRows } from './seeded-before.js';

/** A store as the profile describes it. */
export type StoreConfig = PostgresStore | RedisStore;

type ConfigOf<Kind extends StoreConfig['kind']> = Extract<StoreConfig, { kind: Kind }>;

/** Every kind of store there is, loaded where there is one: a test without databases does not wait for it. */
const stores = {
  postgres: async () => (await import('./postgres/index.js')).postgres,
  redis: async () => (await import('./redis/index.js')).redis,
} satisfies { [Kind in StoreConfig['kind']]: () => Promise<StoreKind<ConfigOf<Kind>>> };

/** The implementation of a store's kind. */
export async function storeKind<Config extends StoreConfig>(config: Config): Promise<StoreKind<Config>> {
  // The registry's own type pairs every kind with its configuration; TypeScript cannot follow that through a union.
  return (await stores[config.kind]()) as unknown as StoreKind<Config>;
}

/** The parts of a profile that are about data. */
export type DataProfile = Pick<Profile, 'environment' | 'stores' | 'seed' | 'cleanup'>;

/** What is known of a profile besides what it says. */
export interface Known {
  readonly now: EpochMs;
  /** What was seeded from here. */
  readonly seeded?: readonly SeededSet[] | undefined;
  /** How a command names the profile. */
  readonly named?: string | undefined;
}

const usualWaitMs: Milliseconds = 10_000;

/** What the profile asks of the store of this name, or of several that are one database. */
export function storeTask(profile: DataProfile, store: string | readonly string[], { now, seeded: before = [], named }: Known): StoreTask {
  const { environment, seed, cleanup } = profile;
  const names = [store].flat();
  const ofStore = (entry: { readonly store: string }) => names.includes(entry.store);
  const sets = inOrder(seed).filter(ofStore);
  const startedAt = new Date(now).toISOString();
  const known = before.filter(ofStore);
  const former = differsNow(profile, before, startedAt);
  const task: StoreTask = {
    environment,
    named: named ?? `--env ${environment}`,
    prefix: cleanup?.prefix,
    pauseMs: cleanup?.pause,
    waitMs: cleanup?.wait ?? usualWaitMs,
    tables: sets.flatMap((set) => ('table' in set ? [set] : [])),
    entries: sets.flatMap((set) => ('table' in set ? [] : [set])),
    former: former.filter(({ set }) => ofStore(set)),
    formerEntries: [],
    rows: cleanup?.rows.filter(ofStore) ?? [],
    keys: cleanup?.keys.filter(ofStore) ?? [],
    beside: listedBeside(profile, names),
    fingerprint: (set, sets = seed) => fingerprintOf({ stores: profile.stores, seed: sets }, set),
    source: (set) => rowSource(seed, set, startedAt),
    inverse(column) {
      const inverse = columnInverse(seed, column);
      if (inverse === undefined)
        throw new Error(`nothing is read back from ${column.set}.${column.column}: the profile's rules let it through`);
      return inverse;
    },
    tableSet(name) {
      const set = own(seed, name);
      if (set === undefined || !('table' in set)) throw new Error(`no set of rows ${name}: the profile's rules let it through`);
      return { ...set, name };
    },
    seededRows: (set, columns, where) => recordedRows({ profile, set, columns, where }, known),
  };
  return { ...task, formerEntries: formerEntries(task, former, startedAt) };
}

/** Whether the profile asks nothing of a store: then nobody connects to it. */
export function isIdle({
  tables,
  entries,
  former,
  rows,
  keys,
}: Pick<StoreTask, 'tables' | 'entries' | 'former' | 'rows' | 'keys'>): boolean {
  return [tables, entries, former, rows, keys].every((list) => list.length === 0);
}
