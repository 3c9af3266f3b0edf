import type { Milliseconds } from '../../core/quantities.js';
import type { Column } from './columns.js';
import { grid } from './grid.js';
import { percentileNames } from './seconds.js';

/** The load of one of the runs of a comparison. */
export interface RunCourse {
  readonly run: string;
  /** One of those that are compared with the others. */
  readonly isNew: boolean;
  /** As {@link import('./seconds.js').SecondCourse} has them. */
  readonly columns: readonly Column[];
}

/** As many as a chart has styles for. */
export const mostCourses = 6;

/** One measure of several runs in columns that they share, each by its run's id; of a percentile the largest value that touches a column. */
export function sideBySide(courses: readonly RunCourse[], measure: string, endMs: Milliseconds): Column[] {
  const read = percentileNames.has(measure) ? 'high' : 'mean';
  const all = grid(endMs, 1000);
  for (const { run, columns } of courses)
    for (const { from, to, values } of columns) {
      const value = values[measure]?.[read];
      if (value !== undefined) all.add(run, { from, to }, value);
    }
  return all.read().map(({ values, ...stretch }) => ({
    ...stretch,
    values: Object.fromEntries(
      Object.entries(values).map(([run, spread]) => [run, { low: spread[read], mean: spread[read], high: spread[read] }]),
    ),
  }));
}
