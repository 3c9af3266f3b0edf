import type { Milliseconds, Share } from '../core/quantities.js';
import type { CleanupCache, CleanupRows, Profile, SeedStep } from '../profile/sections/schema.js';
import { type PlannedTarget, plannedTarget } from './target.js';

/** What a plan takes over from the profile as data: where a text holds a secret there, it says `[redacted]` here. */
export interface PlannedSections {
  readonly target: PlannedTarget;
  readonly draws: Draws;
  /** Missing where the profile does not say who the virtual users are. */
  readonly users?: PlannedUsers;
  /** More variables for the script. */
  readonly env: Readonly<Record<string, string>>;
  /** k6's own options, in k6's words, laid over the script's. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly fleet: PlannedFleet;
  readonly seed: readonly PlannedSeed[];
  /** Missing where the profile has none. */
  readonly cleanup?: PlannedCleanup;
}

/** What the script draws in an iteration, as it is told (docs/script-contract.md). */
export interface Draws {
  /** The names used in `mix`, each with the request's name. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly mix: Readonly<Record<string, Share>>;
  readonly sessions: Readonly<Record<string, Share>>;
  readonly steps: Readonly<Record<string, readonly string[]>>;
}

/** Who the virtual users are to the target; the key of a bypass is a secret. */
export type PlannedUsers = NonNullable<Profile['users']>;

/** How the fleet is made and held together. What of it is this machine's own (its k6, its ssh config) is no part of a plan. */
export type PlannedFleet = Omit<Profile['runners'], 'k6' | 'sshConfig'>;

/** Rows of a table, or entries of a cache, that are put in: the profile's own words. */
export type PlannedSeed =
  | ({ readonly kind: 'rows' } & Extract<SeedStep, { table: string }>)
  | ({ readonly kind: 'entries' } & Exclude<SeedStep, { table: string }>);

/** What is taken out after the test, and how. */
export interface PlannedCleanup {
  /** What the ids of everything that the test writes begin with. */
  readonly prefix: string;
  /** How long it rests after each transaction. */
  readonly pause?: Milliseconds;
  /** How long nothing new may turn up before the count is believed. */
  readonly settle?: Milliseconds;
  readonly entries: readonly CleanupEntry[];
}

/**
 * Rows whose column begins with the prefix, lies in a range, is a UUID of a namespace, or that belong to rows of another
 * table; keys, or members of collections, that match a pattern; a Redis index that is emptied of known keys, or of everything.
 */
export type CleanupEntry = RowsEntry | CacheEntry;

type RowsEntry = { readonly kind: 'rows'; readonly store: string; readonly table: string } & (
  | { readonly column: string; readonly prefix: string }
  | { readonly column: string; readonly range: { readonly low: string; readonly high: string } }
  | { readonly column: string; readonly uuid: string }
  | { readonly via: string; readonly column?: string }
);

type CacheEntry =
  | { readonly kind: 'keys'; readonly store: string; readonly match: string }
  | { readonly kind: 'members'; readonly store: string; readonly key: string; readonly match: string }
  | { readonly kind: 'index'; readonly store: string; readonly index?: number; readonly flush: 'known' | 'everything' };

/** Takes over what a profile says; secrets are in it where they are in the profile. */
export function plannedSections(profile: Profile): PlannedSections {
  const { target, workload, users, runners, seed, cleanup } = profile;
  const { endpoints, mix, sessions, steps, env, options } = workload;
  const { k6: _k6, sshConfig: _sshConfig, ...fleet } = runners;
  return {
    target: plannedTarget(target),
    draws: { endpoints, mix, sessions, steps },
    ...(users === undefined ? {} : { users }),
    env,
    options,
    fleet,
    seed: seed.map((step) => ('table' in step ? { kind: 'rows', ...step } : { kind: 'entries', ...step })),
    ...(cleanup === undefined ? {} : { cleanup: plannedCleanup(cleanup, profile.stores) }),
  };
}

function plannedCleanup(
  { prefix, rows, caches, pause, settle }: NonNullable<Profile['cleanup']>,
  stores: Profile['stores'],
): PlannedCleanup {
  return {
    prefix,
    ...(pause === undefined ? {} : { pause }),
    ...(settle === undefined ? {} : { settle }),
    entries: [...rows.map((entry) => rowsEntry(entry, prefix)), ...caches.map((entry) => cacheEntry(entry, stores))],
  };
}

function rowsEntry(rows: CleanupRows, prefix: string): RowsEntry {
  if ('via' in rows || 'range' in rows || 'uuid' in rows) return { kind: 'rows', ...rows };
  return { kind: 'rows', ...rows, prefix };
}

function cacheEntry(cache: CleanupCache, stores: Profile['stores']): CacheEntry {
  const { store } = cache;
  if ('keys' in cache) return { kind: 'keys', store, match: cache.keys };
  if ('members' in cache) return { kind: 'members', store, key: cache.key, match: cache.members };
  const config = stores[store];
  const index = config?.kind === 'redis' ? config.testDatabase : undefined;
  return { kind: 'index', store, ...(index === undefined ? {} : { index }), flush: cache.flush === true ? 'known' : 'everything' };
}
