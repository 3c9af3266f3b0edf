import type { SeededSet } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import type { ReceiptLine, ReceiptOthers } from '../../core/receipt.js';
import type { FoundSet, RemovedBefore } from '../../stores/kind/types.js';
import { fingerprintOf } from '../../stores/seeded-before.js';
import type { DataContext } from './lock.js';

/** How it was when a cleanup began. */
export interface Begun {
  /** What was there of the sets. */
  readonly found: readonly FoundSet[];
  /** What cleanups before it removed, which the record does not know of. */
  readonly removed: readonly RemovedBefore[];
}

/**
 * What was seeded and is not there under its keys when a cleanup begins: the test deleted it, or gave it another key. Of a table
 * the count of others' rows tells which, as far as they did not change it themselves: a row under another key is one of theirs.
 */
export function missingLines(context: DataContext, { found, removed }: Begun, others: readonly ReceiptOthers[]): ReceiptLine[] {
  return recordsWith(context, found).flatMap(([record, sets]) => {
    const [set] = sets;
    const { rows, unknown: forgotten } = removedOf(record, removed);
    const missing = (record.there ?? 0) - countOf(sets) - rows;
    return set === undefined || missing <= 0 ? [] : [missingLine(context, { record, set, missing, forgotten }, others)];
  });
}

/** What is to be there still of each set once a cleanup removed some of it: of what was missing before, nobody knows more now. */
export function stillThere(context: DataContext, begun: Begun, after: readonly FoundSet[]): SeededSet[] {
  const before = recordsWith(context, begun.found);
  const removed = new Map(before.map(([record, sets]) => [record, countOf(sets) + removedOf(record, begun.removed).rows]));
  for (const [record, sets] of recordsWith(context, after)) removed.set(record, (removed.get(record) ?? 0) - countOf(sets));
  return (context.before?.seeded ?? []).map((record) => {
    const gone = removed.get(record);
    return gone === undefined || record.there === undefined ? record : { ...record, there: Math.max(0, record.there - gone) };
  });
}

/** The records that tell how much was seeded, each with what was found of it in every database. */
function recordsWith({ profile, before }: DataContext, found: readonly FoundSet[]): [SeededSet, readonly FoundSet[]][] {
  const known = found.map((each) => ({ each, print: fingerprintOf({ ...profile, seed: each.sets ?? profile.seed }, each.set) }));
  return (before?.seeded ?? []).flatMap((record): [SeededSet, readonly FoundSet[]][] => {
    const same = known.filter(({ print }) => print === record.fingerprint).map(({ each }) => each);
    // A set that had more rows before is found as it was, too: that has all of them.
    const most = Math.max(0, ...same.map(({ set }) => set.rows));
    return record.there === undefined || same.length === 0 ? [] : [[record, same.filter(({ set }) => set.rows === most)]];
  });
}

function removedOf({ fingerprint }: SeededSet, removed: readonly RemovedBefore[]): Pick<RemovedBefore, 'rows' | 'unknown'> {
  const ofSet = removed.filter((each) => each.fingerprint === fingerprint);
  const sum = (pick: (each: RemovedBefore) => number) => ofSet.reduce((total, each) => total + pick(each), 0);
  return { rows: sum(({ rows }) => rows), unknown: sum(({ unknown }) => unknown) };
}

function countOf(sets: readonly FoundSet[]): number {
  return sets.reduce((sum, { count }) => sum + count, 0);
}

interface MissingRows {
  readonly record: SeededSet;
  readonly set: FoundSet;
  readonly missing: number;
  /** Of these a cleanup may have removed as many in a transaction of which the server knows nothing any more. */
  readonly forgotten: number;
}

function missingLine(
  { named, profile }: DataContext,
  { record, set, missing, forgotten }: MissingRows,
  others: readonly ReceiptOthers[],
): ReceiptLine {
  const line = { store: record.store, shard: null, what: set.what, count: missing };
  const isOne = missing === 1;
  const gone = isOne ? 'it was deleted' : 'they were deleted';
  if (set.table === undefined) return { ...line, kind: 'missing', why: `${gone}, renamed or evicted since` };
  const grown = growthOf(record.store, set.table, others);
  if (grown === 0) return { ...line, kind: 'missing', why: `${gone} since, as others have no more rows than before` };
  const counted =
    grown === undefined
      ? 'rows of others were not counted before and after'
      : `others have ${grown === 1 ? '1 row' : `${formatCount(grown)} rows`} more than before`;
  const cutOff =
    forgotten === 0 ? '' : `; a cleanup that was cut off may have removed ${formatCount(forgotten)}, the server no longer knows`;
  const again = `loadctl seed ${named ?? `--env ${profile.environment}`}`;
  return {
    ...line,
    kind: 'unknown',
    why: `not there under ${isOne ? 'its key' : 'their keys'}, and ${counted}: ${isOne ? 'it' : 'they'} may have another key now${cutOff}`,
    command: `look for ${isOne ? 'it' : 'them'} in ${record.store}.${set.table}; if the test deleted ${isOne ? 'it' : 'them'}, seed again and clean up: ${again}`,
  };
}

/** How many more rows of others a table has than before; undefined where nobody counted. */
function growthOf(store: string, table: string, others: readonly ReceiptOthers[]): number | undefined {
  const counts = others.filter((each) => each.store === store && each.table === table);
  if (counts.length === 0) return undefined;
  return counts.reduce<number | undefined>(
    (sum, { before, after }) => (sum === undefined || before === null ? undefined : sum + Math.max(0, after - before)),
    0,
  );
}
