import { harmlessJson } from '../core/sanitise.js';
import { handleSummaryData, trendStatsOf } from '../metrics/handle-summary.js';
import type { SummaryGroup } from '../metrics/summary.js';
import type { Result } from './result/result.js';

type Handed = ReturnType<typeof handleSummaryData>['metrics'][string];

/**
 * k6-summary.json: the fleet's merged numbers in the flat shape of k6's `--summary-export`, which GitLab's load performance
 * widget and old tools of k6 read; undefined where nothing was measured. A threshold is true where it was crossed, as it is there.
 */
export function k6Summary({ judged }: Result): string | undefined {
  if (judged?.summary === undefined) return undefined;
  const { record, summary } = judged;
  const own = (record.plan.options ?? {}) as Readonly<Record<string, unknown>>;
  const options = { summaryTrendStats: trendStatsOf(own), thresholds: record.scriptThresholds };
  const data = handleSummaryData(summary, { options, setupData: undefined, terminal: { stdout: false, stderr: false } });
  const metrics = Object.fromEntries(Object.entries(data.metrics).map(([key, metric]) => [key, flat(metric)]));
  return `${harmlessJson(JSON.stringify({ metrics, root_group: exported(data.root_group) }, null, 2))}\n`;
}

function flat({ type, values: { rate, ...values }, thresholds }: Handed): Record<string, unknown> {
  const crossed = Object.entries(thresholds ?? {}).map(([source, { ok }]) => [source, !ok] as const);
  return {
    ...values,
    ...(rate === undefined ? {} : { [type === 'rate' ? 'value' : 'rate']: rate }),
    ...(crossed.length === 0 ? {} : { thresholds: Object.fromEntries(crossed) }),
  };
}

/** Groups and checks by their names. */
function exported({ name, path, id, groups, checks }: SummaryGroup): Record<string, unknown> {
  return {
    name,
    path,
    id,
    groups: Object.fromEntries(groups.map((group) => [group.name, exported(group)])),
    checks: Object.fromEntries(checks.map((check) => [check.name, check])),
  };
}
