import type { Crossing } from './criterion.js';
import type { ErrorData } from './errors.js';
import type { RunnerId } from './ids.js';
import type { RunnerEnd } from './outcome.js';
import type { Milliseconds } from './quantities.js';

/** One of the two sides of a blue-green deployment. */
export type Colour = 'blue' | 'green';

/** Why a load ends before its time. */
export type Stop =
  /** Ctrl-C, SIGTERM or SIGHUP. */
  | { readonly cause: 'signal' }
  /** `loadctl stop`. */
  | { readonly cause: 'asked'; readonly by?: { readonly user: string; readonly host: string } }
  /** On a cluster: nobody has followed the run for so long, and the profile does not go on without. */
  | { readonly cause: 'unfollowed'; readonly forMs: Milliseconds }
  /** The test was aborted, by `test.abort()` or by k6 itself, first seen on this runner. */
  | { readonly cause: 'script'; readonly runner: RunnerId }
  /** The fleet crossed a threshold with `abortOnFail`, or an abort rule of the profile. */
  | Crossing
  /** A runner was lost and the profile does not go on without it. */
  | { readonly cause: 'runner-lost'; readonly runner: RunnerId; readonly end: RunnerEnd }
  /** The lock in a database was lost for good. */
  | { readonly cause: 'lock-lost'; readonly error: ErrorData }
  /** The colour under load went live, or nobody knows any more whether it did. */
  | { readonly cause: 'live-colour'; readonly error: ErrorData }
  /** The run directory cannot be written any more. */
  | { readonly cause: 'directory-lost'; readonly error: ErrorData }
  /** What goes on beside the load failed. */
  | { readonly cause: 'failed'; readonly error: ErrorData };

/** The cause of a {@link Stop}. */
export type StopCause = Stop['cause'];
