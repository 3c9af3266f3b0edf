import type { CleanedKeys, CleanedRows, CleanupStatement, OtherRows, Proof, StoreReceipt } from '../../stores/kind/types.js';

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
  readonly run?: string;
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

/** What a receipt says that no store knows. */
export type ReceiptHead = Pick<Receipt, 'environment' | 'run' | 'dryRun' | 'startedAt' | 'finishedAt' | 'by' | 'proof' | 'countedBefore'>;

/** Puts the stores' parts together. Proven is only what was counted, is zero, and was `quiet` when it was counted again. */
export function makeReceipt(
  head: ReceiptHead,
  parts: readonly StoreReceipt[],
  others: readonly ReceiptOthers[],
  outcome: { readonly quiet: boolean; readonly notes: readonly string[] },
): Receipt {
  const rows = parts.flatMap((part) => part.rows);
  const keys = parts.flatMap((part) => part.keys);
  const empty = [...rows, ...keys].every(({ left }) => left === 0);
  return {
    version: 1,
    ...head,
    rows,
    keys,
    others,
    statements: parts.flatMap((part) => part.statements),
    proven: !head.dryRun && outcome.quiet && empty && parts.every((part) => part.countable),
    notes: [...parts.flatMap((part) => part.notes), ...outcome.notes],
  };
}

/** Sets the counts and sums from after the cleanup beside those from before the seeding. */
export function compareOthers(before: readonly OtherRows[] | undefined, after: readonly OtherRows[]): ReceiptOthers[] {
  const key = ({ store, shard, node, table }: Omit<OtherRows, 'rows' | 'sum'>) => JSON.stringify([store, shard, node, table]);
  const known = new Map((before ?? []).map((count) => [key(count), count]));
  return after.map(({ rows, sum, ...place }) => {
    const earlier = known.get(key(place));
    return {
      ...place,
      before: earlier?.rows ?? null,
      after: rows,
      ...(earlier?.sum === undefined ? {} : { sumBefore: earlier.sum }),
      ...(sum === undefined ? {} : { sumAfter: sum }),
    };
  });
}
