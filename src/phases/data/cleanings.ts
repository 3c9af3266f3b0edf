import { LoadctlError } from '../../core/errors.js';
import { type Defer, scope } from '../../core/scope.js';
import { inOrder } from '../../profile/templates/sets.js';
import { isIdle, type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import { together } from '../../stores/kind/together.js';
import {
  type AskedCheck,
  type CheckedCleaning,
  type Cleaning,
  type CleaningCheck,
  type Hazard,
  refuseHazards,
} from '../../stores/kind/types.js';
import type { DataContext } from './lock.js';
import { storeContext } from './store-context.js';

/** Connects to every store that a cleanup has to do with; `seeded`: seeded rows are to go, too, or to be told. */
export async function openCleanings(context: DataContext, seeded: boolean, defer: Defer): Promise<Cleaning[]> {
  const { run, profile, world, before, named } = context;
  const cleanings: Cleaning[] = [];
  for (const [stores, config] of byDatabase(lastSetFirst(context, storesToClean(context, seeded)))) {
    const label = `loadctl/${run ?? 'cleanup'}`;
    const task = storeTask(profile, stores, { now: world.clock.stamp(), seeded: before?.seeded, named });
    const cleaning = await (await storeKind(config)).openCleaning(config, task, storeContext(context, stores[0], label));
    defer(() => cleaning.close());
    cleanings.push(cleaning);
  }
  return cleanings;
}

/** Stores whose sets refer to those of others come first: their rows go first. */
function lastSetFirst({ profile }: DataContext, stores: [string, StoreConfig][]): [string, StoreConfig][] {
  const sets = inOrder(profile.seed).map(({ store }) => store);
  return [...stores].sort(([one], [other]) => sets.lastIndexOf(other) - sets.lastIndexOf(one));
}

/** Stores that lead to the same databases are cleaned up as one: keys between their tables tell the order. */
function byDatabase(stores: readonly [string, StoreConfig][]): [[string, ...string[]], StoreConfig][] {
  const found = new Map<string, [[string, ...string[]], StoreConfig]>();
  for (const [store, config] of stores) {
    const key = config.kind === 'postgres' ? JSON.stringify([config.url, config.shards, config.password, config.auth]) : store;
    const known = found.get(key);
    if (known === undefined) found.set(key, [[store], config]);
    else known[0].push(store);
  }
  return [...found.values()];
}

/** What looking at everything first came to. */
export interface Checked {
  readonly cleanings: readonly CheckedCleaning[];
  /** What stands against single entries, and against all of it. */
  readonly hazards: readonly Hazard[];
}

/** Looks at everything first and changes nothing. */
export async function checkCleanings(cleanings: readonly Cleaning[], asked: AskedCheck): Promise<Checked> {
  const checked = await together(cleanings, (cleaning) => cleaning.check(asked));
  return { cleanings: checked, hazards: [...checked.flatMap(({ hazards }) => hazards), ...reachedTwice(checked)] };
}

/** Refuses (112) what would keep a cleanup from its work, before a seed. Says and changes nothing. */
export function checkCleanup(context: DataContext, seeded: boolean): Promise<void> {
  return scope(async (defer) => {
    const cleanings = await openCleanings({ ...context, emit: () => undefined, isAheadOfSeed: () => true }, seeded, defer);
    refuseHazards((await checkCleanings(cleanings, { seeded })).hazards);
  });
}

/** The same for a seed alone: what its own role may not do or see, the cleanup says when it comes to it. */
export async function lookAhead(context: DataContext): Promise<void> {
  await checkCleanup(context, false).catch((error: unknown) => {
    if (error instanceof LoadctlError && (error.reason === 'unavailable' || error.reason === 'invalid-profile')) return;
    throw error;
  });
}

/** A table that two stores reach would be counted twice, and each would take the other's rows for those of others. */
export function reachedTwice(checks: readonly Pick<CleaningCheck, 'tables'>[]): Hazard[] {
  const first = new Map<string, { store: string; table: string }>();
  const hazards: Hazard[] = [];
  for (const { id, store, table } of checks.flatMap(({ tables }) => tables)) {
    const other = first.get(id);
    if (other === undefined) first.set(id, { store, table });
    else if (other.store !== store && !hazards.some(({ message }) => message === twice(other, store, table)))
      hazards.push({
        message: twice(other, store, table),
        hint: `Name it by one of them: ${other.store}.${table}.`,
        isFatal: true,
      });
  }
  return hazards;
}

function twice(other: { readonly store: string }, store: string, table: string): string {
  return `the stores ${other.store} and ${store} reach one table, ${table}`;
}

/** The stores that a cleanup connects to. */
export function storesToClean({ profile, before }: DataContext, seeded: boolean): [string, StoreConfig][] {
  return Object.entries(profile.stores).filter(([store]) => {
    const task = storeTask(profile, store, { now: 0, seeded: before?.seeded });
    return !isIdle(seeded ? task : { ...task, tables: [], entries: [], former: [] });
  });
}
