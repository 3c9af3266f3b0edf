import type { LiveNumbers } from '../../metrics/live-numbers.js';
import { readTotal } from '../../metrics/live-total.js';
import { addHistograms, type NativeHistogram } from '../../metrics/native-histogram.js';
import type { Labels, Sample } from './wire.js';

/**
 * Stats of trends under the names that k6's own output has for them, in seconds (`k6_http_req_duration_p95`). One series each, of all
 * requests: a dashboard that averages percentiles over tag sets (Grafana's 19665) is right only where there is nothing to average.
 */
export function statSamples(numbers: LiveNumbers, common: Labels, stats: readonly string[]): readonly Sample[] {
  if (stats.length === 0) return [];
  const trends = new Map<string, NativeHistogram[]>();
  for (const { metric, state } of numbers.series()) {
    if (!state.isTrend) continue;
    const of = trends.get(metric) ?? [];
    trends.set(metric, of);
    of.push(state.histogram);
  }
  return [...trends].flatMap(([metric, parts]) => {
    const histogram = addHistograms(parts);
    const { values, bounds } = readTotal({ kind: 'trend', contains: 'default', scale: 1, histogram }, stats, { low: 0, high: 0 });
    return stats.flatMap((stat): Sample[] => {
      // Of the least and the largest only the bucket is known: the middle of it is never far off.
      const [low, high] = bounds[stat] ?? [];
      const value = low === undefined || high === undefined ? values[stat] : (low + high) / 2;
      return value === undefined ? [] : [{ name: `k6_${metric}_${suffixOf(stat)}`, labels: common, value }];
    });
  });
}

/** `p(95)` is `p95`, `p(99.9)` is `p999`. */
function suffixOf(stat: string): string {
  return stat.replace(/[().]/g, '');
}
