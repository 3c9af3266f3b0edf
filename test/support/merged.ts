import { mergedGroups, mergedMetrics, type ReadOptions } from '../../src/metrics/merge.js';
import type { RunnerSummary } from '../../src/metrics/runner-summary.js';
import type { Summary } from '../../src/metrics/summary.js';

/** What runners measured, merged at once. */
export function mergeRunnerSummaries(runners: readonly RunnerSummary[], options: ReadOptions): Pick<Summary, 'metrics' | 'rootGroup'> {
  return { metrics: Object.fromEntries(mergedMetrics(runners, options)), rootGroup: mergedGroups(runners) };
}
