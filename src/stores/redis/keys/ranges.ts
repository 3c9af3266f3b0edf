/** A set of whole numbers as ranges: a million that follow one another are one. */
export interface Ranges {
  /** Adds a number that is not smaller than the last one. */
  add(n: number): void;
  has(n: number): boolean;
  size(): number;
  [Symbol.iterator](): Iterator<readonly [from: number, to: number]>;
}

export function ranges(): Ranges {
  const all: [from: number, to: number][] = [];
  return {
    add(n) {
      const last = all.at(-1);
      if (last !== undefined && n <= last[1] + 1) last[1] = Math.max(n, last[1]);
      else all.push([n, n]);
    },
    has(n) {
      let [low, high] = [0, all.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((all[middle]?.[1] ?? 0) < n) low = middle + 1;
        else high = middle;
      }
      return (all[low]?.[0] ?? Number.POSITIVE_INFINITY) <= n;
    },
    size: () => all.reduce((sum, [from, to]) => sum + to - from + 1, 0),
    [Symbol.iterator]: () => all[Symbol.iterator](),
  };
}
