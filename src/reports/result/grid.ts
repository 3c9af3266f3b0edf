import type { Milliseconds } from '../../core/quantities.js';
import type { Stretch } from '../../metrics/servers/series.js';
import type { Column, Spread } from './columns.js';

/** Columns of equal length, for what several sources tell at moments of their own. What it takes does not grow with what is added. */
export interface Grid {
  /** Takes in what `name` was from one moment of the load to another. */
  add(name: string, stretch: Stretch, value: number): void;
  read(): Column[];
}

interface Cell {
  low: number;
  high: number;
  area: number;
  ms: Milliseconds;
}

const mostCells = 360;

/** The {@link Grid} of a load of this length; a column is `leastMs` long at least. */
export function grid(endMs: Milliseconds, leastMs: Milliseconds): Grid {
  const step = Math.max(leastMs, endMs / mostCells);
  const cells = Array.from({ length: Math.max(1, Math.ceil(endMs / step)) }, () => new Map<string, Cell>());
  return {
    add: (name, { from, to }, value) => {
      for (let index = Math.max(0, Math.floor(from / step)); index < Math.min(cells.length, to / step); index += 1) {
        const ms = Math.min(to, (index + 1) * step) - Math.max(from, index * step);
        const cell = cells[index]?.get(name) ?? { low: value, high: value, area: 0, ms: 0 };
        const [low, high] = [Math.min(cell.low, value), Math.max(cell.high, value)];
        cells[index]?.set(name, { low, high, area: cell.area + value * ms, ms: cell.ms + ms });
      }
    },
    read: () => cells.map((cell, index) => ({ from: index * step, to: Math.min(endMs, (index + 1) * step), values: spreadsOf(cell) })),
  };
}

function spreadsOf(cell: ReadonlyMap<string, Cell>): Readonly<Record<string, Spread>> {
  const spreads = [...cell].map(
    ([name, { low, high, area, ms }]) => [name, { low, mean: low === high || ms <= 0 ? low : area / ms, high }] as const,
  );
  return Object.fromEntries(spreads);
}
