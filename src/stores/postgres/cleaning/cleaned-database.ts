import type { ReceiptLine } from '../../../core/receipt.js';
import type { Sets } from '../../../profile/templates/sets.js';
import type { Removals } from '../../kind/removals.js';
import type { Hazard } from '../../kind/types.js';
import type { Around } from '../catalog/surroundings.js';
import type { Session } from '../connection/session.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { statementLog } from './statement-log.js';
import type { Doubt } from './what-stays.js';

/** How many rows are out, and how many are there still; null where that is not known. */
export interface RowTally {
  readonly deleted: number;
  readonly left: number | null;
}

/** A set as it was seeded before, found in a database. */
export interface FormerRows {
  readonly rows: SeededRows;
  /** It and those that it refers to, as they were then. */
  readonly sets: Sets;
  /** What to add to a cleanup that is to know it. */
  readonly again: string;
}

/** One database that is cleaned up, on its way: what was found in it, what went, what is left. */
export interface CleanedDatabase {
  readonly session: Session;
  readonly journal: ReturnType<typeof statementLog>;
  /** Every entry, children before what they refer to. */
  readonly targets: readonly Target[];
  /** Why entries are left alone. */
  readonly blocked: Map<Target, Hazard>;
  /** What surrounds every listed table, as it was looked at last. */
  around: Around;
  /** Where it is noted what goes. */
  readonly removals: Removals;
  /** The fingerprints of the sets of which it is known how many rows should be there. */
  readonly prints: ReadonlyMap<SeededRows, string>;
  /** What the last sweep saw all of: `pg_current_snapshot()` before it counted. */
  snapshot: string | undefined;
  readonly seeded: readonly SeededRows[];
  readonly former: readonly FormerRows[];
  /** Why the rows of a set are left alone. */
  readonly doubts: ReadonlyMap<SeededRows, Doubt>;
  readonly tallies: Map<Target, RowTally>;
  readonly seededTallies: Map<SeededRows, RowTally>;
  /** Which rows of a set stay, and why, when they were last tried; or why it could not be tried. */
  readonly setLines: Map<SeededRows, readonly ReceiptLine[]>;
  /** How many rows of a set went while somebody who held them was waited for, and not by this cleanup. */
  readonly vanished: Map<SeededRows, number>;
  /** Why rows of a target did not go, when they were last tried. */
  readonly troubles: Map<Target, string>;
  /** Entries of which single rows took long to fail. */
  readonly dear: Set<Target>;
  /** Entries that failed as a whole when they were last tried, which may have been for what the next look at the catalog knows. */
  readonly failed: Set<Target>;
  /** What is known to be left, and what cannot be known. */
  readonly lines: ReceiptLine[];
  /** How many deletes were begun: makes their steps' names unique. */
  deletes: number;
}

/** The entries that are deleted from. */
export function openTargets({ targets, blocked }: Pick<CleanedDatabase, 'targets' | 'blocked'>): Target[] {
  return targets.filter((target) => !blocked.has(target));
}

/** Whether an entry is left alone and nobody knows what is there of it: the table may be another one by now, or not to be read. */
export function isUnknown({ blocked, tallies }: Pick<CleanedDatabase, 'blocked' | 'tallies'>, target: Target): boolean {
  return blocked.has(target) && tallies.get(target)?.left === null;
}
