/** Lets work through, so much at a time; the rest waits for its turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** A {@link Gate} for `width` pieces of work at a time. */
export function makeGate(width: number): Gate {
  const waiting: (() => void)[] = [];
  let free = width;
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
