import type { LiveValue, Milliseconds, Unit } from './quantities.js';

/** How a value is held against a limit; k6's operators. */
export type Operator = '<' | '<=' | '>' | '>=' | '==' | '===' | '!=';

/** One thing that must be true of a run: a line of the SLA, a threshold of the script, a limit for the servers. */
export interface Criterion {
  /** As people wrote it: `p95`, `availability`, `http_req_duration{name:GET /events} p(99)`. */
  readonly name: string;
  readonly source: 'client' | 'server' | 'script';
  /** A key of summary.json's metrics, or `availability`; of the servers a word (`cpu`) or a monitor's value (`db.lag`). */
  readonly metric: string;
  /** A key of the metric's values: `p(95)`, `rate`, `count`, `avg`…; of the servers a statistic over time: `avg`, `max`, `min`, `p95`. */
  readonly stat: string;
  readonly operator: Operator;
  /** In the metric's own unit: milliseconds, a share 0…1, a number per second, a count. */
  readonly limit: number;
  readonly unit: Unit;
  /** `steady`: only what belongs to the judged window; `test`: the whole test. */
  readonly window: 'steady' | 'test';
  /** Of a limit for the servers: it is broken where it was for so long without a break. */
  readonly for?: Milliseconds;
}

/** Where a profile states a limit. */
export interface LimitPlace {
  /** Relative to the working directory where it lies below it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** When a test is ended before its time: `when` must have held for `for` without a break, `after` the start at the earliest. */
export interface AbortRule {
  readonly when: Criterion;
  readonly for: Milliseconds;
  readonly after: Milliseconds;
}

/** What the fleet's live data crossed, and the value that crossed it: the fleet must end now. */
export type Crossing =
  /** A threshold of the script with `abortOnFail`, so long after the start of the load. */
  | { readonly cause: 'threshold'; readonly criterion: Criterion; readonly actual: LiveValue; readonly elapsedMs: Milliseconds }
  /** An abort rule of the profile; of one about the servers, the monitor and its source. */
  | { readonly cause: 'rule'; readonly rule: AbortRule; readonly actual: LiveValue; readonly where?: string };
