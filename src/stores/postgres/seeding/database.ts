import type { Milliseconds } from '../../../core/quantities.js';
import type { SetState } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import { countNumbers, type RowNumbers } from '../rows/shards.js';

/** One database that is seeded, on its way. */
export interface Database {
  readonly session: Session;
  /** Further connections that write, from {@link Seeding} `ready` on. */
  readonly helpers: Session[];
  /** In the profile's order. */
  sets: readonly SetOnItsWay[];
  /** Sets as they were seeded before, where the profile says something else now. */
  former: readonly SeededRows[];
  /** Whether the first rows of all sets were tried together. */
  isBegun: boolean;
}

/** One set in one database: what was found of it, and what this seed wrote. */
export interface SetOnItsWay {
  readonly rows: SeededRows;
  /** Whether rows of it reference rows of it: then one after the other is written. */
  readonly isTree: boolean;
  /** Whether triggers, rules or row-level security look at what is inserted: then each part is read back before it is in. */
  readonly isWatched: boolean;
  /** What is to be written. */
  absent: RowNumbers[];
  /** How many were there as they should be. */
  there: number;
  readonly written: RowNumbers[];
  /** The numbers of the transactions that wrote them. */
  readonly transactions: string[];
  /** The last page that its table had when it was checked, if it had rows: what is written goes there and behind, mostly. */
  firstPage: number;
  /** What was sent in a transaction whose end nobody heard of. */
  unknown: readonly Sent[];
  /** What could not be taken back, once that was tried. */
  left: number | undefined;
  /** How long it took so far, from check to proof. */
  elapsedMs: Milliseconds;
}

/** Rows, and the number of the transaction that they were sent in. */
export interface Sent {
  readonly transaction: string;
  readonly numbers: RowNumbers;
}

/** How many rows these are. */
export function sumOf(numbers: readonly RowNumbers[]): number {
  return numbers.reduce((sum, each) => sum + countNumbers(each), 0);
}

/** What is known of each set. */
export function stateOf({ session, sets }: Database): SetState[] {
  return sets.map(({ rows, there, written, unknown, left }) => ({
    what: `${rows.table.inProfile} in ${session.place.name}`,
    unit: 'rows',
    all: countNumbers(rows.numbers),
    there: there + (left ?? sumOf(written)),
    written: left ?? sumOf(written),
    unknown: left === undefined ? sumOf(unknown.map(({ numbers }) => numbers)) : 0,
  }));
}
