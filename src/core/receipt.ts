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
  /** Null where they could not be counted. */
  readonly left: number | null;
}

/** Keys, or members of collections, of one cleanup entry on one node: receipt.json's `keys`. */
export interface CleanedKeys {
  readonly what: 'keys' | 'members';
  readonly store: string;
  /** host:port */
  readonly node: string;
  /** The index. */
  readonly database: number;
  /** Which of them, in words: `all`, a pattern, `load-test-user-* of queue:waiting`, `seeded`. */
  readonly which: string;
  readonly deleted: number;
  readonly left: number;
}

/**
 * What is there still, or could not be determined: receipt.json's `lines`.
 *
 *     kept      seeded data that stays for the next test; no reason against CLEAN
 *     missing   seeded data that is not there under its keys any more; no reason against CLEAN
 *     left      data of the test, or seeded data that was to go
 *     unknown   what nobody could find out: a count that failed, rows whose owner nothing tells
 */
export interface ReceiptLine {
  readonly kind: 'kept' | 'missing' | 'left' | 'unknown';
  /** Null where it is about all of them. */
  readonly store: string | null;
  readonly shard: number | null;
  /** A table or a key, with its set where it is seeded: `users (db.users)`. */
  readonly what: string;
  /** Null where it is not known. */
  readonly count: number | null;
  /** Why it is there, or not known; missing for what is kept. */
  readonly why?: string;
  /** What to do about it: a command, or a line of the profile. */
  readonly command?: string;
}

/** Seeded rows of one set that were changed since. */
export interface ChangedSeed {
  readonly store: string;
  readonly shard: number | null;
  /** The set, and the table or key. */
  readonly what: string;
  readonly count: number;
  /** The first ten, with what differs. */
  readonly examples: readonly string[];
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

/** What the last count of one database saw: all that was committed by then, as `pg_current_snapshot()` writes it. */
export interface SeenSnapshot {
  readonly store: string;
  readonly shard: number | null;
  readonly snapshot: string;
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

/** The version of receipt.json. */
export const receiptVersion = 2;

/** receipt.json: the proof of a cleanup. */
export interface Receipt {
  readonly version: typeof receiptVersion;
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
  readonly lines: readonly ReceiptLine[];
  /** Up to where each database's count reaches: what a transaction that it does not see wrote is later than this receipt. */
  readonly snapshots?: readonly SeenSnapshot[];
  /**
   * CLEAN: nothing that the test wrote is left, and where seeded data was to go nothing of that under its keys, counted when
   * nothing new had turned up for a while.
   */
  readonly proven: boolean;
  /** What else there is to know. */
  readonly notes: readonly string[];
}
