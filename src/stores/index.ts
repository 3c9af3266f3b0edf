import type { PostgresStore, Profile, RedisStore } from '../profile/schema.js';
import { postgres } from './postgres/index.js';
import { redis } from './redis/index.js';
import type { StoreKind, StoreTask } from './types.js';

/** A store as the profile describes it. */
export type StoreConfig = PostgresStore | RedisStore;

type ConfigOf<Kind extends StoreConfig['kind']> = Extract<StoreConfig, { kind: Kind }>;

/** Every kind of store there is. */
export const stores = { postgres, redis } satisfies { [Kind in StoreConfig['kind']]: StoreKind<ConfigOf<Kind>> };

/** The implementation of a store's kind. */
export function storeKind<Config extends StoreConfig>(config: Config): StoreKind<Config> {
  // The registry's own type pairs every kind with its configuration; TypeScript cannot follow that through a union.
  return stores[config.kind] as unknown as StoreKind<Config>;
}

/** What the profile asks of the store of this name. */
export function storeTask({ seed, cleanup }: Pick<Profile, 'seed' | 'cleanup'>, store: string): StoreTask {
  const ofStore = (entry: { readonly store: string }) => entry.store === store;
  return {
    prefix: cleanup?.prefix,
    seed: seed.filter(ofStore),
    rows: cleanup?.rows.filter(ofStore) ?? [],
    caches: cleanup?.caches.filter(ofStore) ?? [],
  };
}

/** Whether the profile asks nothing of a store: then nobody connects to it. */
export function isIdle(task: StoreTask): boolean {
  return task.seed.length + task.rows.length + task.caches.length === 0;
}
