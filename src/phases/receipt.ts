import type { CleanedKeys, CleanedRows, CleanupStatement, OtherRows, StoreReceipt } from '../stores/types.js';

/** Rows that are not test data in one table, before seeding and after cleanup; `before` is null where nobody counted. */
export interface ReceiptOthers {
  readonly store: string;
  readonly shard: number | null;
  readonly table: string;
  readonly before: number | null;
  readonly after: number;
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
  readonly rows: readonly CleanedRows[];
  readonly keys: readonly CleanedKeys[];
  readonly others: readonly ReceiptOthers[];
  readonly statements: readonly CleanupStatement[];
  /** Whether nothing of the test is left, counted twice by a role that sees every row. */
  readonly proven: boolean;
  readonly notes: readonly string[];
}

/** What a receipt says that no store knows. */
export type ReceiptHead = Pick<Receipt, 'environment' | 'dryRun' | 'startedAt' | 'finishedAt' | 'by'> & { readonly run?: string };

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

/** Sets the counts from after the cleanup beside those from before the seeding. */
export function compareOthers(before: readonly OtherRows[] | undefined, after: readonly OtherRows[]): ReceiptOthers[] {
  const key = ({ store, shard, table }: Omit<OtherRows, 'rows'>) => JSON.stringify([store, shard, table]);
  const known = new Map((before ?? []).map((count) => [key(count), count.rows]));
  return after.map(({ rows, ...place }) => ({ ...place, before: known.get(key(place)) ?? null, after: rows }));
}
