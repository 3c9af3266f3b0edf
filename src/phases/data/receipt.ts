import type { OtherRows, Receipt, ReceiptLine, ReceiptOthers } from '../../core/receipt.js';
import { receiptVersion } from '../../core/receipt.js';
import type { StoreReceipt } from '../../stores/kind/types.js';

/** What a receipt says that no store knows. */
export type ReceiptHead = Pick<Receipt, 'environment' | 'run' | 'dryRun' | 'startedAt' | 'finishedAt' | 'by' | 'proof' | 'countedBefore'>;

/** What the whole cleanup adds to what the stores say. */
export interface ReceiptRest {
  readonly others: readonly ReceiptOthers[];
  readonly lines: readonly ReceiptLine[];
  readonly notes: readonly string[];
}

/** Puts the stores' parts together. CLEAN is only what was counted, is zero, and has no line that says otherwise. */
export function makeReceipt(head: ReceiptHead, parts: readonly StoreReceipt[], rest: ReceiptRest): Receipt {
  const rows = parts.flatMap((part) => part.rows);
  const keys = parts.flatMap((part) => part.keys);
  const lines = [...parts.flatMap((part) => part.lines), ...rest.lines];
  const snapshots = parts.flatMap((part) => part.snapshots ?? []);
  const empty = [...rows, ...keys].every(({ left }) => left === 0);
  return {
    version: receiptVersion,
    ...head,
    rows,
    keys,
    others: rest.others,
    statements: parts.flatMap((part) => part.statements),
    lines,
    ...(snapshots.length === 0 ? {} : { snapshots }),
    proven: !head.dryRun && empty && lines.every(({ kind }) => kind === 'kept' || kind === 'missing'),
    notes: [...parts.flatMap((part) => part.notes), ...rest.notes],
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
