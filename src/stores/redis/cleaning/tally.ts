/** Counts by server, host:port. */
export type Counts = ReadonlyMap<string, number>;

/** A sum by server that goes on growing. */
export interface Tally {
  add(node: string, count: number): void;
  readonly counts: Counts;
}

export function tally(): Tally {
  const counts = new Map<string, number>();
  return { counts, add: (node, count) => void counts.set(node, (counts.get(node) ?? 0) + count) };
}

/** All servers together. */
export function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
