import { parseGoFloat } from './go-float.js';
import type { Bucket } from './native-histogram.js';

/**
 * A trend's quantile grid as one runner exported it. `levels` are percents (0…100, ascending), `values` the quantiles
 * at them; a level whose quantile is infinite is left out, and so are an infinite `min` and `max`.
 */
export interface Grid {
  readonly count: number;
  readonly min?: number;
  readonly max?: number;
  readonly levels: readonly number[];
  readonly values: ArrayLike<number>;
  /** In place of levels: the buckets that all samples lie in, where only these are known. */
  readonly buckets?: readonly Bucket[];
}

function* steps(from: number, to: number, decimals: number): Generator<string> {
  const scale = 10 ** decimals;
  for (let n = from; n <= to; n += 1) yield `p(${n / scale})`;
}

const denseLevels: readonly string[] = [...steps(1, 990, 1), ...steps(9901, 9999, 2), ...steps(99_991, 99_999, 3)];

/**
 * The value of k6's option `summaryTrendStats`: a dense grid (0.1 to 99 by 0.1, to 99.99 by 0.01, to 99.999 by 0.001),
 * what is needed beside it, and the percentiles in `extra`, written as they are (`p(99.90)`): those of the thresholds.
 */
export function summaryTrendStats(extra: readonly string[] = []): string[] {
  const percentiles = extra.filter((stat) => percentileLevel(stat) !== undefined);
  return [...new Set(['count', 'min', 'max', 'avg', 'med', ...denseLevels, ...percentiles])];
}

/** The level of `p(95)` or `med` in percent; undefined for any other stat. */
export function percentileLevel(stat: string): number | undefined {
  if (stat === 'med') return 50;
  const level = stat.startsWith('p(') && stat.endsWith(')') ? parseGoFloat(stat.slice(2, -1)) : undefined;
  return level !== undefined && level >= 0 && level <= 100 ? level : undefined;
}

/**
 * Makes a reader of the grids of one export: every trend in it has the same columns, which are sorted once. The reader
 * gives undefined for a trend without its count or a column.
 */
export function gridReader(): (shape: Readonly<Record<string, unknown>>) => Grid | undefined {
  let columns: Columns | undefined;
  return (shape) => {
    const { count, min, max } = shape;
    if (typeof count !== 'number') return undefined;
    if (count === 0) return { count, levels: [], values: [] };
    columns ??= columnsOf(shape);
    const cells = columns.stats.map((stat) => shape[stat]);
    if (cells.length === 0 || cells.includes(undefined)) return undefined;
    const isKnown = (value: unknown): value is number => typeof value === 'number';
    const values = cells.filter(isKnown);
    return {
      count,
      ...(typeof min === 'number' ? { min } : {}),
      ...(typeof max === 'number' ? { max } : {}),
      levels: values.length === cells.length ? columns.levels : columns.levels.filter((_, at) => isKnown(cells[at])),
      values,
    };
  };
}

interface Columns {
  readonly stats: readonly string[];
  readonly levels: readonly number[];
}

function columnsOf(shape: Readonly<Record<string, unknown>>): Columns {
  const byLevel = new Map<number, string>();
  for (const stat of Object.keys(shape)) {
    const level = percentileLevel(stat);
    if (level !== undefined) byLevel.set(level, stat);
  }
  const sorted = [...byLevel].sort(([a], [b]) => a - b);
  return { stats: sorted.map(([, stat]) => stat), levels: sorted.map(([level]) => level) };
}
