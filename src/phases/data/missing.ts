import type { SeededSet } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import type { ReceiptLine, ReceiptOthers } from '../../core/receipt.js';
import type { FoundSet } from '../../stores/kind/types.js';
import { fingerprintOf } from '../../stores/seeded-before.js';
import type { DataContext } from './lock.js';

/**
 * What was seeded and is not there under its keys when a cleanup begins: the test deleted it, or gave it another key. Of a table
 * the count of others' rows tells which, as far as they did not change it themselves: a row under another key is one of theirs.
 */
export function missingLines(context: DataContext, found: readonly FoundSet[], others: readonly ReceiptOthers[]): ReceiptLine[] {
  return recordsWith(context, found).flatMap(([record, sets]) => {
    const [set] = sets;
    const missing = (record.there ?? 0) - countOf(sets);
    return set === undefined || missing <= 0 ? [] : [missingLine(context, { record, set, missing }, others)];
  });
}

/** What is to be there still of each set once a cleanup removed some of it: of what was missing before, nobody knows more now. */
export function stillThere(context: DataContext, before: readonly FoundSet[], after: readonly FoundSet[]): SeededSet[] {
  const removed = new Map(recordsWith(context, before).map(([record, sets]) => [record, countOf(sets)]));
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

function countOf(sets: readonly FoundSet[]): number {
  return sets.reduce((sum, { count }) => sum + count, 0);
}

interface MissingRows {
  readonly record: SeededSet;
  readonly set: FoundSet;
  readonly missing: number;
}

function missingLine(
  { named, profile }: DataContext,
  { record, set, missing }: MissingRows,
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
  const again = `loadctl seed ${named ?? `--env ${profile.environment}`}`;
  return {
    ...line,
    kind: 'unknown',
    why: `not there under ${isOne ? 'its key' : 'their keys'}, and ${counted}: ${isOne ? 'it' : 'they'} may have another key now`,
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
