/** k6's four kinds of metric. */
export type MetricType = 'counter' | 'rate' | 'gauge' | 'trend';

/** What a metric's values are: k6's words. */
export type Contains = 'default' | 'time' | 'data';

/** One metric, merged over the fleet: an entry of summary.json. */
export interface SummaryMetric {
  readonly type: MetricType;
  readonly contains: Contains;
  /**
   * k6's keys. counter: count, rate (per second) · rate: rate (0…1), passes, fails · gauge: value, min, max ·
   * trend: count, avg, min, med, max, p(N)…  A key without samples is absent: no data is not zero.
   */
  readonly values: Readonly<Record<string, number>>;
  /** `[low, high]` that the value over all pooled samples certainly lies in; for each percentile (med included). */
  readonly bounds: Readonly<Record<string, readonly [number, number]>>;
}

/** A check, with how often it held; counts over the whole fleet. */
export interface SummaryCheck {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly passes: number;
  readonly fails: number;
}

/** A group of the script with its checks, as k6 nests them. */
export interface SummaryGroup {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly groups: readonly SummaryGroup[];
  readonly checks: readonly SummaryCheck[];
}

/** summary.json: what the fleet measured, merged. */
export interface Summary {
  readonly version: 1;
  readonly run: string;
  readonly k6Version: string;
  /** How long the test lasted, from the first to the last iteration's end, without setup and teardown. */
  readonly durationMs: number;
  /** How many runners' numbers are in it. */
  readonly runners: number;
  /** By `name` or `name{tag:value}`. */
  readonly metrics: Readonly<Record<string, SummaryMetric>>;
  readonly rootGroup: SummaryGroup;
}

/** Splits `name{tag:value,tag:value}` into its name and tags; k6's sub-metric syntax. */
export function parseMetricKey(key: string): { name: string; tags: Record<string, string> } {
  const match = /^([^{]*)(?:\{(.*)\})?$/s.exec(key);
  const tags: Record<string, string> = {};
  for (const pair of (match?.[2] ?? '').split(',')) {
    const at = pair.indexOf(':');
    if (at > 0) tags[unquote(pair.slice(0, at))] = unquote(pair.slice(at + 1));
  }
  return { name: (match?.[1] ?? key).trim(), tags };
}

/** The inverse of {@link parseMetricKey}; tags in the order given. */
export function metricKey(name: string, tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}:${value}`);
  return pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/s, '$2');
}
