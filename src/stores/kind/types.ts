import type { Emit, SeededStep } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { CleanedKeys, CleanedRows, CleanupStatement, OtherRows, Proof } from '../../core/receipt.js';
import type { CleanupCache, CleanupRows, SeedStep } from '../../profile/sections/schema.js';
import type { RowSource } from '../templates/pieces.js';

/*
 * A store is something that seeding fills and cleanup empties. To add a kind: its words in src/profile/sections/schema.ts, a
 * folder here that exports a StoreKind, and its line in index.ts. Its driver is loaded when it is first connected to.
 *
 *   seeding:   open → check (nobody sees anything), which hands back what can be committed; closed without it, nothing was written
 *   cleaning:  open → check (nothing is changed) → sweep until nothing is left → report
 */

/** One kind of store. */
export interface StoreKind<Config> {
  /** Whether rolling back takes back everything; such stores are committed last. */
  readonly transactional: boolean;
  openSeeding(config: Config, task: StoreTask, context: StoreContext): Promise<Seeding>;
  openCleaning(config: Config, task: StoreTask, context: StoreContext): Promise<Cleaning>;
  /**
   * What the store itself would do with what is put in or taken out (triggers, cascades), as lines for whoever has to
   * confirm it. Only looks; missing where a kind does nothing of that sort.
   */
  readonly preview?: (config: Config, task: StoreTask, intent: Intent, context: StoreContext) => Promise<readonly string[]>;
  /** The first row of a seed step in each of the store's databases; missing where a kind has no shards to look into. */
  readonly sampleRows?: (config: Config, task: StoreTask, step: SeedTable, context: StoreContext) => Promise<RowSample[]>;
  /** Takes loadctl's lock in every database of the store; missing where a kind has none. `held` are those taken before. */
  readonly lock?: (config: Config, context: StoreContext, held: readonly DatabaseLock[]) => Promise<DatabaseLock[]>;
}

/** A seed step that fills a table. */
type SeedTable = Extract<SeedStep, { table: string }>;

/** A seeded row of one database, as it is looked for. */
export interface RowSample {
  readonly store: string;
  readonly shard: number | null;
  /** Its number in the seed step. */
  readonly n: number;
  /** As people would point at it: `users row 4 (id "user-4")`. */
  readonly row: string;
  readonly there: boolean;
}

/** What a store is told about the command that uses it. */
export interface StoreContext {
  /** The store's name in the profile. */
  readonly store: string;
  /** What the server is told about the connection: `loadctl/<run>`, `loadctl/seed`. */
  readonly label: string;
  readonly emit: Emit;
  readonly clock: Clock;
  /** Ends the work: what runs is cancelled, what is not committed is rolled back. */
  readonly signal: AbortSignal;
  /** Whether the profile's guards let a host be reached that only the store's own servers name. */
  readonly allowsHost: (host: string) => boolean;
}

/** What is about to be done to a store. */
export interface Intent {
  readonly seeds: boolean;
  readonly cleans: boolean;
  /** Seeded rows are to go, too. */
  readonly users: boolean;
}

/** What the profile asks of one store. */
export interface StoreTask {
  /** What the ids of the test's own rows begin with; undefined where the profile has no cleanup. */
  readonly prefix: string | undefined;
  /** How long a cleanup rests after each transaction; undefined: as long as seems good. */
  readonly pauseMs: Milliseconds | undefined;
  readonly seed: readonly SeedStep[];
  /** What the templates of one of these steps stand in. */
  source(step: SeedStep): RowSource;
  readonly rows: readonly CleanupRows[];
  readonly caches: readonly CleanupCache[];
}

/** A lock in one database, held by a connection of its own. */
export interface DatabaseLock {
  /** The session that holds it, so that a second store in the same database is not refused by our own lock. */
  readonly session: string;
  /** Resolves when the lock is held no more without having been released, and could not be taken again. */
  readonly lost: Promise<Error>;
  release(): Promise<void>;
}

/** Seed steps of one store on their way. */
export interface Seeding {
  /** Puts the rows where nobody sees them and holds them against what is there. */
  check(): Promise<CheckedSeeding>;
  close(): Promise<void>;
}

/** Seed steps of one store that were held against what is there; nothing is written yet. */
export interface CheckedSeeding {
  readonly conflicts: Conflicts;
  /** Whether {@link commit} writes part by part, and may still be refused halfway. */
  readonly isGradual: boolean;
  /** How many rows there are that are not test data, and what they hold. */
  others(proof: Proof): Promise<readonly OtherRows[]>;
  /** Makes it real, where no store has a conflict. */
  commit(): Promise<readonly SeededStep[]>;
  /** Takes back what was committed, because another store failed. */
  rollBack(): Promise<void>;
}

/** Rows that are there with other values than the seed would give them. */
export interface Conflicts {
  readonly count: number;
  /** The first ten, with what differs. */
  readonly lines: readonly string[];
}

/** No conflicts: the start of a sum. */
export const noConflicts: Conflicts = { count: 0, lines: [] };

/** Both together; still no more than ten lines. */
export function addConflicts(one: Conflicts, other: Conflicts): Conflicts {
  return { count: one.count + other.count, lines: [...one.lines, ...other.lines].slice(0, 10) };
}

/** What one store has to say for the receipt. */
export interface StoreReceipt {
  readonly rows: readonly CleanedRows[];
  readonly keys: readonly CleanedKeys[];
  readonly statements: readonly CleanupStatement[];
  readonly notes: readonly string[];
  /** False where a count of zero would prove nothing: rows may be hidden from this role. */
  readonly countable: boolean;
}

/** A cleanup of one store on its way. */
export interface Cleaning {
  /** Looks at everything first and changes nothing; refuses what may not be deleted. `users`: seeded rows are to go, too. */
  check(users: boolean): Promise<void>;
  /** Deletes what is there now, and hands back how much is left and how much went. */
  sweep(): Promise<Swept>;
  /** Takes out the seeded rows and keys that still are as they were seeded. */
  takeSeeded(dryRun: boolean): Promise<void>;
  others(proof: Proof): Promise<readonly OtherRows[]>;
  /** In a dry run the statements are what would be run, with the rows that they would hit. */
  report(dryRun: boolean): StoreReceipt;
  close(): Promise<void>;
}

/** What a sweep did. */
export interface Swept {
  readonly deleted: number;
  readonly left: number;
}
