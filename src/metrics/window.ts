import type { Milliseconds, PerSecond } from '../core/quantities.js';
import { baseName, metricFinder, parseMetricName, tagsIn } from './metric-key.js';
import type { SummaryMetric } from './summary.js';

/** The tag that samples of the judged window carry. */
export const windowTag = { tag: 'part', value: 'steady' } as const;

/** What k6 itself counts, outside of any iteration (tried: no tag of an iteration is on them). */
const ofNoIteration = ['vus', 'vus_max', 'dropped_iterations'];

/** Whether a metric can be had for the judged window alone; `dropped_iterations` and VUs only for the whole test. */
export function hasWindow(metric: string): boolean {
  return !ofNoIteration.includes(baseName(metric));
}

/**
 * The sub-metric that holds only what belongs to the judged window: `part:steady` is added as the last tag
 * (`http_req_duration{name:GET /events,part:steady}`). A key that already names a `part` stays as it is, and so does
 * one without a window ({@link hasWindow}).
 */
export function windowKey(metric: string): string {
  if (!hasWindow(metric)) return metric;
  const parsed = parseMetricName(metric);
  const tag = `${windowTag.tag}:${windowTag.value}`;
  if ('error' in parsed || parsed.tags === undefined) return `${metric}{${tag}}`;
  if (parsed.tags.some(([name]) => name === windowTag.tag)) return metric;
  const inside = metric.slice(metric.indexOf('{') + 1, metric.lastIndexOf('}')).trim();
  return `${parsed.name}{${inside},${tag}}`;
}

/** Whether these metrics tell the judged window from the rest of the test; where nothing else was measured they do not. */
export function isToldApart(metrics: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(metrics).some((key) => isOfWindow(tagsIn(key)));
}

/** Whether a metric with these tags holds what belongs to the judged window, and nothing else. */
export function isOfWindow(tags: Readonly<Record<string, string>>): boolean {
  return tags[windowTag.tag] === windowTag.value;
}

/** Looks metrics of the judged window up; the whole test's own where nothing is told apart, and only there. All keys are read twice at most. */
export function windowFinder<T>(metrics: Readonly<Record<string, T>>): (metric: string) => T | undefined {
  const toldApart = isToldApart(metrics);
  const find = metricFinder(metrics);
  return (metric) => find(toldApart ? windowKey(metric) : metric);
}

/** A counter of the window per second of the window: k6 itself divides by the whole test's seconds. */
export function windowRate(metric: SummaryMetric, windowMs: Milliseconds): PerSecond | undefined {
  const count = metric.values.count;
  return metric.type === 'counter' && count !== undefined && windowMs > 0 ? count / (windowMs / 1000) : undefined;
}
