import type { Criterion, Operator } from '../core/criterion.js';
import type { Outcome } from '../core/verdict.js';
import { percentileLevel } from './quantile-grid.js';
import type { SummaryMetric } from './summary.js';
import { cannotFail, isNeverAddedTo } from './zero-is-data.js';

/** A value with the bounds it certainly lies in; all three equal where it is exact. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A value that is exact. */
export function exactly(value: number): Measured {
  return { value, low: value, high: value };
}

/**
 * A stat of a metric; undefined without data. A percentile is found in whichever way it is written. A counter that was
 * never added to is a measured zero; whether anything was measured at all is the judge's question.
 */
export function readStat(metric: SummaryMetric, stat: string): Measured | undefined {
  const key = statKey(metric, stat);
  const value = metric.values[key];
  if (value === undefined) return undefined;
  const [low, high] = metric.bounds[key] ?? [value, value];
  return { value, low, high };
}

function statKey(metric: SummaryMetric, stat: string): string {
  const level = percentileLevel(stat);
  if (level === undefined || stat in metric.values) return stat;
  return Object.keys(metric.values).find((key) => percentileLevel(key) === level) ?? stat;
}

/** Holds a measured value against a limit; `undecided` where some values within the bounds pass and others fail. */
export function decide(operator: Operator, limit: number, { low, high }: Measured): Extract<Outcome, 'pass' | 'fail' | 'undecided'> {
  const [atLow, atHigh] = [holds(low, operator, limit), holds(high, operator, limit)];
  if (low === high || isOrdering(operator)) return atLow !== atHigh ? 'undecided' : atLow ? 'pass' : 'fail';
  if (limit >= low && limit <= high) return 'undecided';
  return operator === '!=' ? 'pass' : 'fail';
}

function isOrdering(operator: Operator): boolean {
  return operator.startsWith('<') || operator.startsWith('>');
}

function holds(value: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
    case '===':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}

/** How a metric came out against a limit. */
export interface Evaluated {
  readonly outcome: Outcome;
  /** Missing without samples. */
  readonly measured?: Measured;
  /** A rate of the script's own that has no samples because nothing went wrong: it counts as 0. */
  readonly neverAdded?: true;
}

/** How the metric of this key comes out against a limit. Without samples zero is data where it can be told from nothing. */
export function evaluate(key: string, limit: Pick<Criterion, 'stat' | 'operator' | 'limit'>, metric: SummaryMetric | undefined): Evaluated {
  const measured = metric && readStat(metric, limit.stat);
  if (measured !== undefined) return { outcome: decide(limit.operator, limit.limit, measured), measured };
  if (metric !== undefined && isNeverAddedTo(key, metric, limit)) {
    return { outcome: decide(limit.operator, limit.limit, exactly(0)), measured: exactly(0), neverAdded: true };
  }
  return { outcome: metric !== undefined && cannotFail(metric, limit) ? 'pass' : 'no-data' };
}
