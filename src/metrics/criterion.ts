import type { Criterion } from '../core/criterion.js';
import type { RunId } from '../core/ids.js';
import type { Monitored } from '../core/monitors.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Outcome } from '../core/verdict.js';
import type { Measured } from './evaluate.js';
import type { Summary } from './summary.js';

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

/** How a limit for the servers came out. */
export interface ServerOutcome {
  readonly outcome: Outcome;
  readonly measured?: Measured;
  readonly monitored?: Monitored;
  /** Why there is no data, or what is missing of what was measured, as a clause. */
  readonly missing?: string;
  /** Whether what is missing had to be measured. */
  readonly isFault?: true;
}

/** What the judge knows. */
export interface Evidence {
  readonly run: RunId;
  /** Missing where the run was ended before any runner wrote its numbers. */
  readonly summary: Summary | undefined;
  readonly probes: ProbeCount | undefined;
  /** How long the judged window really was; a throughput is a count of it divided by this. */
  readonly windowMs: Milliseconds;
  /** Whether iterations of the judged window are told from the rest by a tag; else all that was measured belongs to it. */
  readonly tagged: boolean;
  /** In words, for the table. */
  readonly windows: { readonly steady: string; readonly test: string };
  /** How a limit for the servers came out, by what the monitors told; missing where the run knows of none. */
  readonly servers?: (criterion: Criterion) => ServerOutcome;
  /** Evidence that the measurement is at fault: makes the verdict `invalid`. */
  readonly faults: readonly string[];
  /** What is missing of the planned load: at fault only while the target was within its limits, for a slow one also causes it. */
  readonly shortfalls: readonly Shortfall[];
  /** Why the run ended before its time (Ctrl-C, SIGTERM): makes it `interrupted`. Undefined for a run that came to its end. */
  readonly interruption: string | undefined;
}
