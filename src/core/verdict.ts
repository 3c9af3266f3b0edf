import type { RunId } from './ids.js';
import type { Monitored } from './monitors.js';
import type { Unit } from './quantities.js';

/** How one criterion came out. `undecided`: the limit lies inside the bounds of a percentile. */
export type Outcome = 'pass' | 'fail' | 'undecided' | 'no-data' | 'not-measured';

/** One line of verdict.json. */
export interface JudgedCriterion {
  readonly name: string;
  readonly source: 'client' | 'server' | 'script';
  readonly metric: string;
  /** As shown: `< 500 ms`. */
  readonly limit: string;
  /** In the metric's own unit; null without data. */
  readonly actual: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly unit: Unit;
  /** What was judged, in words: `steady 5s–55s`, `whole test 1m`. */
  readonly window: string;
  readonly outcome: Outcome;
  /** Of a limit for the servers: by what it was measured. */
  readonly monitored?: Monitored;
  /** A rate of the script's own that nothing was ever added to: its 0 is what it was not. */
  readonly neverAdded?: true;
}

/** What a run is found to be. */
export type VerdictWord = 'pass' | 'fail' | 'invalid' | 'interrupted';

/** verdict.json. */
export interface Verdict {
  readonly version: 1;
  readonly run: RunId;
  readonly verdict: VerdictWord;
  /** Why, in words a user can act on. A pass has none but what was not measured, or that nothing was judged. */
  readonly reasons: readonly string[];
  readonly criteria: readonly JudgedCriterion[];
}
