import type { Criterion } from '../core/criterion.js';
import type { LiveNumbers } from './live-numbers.js';
import { readTotal } from './live-total.js';
import { usualPercentiles } from './merge.js';
import { baseName, metricIdentity, tagsIn } from './metric-key.js';
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
 * work a sample: where nothing is told apart, the whole test's own metrics will do.
 */
export function thresholdsApart({ endpoints, criteria, thresholds, tagged }: Apart): Record<string, string[]> {
  const ofClients = criteria.filter(({ source, metric }) => source === 'client' && metric !== 'availability');
  const names = new Set([...endpoints, ...[...ofClients.map(({ metric }) => metric), ...thresholds].flatMap(endpointIn)]);
  const wanted = [
    ...(tagged ? Object.entries(ofWindow) : []),
    ...[...names].flatMap((name) => Object.entries(ofEndpoint).map(([metric, holds]) => [endpointKey(metric, name), holds] as const)),
    ...ofClients.map(({ metric, stat }) => [metric, `${stat}>=0`] as const),
  ];
  return Object.fromEntries(wanted.map(([metric, holds]) => [tagged ? windowKey(metric) : metric, [holds]]));
}

/**
 * The metrics of endpoints that nobody named beforehand, of the judged window: read off what the runners pushed while
 * they ran, so that percentiles have the bounds of a histogram bucket. Without names that are no part of a key.
 */
export function unnamedEndpoints(
  numbers: LiveNumbers,
  { metrics, durationMs }: Pick<Summary, 'metrics' | 'durationMs'>,
  tagged: boolean,
): Record<string, SummaryMetric> {
  const inWindow = (key: string) => (tagged ? windowKey(key) : key);
  const seconds = durationMs / 1000;
  const found = Object.keys(ofEndpoint).flatMap((metric) =>
    [...numbers.totalsBy('name', inWindow(metric))].map(
      ([name, total]) => [endpointKey(metric, name), name, readTotal(total, usualPercentiles, { low: seconds, high: seconds })] as const,
    ),
  );
  const known = new Set(Object.keys(metrics).map(metricIdentity));
  const isNew = (key: string, name: string) => tagsIn(key).name === name && !known.has(metricIdentity(inWindow(key)));
  return Object.fromEntries(found.filter(([key, name]) => isNew(key, name)).map(([key, _, metric]) => [inWindow(key), metric]));
}

function endpointKey(metric: string, name: string): string {
  return `${metric}{name:${name}}`;
}

/** The endpoint that a metric of requests is about. */
function endpointIn(key: string): string[] {
  const { name } = tagsIn(key);
  return name !== undefined && baseName(key).startsWith('http_req') ? [name] : [];
}
