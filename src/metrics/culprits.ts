import type { Criterion } from '../core/criterion.js';
import { formatCount } from '../core/quantities.js';
import { readStat } from './evaluate.js';
import { formatValue } from './limit-text.js';
import { baseName, tagsIn } from './metric-key.js';
import type { FailedRequests, Summary, SummaryCheck, SummaryGroup, SummaryMetric } from './summary.js';
import { isOfWindow, isToldApart, windowTag } from './window.js';

const shown = 3;

/** Which requests, endpoint or checks a broken limit is about, in words; undefined where nothing more is known. */
export function culpritsOf({ metric, stat, unit }: Pick<Criterion, 'metric' | 'stat' | 'unit'>, summary: Summary): string | undefined {
  const { name } = tagsIn(metric);
  switch (baseName(metric)) {
    case 'http_req_failed':
    case 'availability':
      return failedInWords((summary.failed ?? []).filter((one) => name === undefined || one.name === name));
    case 'http_req_duration':
      return name === undefined ? slowest(summary, stat, unit) : undefined;
    case 'checks':
      return listed(failingChecks(summary.rootGroup).map(checkInWords));
    default:
      return undefined;
  }
}

/** `GET / answered 404 ×185`. */
export function failedInWords(failed: readonly FailedRequests[]): string | undefined {
  return listed(
    failed.map(({ name, status, count }) => `${name} ${status === 0 ? 'got no response' : `answered ${status}`} ×${formatCount(count)}`),
  );
}

/** All checks that failed at least once, those that failed most often first. */
export function failingChecks(group: SummaryGroup): SummaryCheck[] {
  const all = [...group.checks, ...group.groups.flatMap(failingChecks)];
  return all.filter(({ fails }) => fails > 0).sort((a, b) => b.fails - a.fails);
}

function checkInWords({ name, passes, fails }: SummaryCheck): string {
  return `"${name}" failed ${formatCount(fails)} of ${formatCount(passes + fails)}`;
}

/** The endpoint whose stat is the highest, where there are several. */
function slowest({ metrics }: Summary, stat: string, unit: Criterion['unit']): string | undefined {
  const toldApart = isToldApart(metrics);
  const endpoints = Object.entries(metrics).flatMap(([key, metric]) => {
    const name = baseName(key) === 'http_req_duration' ? endpointIn(key, toldApart) : undefined;
    const value = name === undefined ? undefined : statOf(metric, stat);
    return name === undefined || value === undefined ? [] : [{ name, value }];
  });
  const [worst] = endpoints.sort((a, b) => b.value - a.value);
  return worst === undefined || endpoints.length < 2 ? undefined : `worst ${worst.name}, ${formatValue(worst.value, unit)}`;
}

/** The `name` of a sub-metric of one endpoint, and nothing else, of the judged window. */
function endpointIn(key: string, toldApart: boolean): string | undefined {
  const { name, [windowTag.tag]: _part, ...others } = tagsIn(key);
  return isOfWindow(tagsIn(key)) === toldApart && Object.keys(others).length === 0 ? name : undefined;
}

function statOf(metric: SummaryMetric, stat: string): number | undefined {
  return (metric.values.count ?? 0) > 0 ? readStat(metric, stat)?.value : undefined;
}

function listed(texts: readonly string[]): string | undefined {
  if (texts.length === 0) return undefined;
  const more = texts.length > shown ? [`and ${texts.length - shown} more`] : [];
  return [...texts.slice(0, shown), ...more].join(', ');
}
