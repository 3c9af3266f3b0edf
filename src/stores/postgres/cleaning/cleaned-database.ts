import type { ReceiptLine } from '../../../core/receipt.js';
import type { Sets } from '../../../profile/templates/sets.js';
import type { Hazard } from '../../kind/types.js';
import type { Family } from '../catalog/family.js';
import type { Session } from '../connection/session.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { Reference } from './references.js';
import { statementLog } from './statement-log.js';
import type { Doubt } from './take-seeded.js';

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
  targets: readonly Target[];
  /** Why entries are left alone. */
  blocked: ReadonlyMap<Target, Hazard>;
  references: readonly Reference[];
  /** What belongs to every listed table, as it was looked at last. */
  families: ReadonlyMap<number, Family>;
  /** The ids of rows that are gone and by which rows of an entry were found, which no key holds to them. */
  readonly lost: Map<Target, string[]>;
  /** What the last sweep saw all of: `pg_current_snapshot()` before it counted. */
  snapshot: string | undefined;
  seeded: readonly SeededRows[];
  former: readonly FormerRows[];
  /** Why the rows of a set are left alone. */
  doubts: ReadonlyMap<SeededRows, Doubt>;
  readonly tallies: Map<Target, RowTally>;
  readonly seededTallies: Map<SeededRows, RowTally>;
  /** How many rows of a set went while somebody who held them was waited for, and not by this cleanup. */
  readonly vanished: Map<SeededRows, number>;
  /** Why rows of a target did not go, when they were last tried. */
  readonly troubles: Map<Target, string>;
  /** What is known to be left, and what cannot be known. */
  readonly lines: ReceiptLine[];
  /** How many deletes were begun: makes their steps' names unique. */
  deletes: number;
}

/** A database of which nothing is known yet. */
export function cleanedDatabase(session: Session): CleanedDatabase {
  return {
    session,
    journal: statementLog(session),
    targets: [],
    blocked: new Map(),
    references: [],
    families: new Map(),
    lost: new Map(),
    snapshot: undefined,
    seeded: [],
    former: [],
    doubts: new Map(),
    tallies: new Map(),
    seededTallies: new Map(),
    vanished: new Map(),
    troubles: new Map(),
    lines: [],
    deletes: 0,
  };
}

/** The entries that are deleted from. */
export function openTargets({ targets, blocked }: CleanedDatabase): Target[] {
  return targets.filter((target) => !blocked.has(target));
}
