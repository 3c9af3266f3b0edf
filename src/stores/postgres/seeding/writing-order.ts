import type { SeededRows } from '../rows/seeded-rows.js';
import { countNumbers, numbersAbove, partOf, type RowNumbers } from '../rows/shards.js';
import type { SetOnItsWay } from './database.js';

/** More digits than a number has that JavaScript counts exactly. */
const mostDigits = 16;

/**
 * Numbers in the order in which their rows are written. As texts they ascend among those with as many digits: what comes after all
 * that an index holds goes in behind its last page, for half of what it costs to look for its place. So the longest, nine
 * tenths of them, go first, while the index has none of the shorter ones, such as `user-99`, to be in front of.
 */
export function writingOrder({ own }: Pick<SeededRows, 'own'>, numbers: readonly RowNumbers[]): RowNumbers[] {
  const [carrying] = own?.carriers ?? [];
  if (carrying?.column.kind !== 'text' || carrying.inverse.carrier.kind !== 'n') return [...numbers];
  const { plus } = carrying.inverse.carrier;
  const ordered: RowNumbers[] = [];
  let shorter = [...numbers];
  for (let digits = mostDigits; digits > 0; digits -= 1) {
    const [below, above] = splitAt(shorter, 10 ** (digits - 1) - plus);
    ordered.push(...above);
    shorter = below;
  }
  return [...ordered, ...shorter];
}

/** Those below `n`, and the others. */
export function splitAt(numbers: readonly RowNumbers[], n: number): [RowNumbers[], RowNumbers[]] {
  const above = numbers.map((each) => numbersAbove(each, n - 1));
  const below = numbers.map((each, index) => partOf(each, 0, countNumbers(each) - countNumbers(above[index] ?? each)));
  const some = (parts: readonly RowNumbers[]) => parts.filter((part) => countNumbers(part) > 0);
  return [some(below), some(above)];
}

/** Where the `count` rows begin that are tried of each set: the same ones, as they may refer to each other, and in no way of the order. */
export function firstTried(sets: readonly SetOnItsWay[], count: number): number {
  if (sets.some(({ isTree }) => isTree)) return 1;
  // Of shorter ones all are tried.
  const long = sets.filter(({ absent, rows }) => absent.length > 0 && rows.set.rows > count);
  const last = Math.min(...long.map(({ rows }) => rows.set.rows - count + 1));
  return long.length === 0 ? 1 : 10 ** (String(last).length - 1);
}
