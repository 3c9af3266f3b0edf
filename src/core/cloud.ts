import type { Milliseconds } from './quantities.js';

/** How a run in Grafana Cloud came to its end, by what k6 says of it. */
export type CloudEnd =
  | 'passed'
  | 'thresholds-failed'
  /** It did not come to its end there, and the service says no more. */
  | 'failed'
  /** The service ended it. */
  | 'aborted'
  /** Somebody ended it: by k6, or on its page. */
  | 'aborted-by-user'
  /** k6 could not follow it any more. */
  | 'progress-lost'
  /** loadctl left it to itself, as the service was out of reach for too long or a second Ctrl-C asked for it: it may go on there. */
  | 'left'
  /** k6 ended in another way, and it may go on there. */
  | 'unknown';

/** What came of a run in Grafana Cloud. */
export interface CloudOutcome {
  readonly how: CloudEnd;
  /** From the moment that k6 told where the run is. */
  readonly elapsedMs: Milliseconds;
  /** k6's own. */
  readonly exitCode?: number;
  /** In k6's words: `Finished`, `Aborted`, `Aborted (by user)`. */
  readonly status?: string;
  /** k6's last word. */
  readonly said?: string;
}
