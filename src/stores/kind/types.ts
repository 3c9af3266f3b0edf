import { LoadctlError } from '../../core/errors.js';
import type { Emit, SeededStep } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type {
  ChangedSeed,
  CleanedKeys,
  CleanedRows,
  CleanupStatement,
  OtherRows,
  Proof,
  ReceiptLine,
  SeenSnapshot,
} from '../../core/receipt.js';
import type { CleanupKeys, CleanupRows, SeedEntries, SeedTable } from '../../profile/sections/schema.js';
import type { Inverse } from '../../profile/templates/inverse.js';
import type { RowSource } from '../../profile/templates/pieces.js';
import type { NamedSet, Sets } from '../../profile/templates/sets.js';
import type { SetColumn, TableName } from '../../profile/words/names.js';
import type { Removals } from './removals.js';

/*
 * A store is something that seeding fills and cleanup empties. To add a kind: its words in src/profile/sections/schema.ts, a
 * folder here that exports a StoreKind, and its line in index.ts. Its driver is loaded when it is first connected to.
 *
 *   seeding:   open → check (only reads), which hands back what can be written → ready → write, set by set → or taken back
 *   cleaning:  open → check (nothing is changed), which hands back what stays → sweep until nothing is left → report
 */

/** One kind of store. */
export interface StoreKind<Config> {
  openSeeding(config: Config, task: StoreTask, context: StoreContext): Promise<Seeding>;
  openCleaning(config: Config, task: StoreTask, context: StoreContext): Promise<Cleaning>;
  /** Logs in to every server of the store once, and says who answers. Throws `unavailable` where one does not. */
  reach(config: Config, context: StoreContext): Promise<readonly string[]>;
  /**
   * What the store itself would do with what is put in or taken out (triggers, cascades), as lines for whoever has to
   * confirm it. Only looks; missing where a kind does nothing of that sort.
   */
  readonly preview?: (config: Config, task: StoreTask, intent: Intent, context: StoreContext) => Promise<readonly string[]>;
  /** Rows of a set in each of the store's databases; missing where a kind has no shards to look into. */
  readonly sampleRows?: (config: Config, task: StoreTask, wanted: WantedSamples, context: StoreContext) => Promise<RowSample[]>;
  /** Takes loadctl's lock in every database of the store; missing where a kind has none. */
  readonly lock?: (config: Config, context: StoreContext, wanted: WantedLock) => Promise<DatabaseLock[]>;
}

/** How a lock is taken. */
export interface WantedLock {
  /** Those taken before: two stores may be in one database. */
  readonly held: readonly DatabaseLock[];
  /** Whether one that was lost is taken again: only what neither writes nor deletes may go on meanwhile. */
  readonly regains: boolean;
}

/** Which rows of a set are looked for in each database: the first, or the first and the last. */
export interface WantedSamples {
  readonly set: NamedSet<SeedTable>;
  readonly which: 'first' | 'ends';
}

/** A seeded row of one database, as it is looked for. */
export interface RowSample {
  readonly store: string;
  readonly shard: number | null;
  /** Its number in the set. */
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
  /** The sessions that hold the lock now; missing where nothing is written. Each transaction that writes looks for them first. */
  readonly lockSessions?: () => readonly string[];
  /** Whether nothing was written yet of a seed that this looks for or belongs to: a server that has no room for a look is refused then. */
  readonly isAheadOfSeed?: () => boolean;
  /** Where a cleanup notes what it removes; missing where nobody would read it. */
  readonly removals?: Removals;
}

/** What is about to be done to a store. */
export interface Intent {
  readonly seeds: boolean;
  readonly cleans: boolean;
  /** Seeded rows are to go, too. */
  readonly seeded: boolean;
}

/** What the profile asks of one store. */
export interface StoreTask {
  readonly environment: string;
  /** How a command names the profile: `--env dev`. */
  readonly named: string;
  /** What the ids of the test's own rows begin with; undefined where the profile has no cleanup. */
  readonly prefix: string | undefined;
  /** How long a cleanup rests after each transaction; undefined: as long as seems good. */
  readonly pauseMs: Milliseconds | undefined;
  /** How long a cleanup waits for transactions that are still at work. */
  readonly waitMs: Milliseconds;
  /** The store's sets, in the order in which they are put in. */
  readonly tables: readonly NamedSet<SeedTable>[];
  readonly entries: readonly NamedSet<SeedEntries>[];
  /** Sets as they were seeded from here before, where the profile says something else by now. */
  readonly former: readonly FormerSet[];
  /** Entries that go by a set, of whatever store, which was otherwise when it was seeded. */
  readonly formerEntries: readonly FormerEntries[];
  readonly rows: readonly CleanupRows[];
  readonly keys: readonly CleanupKeys[];
  /** Tables of the same databases that entries of other stores list: those see to their rows. */
  readonly beside: readonly TableName[];
  /** What tells a set with its templates and its place from others; `sets`: as it was when it was seeded. */
  fingerprint(set: NamedSet, sets?: Sets): string;
  /** What the templates of a set stand in. */
  source(set: NamedSet): RowSource;
  /** How the row of a set is read back from one of its columns; the profile's rules make sure of one. */
  inverse(column: SetColumn): Inverse;
  /** The set of rows of this name. */
  tableSet(name: string): NamedSet<SeedTable>;
  /**
   * How many rows of a set, by these columns of theirs, were seeded from here into a place where nobody had them before; 0:
   * nothing is known of it. With `where`, a column of another table, also only where nobody had them there.
   */
  seededRows(set: NamedSet, columns: readonly string[], where?: string): number;
}

/**
 * Why a set's numbers may be those of others: only a record of their first seed tells that nobody had them before; `where`, in a
 * column of another table, only from when that was listed.
 */
export function unrecorded(
  task: Pick<StoreTask, 'environment' | 'seededRows'>,
  set: NamedSet,
  columns: readonly string[],
  where?: string,
): string | undefined {
  if (task.seededRows(set, columns, where) >= set.rows) return undefined;
  const known = task.seededRows(set, columns);
  if (known >= set.rows)
    return `numbers are the test's only where a record says that they were free, and ${where} was not looked at when ${set.name} was seeded`;
  const has = known === 0 ? `none of ${set.name}` : `rows 1 to ${known} of ${set.name}, not those up to ${set.rows}`;
  return `numbers are the test's only where a record says that they were free when first seeded, and .loadctl/before-${task.environment}.json has ${has}`;
}

/** Entries as they were when a set that they go by was seeded, in a task that knows the set as it was then. */
export interface FormerEntries {
  readonly task: StoreTask;
  /** How the set was, in words. */
  readonly why: string;
  /** What to add to a cleanup that is to find what they find. */
  readonly again: string;
}

/** A set as it was seeded before, what its templates stand in, and what to add to a cleanup that is to know it. */
export interface FormerSet {
  readonly set: NamedSet;
  readonly source: RowSource;
  /** It and those that it refers to, as they were then. */
  readonly sets: Sets;
  readonly again: string;
}

/** A lock in one database, held by a connection of its own. */
export interface DatabaseLock {
  /** The session that holds it, so that a second store in the same database is not refused by our own lock. */
  readonly session: string;
  /** Resolves when the lock is held no more without having been released, from now on. */
  lapsed(): Promise<Error>;
  /** Resolves when it could not be taken again either. */
  readonly lost: Promise<Error>;
  release(): Promise<void>;
}

/** Sets of one store on their way. */
export interface Seeding {
  /** Holds what is to be written against what is there. Only reads. */
  check(): Promise<CheckedSeeding>;
  close(): Promise<void>;
}

/** Sets of one store that were held against what is there; nothing is written yet. */
export interface CheckedSeeding {
  readonly conflicts: Conflicts;
  /** The tables that are seeded: two stores that reach one would write the same rows. */
  readonly tables: readonly ReachedTable[];
  /** How many rows there are that are not test data, and what they hold. */
  others(proof: Proof): Promise<readonly OtherRows[]>;
  /** Opens what the writes need, and throws where one of the servers does not answer. */
  ready(): Promise<void>;
  /** Writes what is not there of one set, and makes sure that all of it is there then; the sets before it are in. */
  write(set: string): Promise<readonly SeededStep[]>;
  /** How much of each set is there, as far as is known. */
  state(): Promise<readonly SetState[]>;
  /** Takes back what this seed wrote, and nothing else; what it cannot is told and stays in {@link state}. */
  takeBack(): Promise<void>;
}

/** How much of a set is in one place. */
export interface SetState {
  /** `users in db shard 1` */
  readonly what: string;
  /** `rows` or `entries` */
  readonly unit: string;
  readonly all: number;
  readonly there: number;
  /** Of those that are there: written by this seed. */
  readonly written: number;
  /** May be there as well: the server was not heard of again. */
  readonly unknown: number;
}

/** Rows that are there with other values than the seed would give them. */
export interface Conflicts {
  readonly count: number;
  readonly causes: readonly ConflictCause[];
}

/** Rows that conflict for one reason. */
export interface ConflictCause {
  /** `public.users: name differs` */
  readonly what: string;
  readonly count: number;
  /** The first three, each with what differs. */
  readonly examples: readonly string[];
  /** What helps: `reset` where rows of the set may have been changed since; `profile` where the set conflicts with itself. */
  readonly fix?: 'reset' | 'profile';
}

const mostExamples = 3;

/** No conflicts: the start of a sum. */
export const noConflicts: Conflicts = { count: 0, causes: [] };

/** Both together; what has one cause is one. */
export function addConflicts(one: Conflicts, other: Conflicts): Conflicts {
  const causes = new Map(one.causes.map((cause) => [cause.what, cause]));
  for (const cause of other.causes) {
    const { what, count, examples } = cause;
    const before = causes.get(what);
    const shown = [...(before?.examples ?? []), ...examples].slice(0, mostExamples);
    causes.set(what, { ...cause, count: (before?.count ?? 0) + count, examples: shown });
  }
  return { count: one.count + other.count, causes: [...causes.values()] };
}

/** What one store has to say for the receipt. */
export interface StoreReceipt {
  readonly rows: readonly CleanedRows[];
  readonly keys: readonly CleanedKeys[];
  readonly statements: readonly CleanupStatement[];
  /** What is left or not known, and why. */
  readonly lines: readonly ReceiptLine[];
  readonly notes: readonly string[];
  /** What the last count saw all of, database by database. */
  readonly snapshots?: readonly SeenSnapshot[];
}

/** Something about the schema, or about what is there, that keeps one entry from being taken out. */
export interface Hazard {
  /** In words, with the place. */
  readonly message: string;
  /** What would satisfy it. */
  readonly hint: string;
  readonly lines?: readonly string[];
  /** It keeps everything from being taken out, not one entry alone. */
  readonly isFatal?: boolean;
  /** What a command ends with that it stops; without one it is `refused`. */
  readonly reason?: 'unavailable';
}

/** Refuses (112) where something stands against what is about to be done. */
export function refuseHazards(hazards: readonly Hazard[]): void {
  const [first, ...more] = [...hazards].sort((one, other) => Number(one.reason !== undefined) - Number(other.reason !== undefined));
  if (first === undefined) return;
  const lines = [...(first.lines ?? []), ...more.flatMap(({ message, hint, lines: below = [] }) => [message, `  ${hint}`, ...below])];
  throw new LoadctlError(first.reason ?? 'refused', first.message, { hint: first.hint, lines });
}

/** What a cleanup is about to do. */
export interface AskedCheck {
  /** Seeded rows and keys are to go, too. */
  readonly seeded: boolean;
  /** The same was looked at before the test: what others wrote since stays, and stands against nothing. */
  readonly isLookedAhead?: boolean;
}

/** What was found before anything was changed. */
export interface CleaningCheck {
  /** Each keeps an entry, and those that it refers to, from being taken out. */
  readonly hazards: readonly Hazard[];
  /** Every table that the store reaches, by what tells it from all others anywhere: two stores that reach one are refused. */
  readonly tables: readonly ReachedTable[];
}

/** A table as a store reaches it. */
export interface ReachedTable {
  readonly id: string;
  readonly store: string;
  readonly table: string;
}

/** A cleanup of one store on its way. */
export interface Cleaning {
  /** Looks at everything first and changes nothing; only what was looked at can be cleaned up. */
  check(asked: AskedCheck): Promise<CheckedCleaning>;
  close(): Promise<void>;
}

/** A cleanup of one store that has looked at everything. */
export interface CheckedCleaning extends CleaningCheck {
  /** Counts what is there, for a dry run. */
  count(): Promise<void>;
  /** The rows and entries that are there of each set, whatever they hold; of sets whose keys tell, and do not expire. */
  countSets(): Promise<readonly FoundSet[]>;
  /** What earlier cleanups removed of the sets that the record still has; missing where a kind notes nothing. */
  readonly removedBefore?: () => Promise<readonly RemovedBefore[]>;
  /** Deletes what is there now, and hands back how much is left and how much went. */
  sweep(): Promise<Swept>;
  /**
   * Waits for those who are at work on the listed tables now, and where rows are left for those who only hold some; missing
   * where nobody writes what others do not see at once.
   */
  readonly late?: (isLeft: boolean) => Promise<Late>;
  /** Takes out the seeded rows and keys that certainly are ours and still are as they were seeded. */
  takeSeeded(dryRun: boolean): Promise<void>;
  /** Tries those again that stayed then, after a sweep that took out more; missing where nothing references them. */
  readonly takeLeft?: () => Promise<void>;
  /** Notes what was seeded and stays: for a cleanup that leaves it. */
  keepSeeded(): Promise<void>;
  /** The seeded rows and keys that certainly are ours and hold something else by now. */
  changed(): Promise<readonly ChangedSeed[]>;
  /** Takes those out that nothing references; `removed` is told how many went, as they go. */
  takeChanged(removed: (count: number) => void): Promise<void>;
  others(proof: Proof): Promise<readonly OtherRows[]>;
  /** In a dry run the statements are what would be run, with the rows that they would hit. */
  report(dryRun: boolean): StoreReceipt;
}

/** How many rows of a set were found in one database. */
export interface FoundSet {
  readonly set: NamedSet;
  /** It and those that it refers to, where the profile says something else by now. */
  readonly sets?: Sets;
  /** The set, and the table or key. */
  readonly what: string;
  /** The table, as {@link OtherRows} calls it; missing for a cache. */
  readonly table?: string;
  readonly count: number;
}

/** Rows of a set that a cleanup removed after the record of them was written. */
export interface RemovedBefore {
  readonly fingerprint: string;
  readonly rows: number;
  /** May be gone as well: the server no longer knows what became of their transaction. */
  readonly unknown: number;
}

/** What became of the transactions that were under way. */
export interface Late {
  /** How many there were. */
  readonly seen: number;
  /** Which go on: what they have written nobody can see yet. */
  readonly lines: readonly ReceiptLine[];
}

/** What a sweep did. */
export interface Swept {
  readonly deleted: number;
  readonly left: number;
  /** Of which tables or keys, where it deleted something. */
  readonly from: readonly SweptFrom[];
}

/** What a sweep took out of one table, or of the keys of one entry. */
export interface SweptFrom {
  readonly store: string;
  readonly shard: number | null;
  readonly what: string;
  readonly deleted: number;
}

/** Nothing was swept: the start of a sum. */
export const nothingSwept: Swept = { deleted: 0, left: 0, from: [] };

/** Both together. */
export function addSwept(one: Swept, other: Swept): Swept {
  return { deleted: one.deleted + other.deleted, left: one.left + other.left, from: [...one.from, ...other.from] };
}
