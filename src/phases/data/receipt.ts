import type { OtherRows, Receipt, ReceiptOthers } from '../../core/receipt.js';
import type { StoreReceipt } from '../../stores/kind/types.js';

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
