import { own } from '../core/own.js';
import type { Milliseconds, Share } from '../core/quantities.js';
import type { CleanupKeys, CleanupRows, Profile, SeedEntries, SeedTable } from '../profile/sections/schema.js';
import { flatten, type Pieces } from '../profile/templates/pieces.js';
import { columnPieces, inOrder } from '../profile/templates/sets.js';
import { templateOf } from '../profile/templates/shown.js';
import type { SetColumn, TableName } from '../profile/words/names.js';
import { readPattern } from '../profile/words/template.js';
import { type PlannedMonitor, plannedMonitors } from './monitors.js';
import { type PlannedOutput, plannedOutputs } from './outputs.js';
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
  /** Outputs of k6's own in each runner's folder, as k6 has them: `json=FILE`; missing where there are none. */
  readonly k6Outputs?: readonly string[];
  readonly seed: readonly PlannedSeed[];
  /** Missing where the profile has none. */
  readonly cleanup?: PlannedCleanup;
  /** What watches the servers meanwhile. */
  readonly monitors: readonly PlannedMonitor[];
  /** Where people and dashboards hear of it. Their hosts are no targets: no guard is about them. */
  readonly outputs: readonly PlannedOutput[];
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
export type PlannedUsers =
  | Extract<NonNullable<Profile['users']>, { strategy: 'bypass' }>
  | {
      readonly strategy: 'pool';
      readonly from: SetColumn;
      /** How many users the pool has, and what their ids look like: a template with `{n}`, `{n+1000}` or `{uuid}`. */
      readonly count: number;
      readonly id: string;
      /** What their UUIDs are made with, where the set says. */
      readonly random?: string;
    };

/**
 * How the fleet is made and held together. What of it is this machine's own (its k6, its ssh config, what it calls a cluster) is
 * no part of a plan.
 */
export type PlannedFleet = Omit<Profile['runners'], 'k6' | 'sshConfig' | 'kubernetes'> & { readonly kubernetes?: PlannedPods };

type PlannedPods = Omit<NonNullable<Profile['runners']['kubernetes']>, 'context'>;

/** A set of rows or of cache entries that is put in, in this order: the profile's own words. */
export type PlannedSeed = { readonly name: string } & (
  | ({ readonly kind: 'rows' } & SeedTable)
  | ({ readonly kind: 'entries' } & SeedEntries)
);

/** What is taken out after the test, and how. */
export interface PlannedCleanup {
  /** What the ids of everything that the test writes begin with. */
  readonly prefix: string;
  /** How long it rests after each transaction. */
  readonly pause?: Milliseconds;
  /** How long transactions that are still at work are waited for. */
  readonly wait?: Milliseconds;
  /** How long no new row may appear before the count is final. */
  readonly settle?: Milliseconds;
  readonly entries: readonly CleanupEntry[];
}

/**
 * Rows whose column begins with the prefix, holds a value of a set's column or a UUID of a namespace, or that belong to rows of
 * another table or of a set; keys, or members of collections, that match a pattern; a Redis index that is emptied of known
 * keys, or of everything.
 */
export type CleanupEntry = RowsEntry | KeysEntry;

type RowsEntry = { readonly kind: 'rows' } & TableName &
  (
    | { readonly column: string; readonly prefix: string }
    | { readonly column: string; readonly in: SetColumn }
    | { readonly column: string; readonly uuid: string }
    | { readonly via: TableName | { readonly set: string }; readonly column?: string }
  );

type KeysEntry = { readonly store: string } & (
  | {
      readonly kind: 'keys';
      readonly match: string;
      readonly where?: { readonly json: readonly (string | number)[]; readonly in: SetColumn };
      readonly uuid?: string;
    }
  | { readonly kind: 'members'; readonly key: string; readonly match: string; readonly uuid?: string }
  | { readonly kind: 'index'; readonly index?: number; readonly flush: 'known' | 'everything' }
);

/** Takes over what a profile says; secrets are in it where they are in the profile. */
export function plannedSections(profile: Profile): PlannedSections {
  const { target, workload, users, runners, seed, cleanup } = profile;
  const { endpoints, mix, sessions, steps, env, options, outputs } = workload;
  const { k6: _k6, sshConfig: _sshConfig, kubernetes, ...fleet } = runners;
  return {
    target: plannedTarget(target),
    draws: { endpoints, mix, sessions, steps },
    ...(users === undefined ? {} : { users: plannedUsers(users, seed) }),
    env,
    options,
    fleet: { ...fleet, ...(kubernetes === undefined ? {} : { kubernetes: withoutContext(kubernetes) }) },
    ...(outputs.length === 0 ? {} : { k6Outputs: outputs }),
    seed: inOrder(seed).map((set) => ('table' in set ? { kind: 'rows', ...set } : { kind: 'entries', ...set })),
    ...(cleanup === undefined ? {} : { cleanup: plannedCleanup(cleanup, profile.stores) }),
    monitors: plannedMonitors(profile),
    outputs: plannedOutputs(profile),
  };
}

function withoutContext({ context: _context, ...pods }: NonNullable<Profile['runners']['kubernetes']>): PlannedPods {
  return pods;
}

function plannedUsers(users: NonNullable<Profile['users']>, seed: Profile['seed']): PlannedUsers {
  if (users.strategy === 'bypass') return users;
  const { set, column } = users.from;
  const found = columnPieces(seed, users.from);
  const random = found === undefined ? undefined : randomOf(found.pieces, found.rows);
  const id = found === undefined ? `{${set}.${column}}` : templateOf(found.pieces, found.rows);
  return { strategy: 'pool', from: users.from, count: found?.rows ?? 0, id, ...(random === undefined ? {} : { random }) };
}

/** What the UUIDs of a text are made with, where its set says; the text may be that of another set. */
function randomOf(pieces: Pieces, rows: number): string | undefined {
  const made = flatten(pieces, rows).find((piece) => typeof piece === 'object' && piece.kind === 'uuid');
  return typeof made === 'object' && made.kind === 'uuid' ? made.random || undefined : undefined;
}

function plannedCleanup(
  { prefix, rows, keys, pause, wait, settle }: NonNullable<Profile['cleanup']>,
  stores: Profile['stores'],
): PlannedCleanup {
  return {
    prefix,
    ...(pause === undefined ? {} : { pause }),
    ...(wait === undefined ? {} : { wait }),
    ...(settle === undefined ? {} : { settle }),
    entries: [...rows.map((entry) => rowsEntry(entry, prefix)), ...keys.map((entry) => keysEntry(entry, stores))],
  };
}

function rowsEntry(rows: CleanupRows, prefix: string): RowsEntry {
  if ('via' in rows || 'in' in rows || 'uuid' in rows) return { kind: 'rows', ...rows };
  return { kind: 'rows', ...rows, prefix };
}

function keysEntry(entry: CleanupKeys, stores: Profile['stores']): KeysEntry {
  const { store } = entry;
  if ('match' in entry) {
    const { match, where } = entry;
    return { kind: 'keys', store, match, ...(where === undefined ? {} : { where }), ...namespaceOf(match) };
  }
  if ('members' in entry) return { kind: 'members', store, key: entry.key, match: entry.members, ...namespaceOf(entry.members) };
  const config = own(stores, store);
  const index = config?.kind === 'redis' ? config.testDatabase : undefined;
  return { kind: 'index', store, ...(index === undefined ? {} : { index }), flush: entry.everything === true ? 'everything' : 'known' };
}

/** The namespace of the script's own UUIDs that a pattern holds. */
function namespaceOf(pattern: string): { readonly uuid?: string } {
  const found = readPattern(pattern).find((part) => part.kind === 'uuids');
  return found?.kind === 'uuids' ? { uuid: found.namespace } : {};
}
