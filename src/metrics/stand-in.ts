import type { RunnerId } from '../core/ids.js';
import type { LiveNumbers } from './live-numbers.js';
import type { LiveTotal } from './live-total.js';
import { mergeGroups } from './merge-groups.js';
import { baseName } from './metric-key.js';
import { bucketsOf } from './native-histogram.js';
import type { RunnerMetric, RunnerSummary } from './runner-summary.js';

/** What a runner pushed before it was lost, in the place of the summary that it did not write. */
export interface StandIn extends RunnerSummary {
  /** Rates that it pushed as shares only: how many samples they are of is not known, so they are left out. */
  readonly uncounted: readonly string[];
}

/**
 * The numbers of a lost runner as far as they were received; undefined where nothing was. `others` are the summaries of
 * the runners that wrote one (they know each metric's kind), `keys` further metrics and sub-metrics that are wanted.
 */
export function standIn(
  numbers: LiveNumbers,
  runner: RunnerId,
  others: readonly RunnerSummary[],
  keys: readonly string[],
): StandIn | undefined {
  const kinds = new Map(others.flatMap(({ metrics }) => Object.entries(metrics)).map(([key, { type }]) => [key, type]));
  const pushed = numbers.metricsOf(runner).filter((name) => ![...kinds.keys()].some((key) => baseName(key) === name));
  const metrics: Record<string, RunnerMetric> = {};
  const uncounted: string[] = [];
  for (const key of new Set([...kinds.keys(), ...keys, ...pushed])) {
    const total = numbers.totalOf(runner, key);
    const metric = total && runnerMetric(total);
    const known = kinds.get(key);
    if (metric !== undefined && (known === undefined || known === metric.type)) metrics[key] = metric;
    else if (total?.kind === 'share') uncounted.push(key);
  }
  return Object.keys(metrics).length === 0 ? undefined : { metrics, rootGroup: mergeGroups([]), uncounted };
}

function runnerMetric(total: LiveTotal): RunnerMetric | undefined {
  const { contains } = total;
  switch (total.kind) {
    case 'counter':
      return { type: 'counter', contains, count: total.count };
    case 'rate':
      return { type: 'rate', contains, passes: total.passes, fails: total.total - total.passes };
    case 'share':
    case 'stats':
      return undefined;
    case 'gauge':
      return { type: 'gauge', contains, empty: false, value: total.high, min: total.min, max: total.max };
    case 'trend': {
      const { count, sum } = total.histogram;
      const buckets = bucketsOf(total.histogram, total.scale);
      const samples = buckets.reduce((all, bucket) => all + bucket.count, 0);
      const avg = (sum * total.scale) / count;
      return {
        type: 'trend',
        contains,
        ...(Number.isFinite(avg) ? { avg } : {}),
        grid: { count: samples, levels: [], values: [], buckets },
      };
    }
  }
}
