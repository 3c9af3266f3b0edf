import type { Milliseconds } from '../../core/quantities.js';
import type { Series, Stretch } from './series.js';

/** How a queue drained. */
export interface Drained {
  /** How long it took after the load; where it is not over, how long it was watched. */
  readonly ms: Milliseconds;
  readonly isOver: boolean;
  /** Samples after the load. */
  readonly samples: number;
  readonly longestHoleMs: Milliseconds;
}

/** How long a queue took, after the load, to be no deeper than before it; undefined where it was not watched at both ends. */
export function drainOf({ segments, samples }: Series, load: Stretch): Drained | undefined {
  const before = segments.findLast(({ from }) => from < load.from);
  const after = segments.filter(({ to }) => to > load.to);
  const last = after.at(-1);
  if (before === undefined || last === undefined) return undefined;
  const back = after.find(({ value }) => value <= before.value);
  const seen = samples.filter((t) => t > load.to);
  const watched = [load.to, ...seen];
  return {
    ms: Math.max(0, (back?.from ?? last.from) - load.to),
    isOver: back !== undefined,
    samples: seen.length,
    longestHoleMs: Math.round(watched.reduce((most, t, index) => Math.max(most, t - (watched[index - 1] ?? t)), 0)),
  };
}
