import type { Milliseconds } from '../../core/quantities.js';

/** The smallest, the mean and the largest of some seconds: no peak is lost where they share a column. */
export interface Spread {
  readonly low: number;
  readonly mean: number;
  readonly high: number;
}

/** One column of a chart; a measure is missing where nothing was measured. */
export interface Column {
  /** Of the load, from its start. */
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  readonly values: Readonly<Record<string, Spread>>;
}

/** What is measured at a stretch of time, by its name. */
export interface Measured {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  readonly values: Readonly<Record<string, number | undefined>>;
}

/** Columns that are made while lines are read; what they take does not grow with the lines. */
export interface ColumnFold {
  add(measured: Measured): void;
  read(): Column[];
}

/** How columns are put together. */
export interface Folding {
  /** So many columns at most; where there would be more, each takes in two. */
  readonly most: number;
  /** Measures whose mean says nothing, percentiles: the largest of a column stands in for it. */
  readonly peaks?: ReadonlySet<string>;
}

/** As wide as charts with a crosshair are. */
export const mostColumns = 2000;

interface Growing {
  from: Milliseconds;
  to: Milliseconds;
  values: Map<string, Growth>;
}

interface Growth {
  low: number;
  high: number;
  /** Of values times how long each held. */
  area: number;
  ms: Milliseconds;
}

/** A {@link ColumnFold} of nothing yet. */
export function columnFold({ most, peaks = new Set() }: Folding): ColumnFold {
  let columns: Growing[] = [];
  let perColumn = 1;
  let inLast = 0;
  return {
    add: ({ from, to, values }) => {
      const last = columns.at(-1);
      const isFull = last === undefined || inLast >= perColumn;
      const column = isFull ? { from, to, values: new Map<string, Growth>() } : last;
      if (isFull) columns.push(column);
      inLast = isFull ? 1 : inLast + 1;
      take(column, growingOf(from, to, values));
      if (columns.length <= most) return;
      inLast += columns.length % 2 === 0 ? perColumn : 0;
      columns = columns.flatMap((one, index) => (index % 2 === 0 ? [together(one, columns[index + 1])] : []));
      perColumn *= 2;
    },
    read: () => columns.map(({ from, to, values }) => ({ from, to, values: spreads(values, peaks) })),
  };
}

function growingOf(from: Milliseconds, to: Milliseconds, values: Measured['values']): Growing {
  const ms = Math.max(1, to - from);
  const measured = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { low: value, high: value, area: value * ms, ms }] as const],
  );
  return { from, to, values: new Map(measured) };
}

function together(one: Growing, other: Growing | undefined): Growing {
  if (other !== undefined) take(one, other);
  return one;
}

function take(into: Growing, other: Growing): void {
  into.to = other.to;
  for (const [name, { low, high, area, ms }] of other.values) {
    const before = into.values.get(name);
    const now = before ?? { low, high, area: 0, ms: 0 };
    into.values.set(name, { low: Math.min(now.low, low), high: Math.max(now.high, high), area: now.area + area, ms: now.ms + ms });
  }
}

function spreads(values: ReadonlyMap<string, Growth>, peaks: ReadonlySet<string>): Column['values'] {
  return Object.fromEntries(
    [...values].map(([name, { low, high, area, ms }]) => [
      name,
      { low, mean: peaks.has(name) ? high : low === high ? low : area / ms, high },
    ]),
  );
}

/** The same columns, fewer of them: for drawings that are small, and for tables. */
export function fewer(columns: readonly Column[], most: number, peaks: ReadonlySet<string>): Column[] {
  const each = Math.max(1, Math.ceil(columns.length / most));
  return Array.from({ length: Math.ceil(columns.length / each) }, (_, index) => {
    const group = columns.slice(index * each, (index + 1) * each);
    const names = [...new Set(group.flatMap(({ values }) => Object.keys(values)))];
    const values = names.map((name) => [name, spreadOf(group, name, peaks)] as const);
    return { from: group[0]?.from ?? 0, to: group.at(-1)?.to ?? 0, values: Object.fromEntries(values) };
  });
}

function spreadOf(group: readonly Column[], name: string, peaks: ReadonlySet<string>): Spread {
  const parts = group.flatMap(({ from, to, values }) =>
    values[name] === undefined ? [] : [{ ms: Math.max(1, to - from), ...values[name] }],
  );
  const low = Math.min(...parts.map((part) => part.low));
  const high = Math.max(...parts.map((part) => part.high));
  const ms = parts.reduce((sum, part) => sum + part.ms, 0);
  const mean = parts.reduce((sum, part) => sum + part.mean * part.ms, 0) / ms;
  return { low, mean: peaks.has(name) ? high : low === high ? low : mean, high };
}
