import type { CheckNumbers, EndpointNumbers, LiveLatency, ScriptNumbers } from '../core/events.js';
import type { Milliseconds } from '../core/quantities.js';
import { readStat } from './evaluate.js';
import { baseName, subMetricKey, tagsIn } from './metric-key.js';
import { checkNumbers, scriptNumbers } from './script-numbers.js';
import type { Summary, SummaryMetric } from './summary.js';
import { isOfWindow, isToldApart, windowFinder, windowTag } from './window.js';

/** What a run measured, endpoint by endpoint: the content of the event `measured`. */
export interface MeasuredNumbers {
  readonly k6Version: string;
  readonly runners: number;
  readonly all: EndpointNumbers;
  readonly endpoints: readonly (EndpointNumbers & { readonly name: string })[];
  readonly other?: EndpointNumbers;
  readonly script: ScriptNumbers;
  readonly checks?: readonly CheckNumbers[];
}

/** Scripts that give their requests no names have one for every URL; the summary has them all. */
const mostEndpoints = 30;

/** The numbers of all requests, of the `most` busiest endpoints in the summary's order, and of the others together; of the judged window. */
export function measuredNumbers(
  summary: Summary,
  steady?: { readonly from: Milliseconds; readonly to: Milliseconds },
  most = mostEndpoints,
): MeasuredNumbers {
  const end = Math.min(steady?.to ?? summary.durationMs, summary.durationMs);
  const windowMs = Math.max(0, end - (steady?.from ?? 0));
  const find = endpointFinder(summary);
  const shown = busiest(find, endpointNames(summary), most);
  return {
    k6Version: summary.k6Version,
    runners: summary.runners,
    all: numbersOf(find, undefined, windowMs),
    endpoints: shown.map((name) => ({ name, ...numbersOf(find, name, windowMs) })),
    ...otherNumbers(find, shown, windowMs),
    script: scriptNumbers(summary, windowMs),
    checks: checkNumbers(summary.rootGroup),
  };
}

/** Those with most requests, in their order. */
function busiest(find: Finder, names: readonly string[], most: number): readonly string[] {
  if (names.length <= most) return names;
  const counted = names.map((name) => ({ name, requests: requestsOf(find, name) }));
  const sorted = counted.toSorted((a, b) => b.requests - a.requests);
  const shown = new Set(sorted.slice(0, most).map(({ name }) => name));
  return names.filter((name) => shown.has(name));
}

/** The `name` tags that the summary tells apart, in its order: for the judged window where there is one. */
function endpointNames({ metrics }: Summary): string[] {
  const toldApart = isToldApart(metrics);
  const names = Object.keys(metrics).flatMap((key) => {
    const { name, ...tags } = tagsIn(key);
    const { [windowTag.tag]: _part, ...others } = tags;
    const isRow = baseName(key) === 'http_req_duration' && isOfWindow(tags) === toldApart && Object.keys(others).length === 0;
    return isRow && name !== undefined ? [name] : [];
  });
  return [...new Set(names)];
}

/** A metric by its name, of one endpoint or of all. */
type Finder = (base: string, name?: string) => SummaryMetric | undefined;

function endpointFinder({ metrics }: Summary): Finder {
  const find = windowFinder(metrics);
  return (base, name) => find(name === undefined ? base : subMetricKey(base, { name }));
}

function requestsOf(find: Finder, name?: string): number {
  return find('http_reqs', name)?.values.count ?? find('http_req_duration', name)?.values.count ?? 0;
}

function numbersOf(find: Finder, name: string | undefined, windowMs: Milliseconds): EndpointNumbers {
  const requests = requestsOf(find, name);
  const errors = find('http_req_failed', name)?.values.rate;
  const duration = find('http_req_duration', name);
  return {
    requests,
    ...rateOf(requests, windowMs),
    ...(requests === 0 || errors === undefined ? {} : { errors }),
    ...(requests === 0 || duration === undefined ? {} : latencyOf(duration)),
  };
}

function rateOf(requests: number, windowMs: Milliseconds): Pick<EndpointNumbers, 'requestsPerSecond'> {
  return windowMs > 0 ? { requestsPerSecond: requests / (windowMs / 1000) } : {};
}

function latencyOf(duration: SummaryMetric): { latency?: LiveLatency } {
  const [p50, p95, p99] = ['p(50)', 'p(95)', 'p(99)'].map((stat) => readStat(duration, stat));
  return p50 && p95 && p99 ? { latency: { p50, p95, p99 } } : {};
}

/** The requests that have no row of their own, where some have: their latency is nobody's. */
function otherNumbers(find: Finder, shown: readonly string[], windowMs: Milliseconds): { other?: EndpointNumbers } {
  const without = (read: (name?: string) => number) => read() - shown.reduce((sum, name) => sum + read(name), 0);
  const requests = without((name) => requestsOf(find, name));
  if (shown.length === 0 || requests <= 0) return {};
  const unknown = (name?: string) => (requestsOf(find, name) === 0 ? 0 : Number.NaN);
  const failed = without((name) => find('http_req_failed', name)?.values.passes ?? unknown(name));
  const errors = Number.isNaN(failed) ? {} : { errors: failed / requests };
  return { other: { requests, ...rateOf(requests, windowMs), ...errors } };
}
