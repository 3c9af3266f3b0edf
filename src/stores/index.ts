import type { EpochMs } from '../core/quantities.js';
import type { PostgresStore, Profile, RedisStore, SeedStep } from '../profile/sections/schema.js';
import { seededColumn } from '../profile/sections/seeded-column.js';
import type { StoreKind, StoreTask } from './kind/types.js';
import { postgres } from './postgres/index.js';
import { redis } from './redis/index.js';
import type { RowSource } from './templates/pieces.js';

/** A store as the profile describes it. */
export type StoreConfig = PostgresStore | RedisStore;

type ConfigOf<Kind extends StoreConfig['kind']> = Extract<StoreConfig, { kind: Kind }>;

/** Every kind of store there is. */
const stores = { postgres, redis } satisfies { [Kind in StoreConfig['kind']]: StoreKind<ConfigOf<Kind>> };

/** The implementation of a store's kind. */
export function storeKind<Config extends StoreConfig>(config: Config): StoreKind<Config> {
  // The registry's own type pairs every kind with its configuration; TypeScript cannot follow that through a union.
  return stores[config.kind] as unknown as StoreKind<Config>;
}

/** What the profile asks of the store of this name. */
export function storeTask({ seed, cleanup }: Pick<Profile, 'seed' | 'cleanup'>, store: string, now: EpochMs): StoreTask {
  const ofStore = (entry: { readonly store: string }) => entry.store === store;
  return {
    prefix: cleanup?.prefix,
    pauseMs: cleanup?.pause,
    seed: seed.filter(ofStore),
    source: (step) => rowSource(seed, step, new Date(now).toISOString()),
    rows: cleanup?.rows.filter(ofStore) ?? [],
    caches: cleanup?.caches.filter(ofStore) ?? [],
  };
}

/** A step's chance is its own where it says so; else all steps have the same, so that a user's row and his cache entry agree. */
function rowSource(steps: readonly SeedStep[], step: SeedStep, startedAt: string): RowSource {
  return {
    random: step.random ?? '',
    startedAt,
    refer: (table, column) => {
      const found = seededColumn(steps, table, column);
      if (found === undefined) throw new Error(`no seeded column ${table}.${column}: the profile's rules let it through`);
      return { value: found.value, rows: found.step.rows, source: rowSource(steps, found.step, startedAt) };
    },
  };
}

/** Whether the profile asks nothing of a store: then nobody connects to it. */
export function isIdle(task: StoreTask): boolean {
  return task.seed.length + task.rows.length + task.caches.length === 0;
}
