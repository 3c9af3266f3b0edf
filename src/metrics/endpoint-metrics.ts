import type { Criterion } from '../core/criterion.js';
import type { LiveNumbers } from './live-numbers.js';
import { readTotal } from './live-total.js';
import { usualPercentiles } from './merge.js';
import { baseName, findMetric, isSpeakable, metricIdentity, subMetricKey, tagsIn } from './metric-key.js';
import type { Summary, SummaryMetric } from './summary.js';
import { windowKey } from './window.js';

/** What is told of each endpoint, with a threshold on it that always holds. */
const ofEndpoint = { http_req_duration: 'max>=0', http_reqs: 'count>=0', http_req_failed: 'rate>=0' } as const;

/** The same of the judged window, of all endpoints together. */
const ofWindow = { ...ofEndpoint, iterations: 'count>=0', checks: 'rate>=0' } as const;

/** What a test tells apart. */
export interface Apart {
  /** The names of its requests, as far as the profile says them. */
  readonly endpoints: readonly string[];
  readonly criteria: readonly Criterion[];
  /** The metrics that the script's own thresholds are about. */
  readonly thresholds: readonly string[];
  /** Whether iterations of the judged window carry its tag. */
  readonly tagged: boolean;
}

/**
 * Thresholds that bring into being, for the judged window, the metrics of the SLA and of each endpoint that the profile,
 * the SLA or a threshold of the script names. They always hold; k6's own view of them is not asked. Each one costs k6 some
 * work a sample: where nothing is told apart, the whole test's own metrics will do. Names that k6 has no spelling for are
 * read off the live data.
 */
export function thresholdsApart({ endpoints, criteria, thresholds, tagged }: Apart): Record<string, string[]> {
  const ofClients = criteria.filter(
    ({ source, metric }) => source === 'client' && metric !== 'availability' && Object.values(tagsIn(metric)).every(isSpeakable),
  );
  const named = [...endpoints, ...[...ofClients.map(({ metric }) => metric), ...thresholds].flatMap(endpointIn)];
  const names = new Set(named.filter(isSpeakable));
  const wanted = [
    ...(tagged ? Object.entries(ofWindow) : []),
    ...[...names].flatMap((name) => Object.entries(ofEndpoint).map(([metric, holds]) => [endpointKey(metric, name), holds] as const)),
    ...ofClients.map(({ metric, stat }) => [metric, `${stat}>=0`] as const),
  ];
  return Object.fromEntries(wanted.map(([metric, holds]) => [tagged ? windowKey(metric) : metric, [holds]]));
}

/** What is told of each scenario. */
const ofScenario = ['iterations', 'http_reqs', 'http_req_failed', 'http_req_duration', 'dropped_iterations'];

/**
 * The metrics of endpoints and scenarios that nobody named beforehand, of the judged window: read off what the runners
 * pushed while they ran, so that percentiles have the bounds of a histogram bucket.
 */
export function unnamedParts(
  numbers: LiveNumbers,
  summary: Pick<Summary, 'metrics' | 'durationMs'>,
  tagged: boolean,
): Record<string, SummaryMetric> {
  const inWindow = (key: string) => (tagged ? windowKey(key) : key);
  const known = new Set(Object.keys(summary.metrics).map(metricIdentity));
  const seconds = summary.durationMs / 1000;
  const partsBy = (tag: string, metric: string) => {
    const whole = findMetric(summary.metrics, inWindow(metric));
    return [...numbers.totalsBy(tag, inWindow(metric))].map(([value, total]) => {
      const part = readTotal(total, usualPercentiles, { low: seconds, high: seconds });
      return [inWindow(subMetricKey(metric, { [tag]: value })), within(part, whole)] as const;
    });
  };
  const endpoints = Object.keys(ofEndpoint).flatMap((metric) => partsBy('name', metric));
  const scenarios = ofScenario.flatMap((metric) => partsBy('scenario', metric));
  return Object.fromEntries([...endpoints, ...scenarios].filter(([key]) => !known.has(metricIdentity(key))));
}

/** A part's samples lie between the smallest and the largest of the whole, which are known exactly. */
function within(part: SummaryMetric, whole: SummaryMetric | undefined): SummaryMetric {
  const { min, max } = whole?.values ?? {};
  if (part.type !== 'trend' || min === undefined || max === undefined) return part;
  const clamp = (value: number) => Math.min(max, Math.max(min, value));
  const all = <T>(entries: Readonly<Record<string, T>>, change: (value: T) => T) =>
    Object.fromEntries(Object.entries(entries).map(([stat, value]) => [stat, stat === 'count' ? value : change(value)]));
  return { ...part, values: all(part.values, clamp), bounds: all(part.bounds, ([low, high]) => [clamp(low), clamp(high)] as const) };
}

function endpointKey(metric: string, name: string): string {
  return subMetricKey(metric, { name });
}

/** The endpoint that a metric of requests is about. */
function endpointIn(key: string): string[] {
  const { name } = tagsIn(key);
  return name !== undefined && baseName(key).startsWith('http_req') ? [name] : [];
}
