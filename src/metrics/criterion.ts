import type { Milliseconds, Unit } from '../core/quantities.js';
import type { Summary } from './summary.js';

/** How a value is held against a limit; k6's operators. */
export type Operator = '<' | '<=' | '>' | '>=' | '==' | '===' | '!=';

/** One thing that must be true of a run: a line of the SLA, a threshold of the script, a limit for the servers. */
export interface Criterion {
  /** As people wrote it: `p95`, `availability`, `http_req_duration{name:GET /events} p(99)`. */
  readonly name: string;
  readonly source: 'client' | 'server' | 'script';
  /** A key of summary.json's metrics, or `availability`, or a monitor's name. */
  readonly metric: string;
  /** A key of the metric's values: `p(95)`, `rate`, `count`, `avg`… */
  readonly stat: string;
  readonly operator: Operator;
  /** In the metric's own unit: milliseconds, a share 0…1, a number per second, a count. */
  readonly limit: number;
  readonly unit: Unit;
  /** `steady`: only what belongs to the judged window; `test`: the whole test. */
  readonly window: 'steady' | 'test';
}

/** Good and all probes of the target's health in the judged window; undefined where the profile has no `health`. */
export interface ProbeCount {
  readonly good: number;
  readonly total: number;
}

/** A part of the planned load that was not made. */
export interface Shortfall {
  /** Without a full stop: `812 of 2,000 iterations were never begun`. */
  readonly what: string;
  /** What to do where the target was not the reason. */
  readonly advice: string;
}

/** What the judge knows. */
export interface Evidence {
  readonly run: string;
  /** Missing where the run was ended before any runner wrote its numbers. */
  readonly summary: Summary | undefined;
  readonly probes: ProbeCount | undefined;
  /** How long the judged window really was; a throughput is a count of it divided by this. */
  readonly windowMs: Milliseconds;
  /** Whether iterations of the judged window are told from the rest by a tag; else all that was measured belongs to it. */
  readonly tagged: boolean;
  /** In words, for the table. */
  readonly windows: { readonly steady: string; readonly test: string };
  /** Evidence that the measurement is at fault: makes the verdict `invalid`. */
  readonly faults: readonly string[];
  /** What is missing of the planned load: at fault only while the target was within its limits, for a slow one causes it, too. */
  readonly shortfalls: readonly Shortfall[];
  /** Why the run ended before its time (Ctrl-C, SIGTERM): makes it `interrupted`. Undefined for a run that came to its end. */
  readonly interruption: string | undefined;
}
