/** A set of whole numbers as ranges: a million that follow one another are one. */
export interface Ranges {
  add(n: number): void;
  delete(n: number): void;
  has(n: number): boolean;
  size(): number;
  [Symbol.iterator](): Iterator<readonly [from: number, to: number]>;
}

/** `of`: ranges to begin with. */
export function ranges(of: Iterable<readonly [from: number, to: number]> = []): Ranges {
  const all = [...of].map(([from, to]): [number, number] => [from, to]);
  /** Where the range is that holds a number or comes next. */
  const placeOf = (n: number): number => {
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.[1] ?? 0) < n) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const rangeWith = (n: number) => {
    const at = placeOf(n);
    const [from, to] = all[at] ?? [Number.POSITIVE_INFINITY, 0];
    return from <= n ? { at, from, to } : undefined;
  };
  return {
    add(n) {
      const last = all.at(-1);
      if (last?.[1] === n - 1) {
        last[1] = n; // as it mostly is: they come in their order
        return;
      }
      if (rangeWith(n) !== undefined) return;
      const at = placeOf(n);
      const [before, behind] = [all[at - 1], all[at]];
      const from = before?.[1] === n - 1 ? before[0] : n;
      const to = behind?.[0] === n + 1 ? behind[1] : n;
      const first = from === n ? at : at - 1;
      all.splice(first, (to === n ? at : at + 1) - first, [from, to]);
    },
    delete(n) {
      const found = rangeWith(n);
      if (found === undefined) return;
      const { at, from, to } = found;
      const rest: [number, number][] = [
        [from, n - 1],
        [n + 1, to],
      ];
      all.splice(at, 1, ...rest.filter(([low, high]) => low <= high));
    },
    has: (n) => rangeWith(n) !== undefined,
    size: () => all.reduce((sum, [from, to]) => sum + to - from + 1, 0),
    [Symbol.iterator]: () => all[Symbol.iterator](),
  };
}
