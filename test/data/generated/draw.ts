/** Choices that one number decides: the same ones every time. */
export interface Draw {
  /** A whole number, both ends included. */
  int(low: number, high: number): number;
  /** Whether something comes true that does so in this share of all cases. */
  chance(share: number): boolean;
  of<T>(list: readonly [T, ...T[]] | readonly T[]): T;
  /** All of them, in another order. */
  shuffled<T>(list: readonly T[]): T[];
}

/** Draws by a seed (mulberry32: 32 bits of state, good enough for choices). */
export function drawFrom(seed: number): Draw {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const of = <T>(list: readonly T[]): T => {
    const index = int(0, list.length - 1);
    if (index >= list.length || list.length === 0) throw new Error('nothing to draw from');
    return list[index] as T;
  };
  const shuffled = <T>(list: readonly T[]): T[] => {
    const left = [...list];
    return list.map(() => left.splice(int(0, left.length - 1), 1)[0] as T);
  };
  return { int, of, shuffled, chance: (share) => next() < share };
}
