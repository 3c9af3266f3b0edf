import type { RunId } from '../core/ids.js';
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

/** Requests of one name that failed with the same HTTP status; 0: no answer came. */
export interface FailedRequests {
  readonly name: string;
  readonly status: number;
  readonly count: number;
}

/** summary.json: what the fleet measured, merged. */
export interface Summary {
  readonly version: 1;
  readonly run: RunId;
  readonly k6Version: string;
  /** How long the test lasted, from the first to the last iteration's end, without setup and teardown. */
  readonly durationMs: number;
  /** The same with setup() and teardown(), where there are any: what counters are divided by for their rates, as k6 does. */
  readonly wholeMs?: number;
  /** How many runners' numbers are in it. */
  readonly runners: number;
  /** By `name` or `name{tag:value}`. */
  readonly metrics: Readonly<Record<string, SummaryMetric>>;
  readonly rootGroup: SummaryGroup;
  /** Of the judged window, most often first; missing where none failed, or none were pushed. */
  readonly failed?: readonly FailedRequests[];
}
