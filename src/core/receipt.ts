import type { RunId } from './ids.js';
import type { Milliseconds } from './quantities.js';

/** How far it is proven that nothing but test data changed: rows are counted; those on every hundredth page, or all, summed up. */
export type Proof = 'count' | 'sample' | 'full';

/** A count of rows, or of a cache's keys, that the test did not make. */
export interface OtherRows {
  readonly store: string;
  readonly shard: number | null;
  /** host:port of the cache's server; missing for a database. */
  readonly node?: string;
  /** `keys` for a cache. */
  readonly table: string;
  readonly rows: number;
  /** The sum of the rows' hashes, a whole number; missing where rows were only counted. */
  readonly sum?: string;
}

/** Rows of one cleanup entry in one database: receipt.json's `rows`. */
export interface CleanedRows {
  readonly store: string;
  readonly shard: number | null;
  readonly host: string;
  readonly database: string;
  readonly role: string;
  readonly table: string;
  /** Which of the table's rows, in words: `user_id begins with "load-test-user-"`. */
  readonly which: string;
  readonly deleted: number;
  readonly left: number;
}

/** Keys, or members of collections, of one cleanup entry on one node: receipt.json's `keys`. */
export interface CleanedKeys {
  readonly what: 'keys' | 'members';
  readonly store: string;
  /** host:port */
  readonly node: string;
  /** The index. */
  readonly database: number;
  /** Which of them, in words: `all`, a glob, `load-test-user-* of queue:waiting`, `seeded`. */
  readonly which: string;
  readonly deleted: number;
  readonly left: number;
}

/** A statement of the cleanup, with what it did: all its executions together. */
export interface CleanupStatement {
  readonly store: string;
  readonly shard: number | null;
  /** SQL, or what another store's server is asked in its own words. */
  readonly sql: string;
  readonly rows: number;
  readonly ms: Milliseconds;
}

/**
 * Rows that are not test data in one table (or a cache's keys at one server), before seeding and after cleanup; `before` is null where nobody counted. The sums
 * of their hashes are there where they were asked for: equal sums are equal rows, in whichever order.
 */
export interface ReceiptOthers {
  readonly store: string;
  readonly shard: number | null;
  readonly node?: string;
  readonly table: string;
  readonly before: number | null;
  readonly after: number;
  readonly sumBefore?: string;
  readonly sumAfter?: string;
}

/** receipt.json: the proof of a cleanup. */
export interface Receipt {
  readonly version: 1;
  readonly environment: string;
  readonly run?: RunId;
  readonly dryRun: boolean;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly by: { readonly user: string; readonly host: string };
  /** How the rows of everybody else were held against one another; missing where they were not looked at. */
  readonly proof?: Proof;
  /** When they were counted before the test; missing where they were not. */
  readonly countedBefore?: string;
  readonly rows: readonly CleanedRows[];
  readonly keys: readonly CleanedKeys[];
  readonly others: readonly ReceiptOthers[];
  readonly statements: readonly CleanupStatement[];
  /** Whether nothing of the test is left, counted by a role that sees every row when nothing new had turned up for a while. */
  readonly proven: boolean;
  readonly notes: readonly string[];
}
