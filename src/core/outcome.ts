import type { RunnerId } from './ids.js';
import type { Milliseconds, Share } from './quantities.js';
import type { StopCause } from './stop.js';

/**
 * How a runner came to its end, by evidence. The first three are no loss: it came to the planned end of its load, loadctl
 * stopped it with the fleet, or the test was aborted in it. `cut-off` is ours, too: a second Ctrl-C ended everything at once.
 */
export type EndCause =
  | 'reached-end'
  | 'stopped'
  | 'aborted'
  | 'cut-off'
  /** A signal that k6 hears, or a word to its REST API, that was not ours. */
  | 'ended-outside'
  /** A signal that ends it at once and that was not ours. */
  | 'killed'
  /** It ended by itself. */
  | 'crashed'
  /** Its process stands still (state T). */
  | 'frozen'
  /** No sign of life: no answer, no push, no CPU time. */
  | 'silent'
  /** It lives, and its load goes on long after the planned end. */
  | 'overdue'
  /** Its process is gone, and nothing is left that saw how it ended. */
  | 'gone'
  | 'out-of-reach'
  | 'not-released';

/** A cause with its evidence. */
export interface RunnerEnd {
  readonly cause: EndCause;
  readonly exitCode?: number;
  readonly signal?: string;
  /** Why the fleet was stopped. */
  readonly stop?: StopCause;
  /** k6's own words: why it aborted, why it was not released; of one that is gone, what whoever ran it says. */
  readonly said?: string;
}

/** What came of one runner: written once, and all that a verdict asks about it. */
export interface RunnerOutcome extends RunnerEnd {
  readonly runner: RunnerId;
  /** Whose numbers of it are in the summary: its own, those that it pushed until it was lost, or none. */
  readonly numbers: 'own' | 'pushed' | 'none';
  /** The share of the whole load that it was to make and did not; all that it was to make where there are no numbers. */
  readonly lost: Share;
  /** There were fewer VUs than runners, and it had none: that it came to its end says nothing of the load. */
  readonly idle?: true;
  /** It came to its end, but stood still for so long in all, each time too short to be lost: that load is in `lost`. */
  readonly stoodStillMs?: Milliseconds;
  /** The script called `test.fail()` in it. */
  readonly markedFailed?: true;
}

const ours: readonly EndCause[] = ['reached-end', 'stopped', 'aborted', 'cut-off'];

/** Whether a runner was lost: it ended in another way than planned or asked for. */
export function isLoss({ cause }: Pick<RunnerEnd, 'cause'>): boolean {
  return !ours.includes(cause);
}

/** Whether something of a runner is missing from the result: it was lost, or came to its end without numbers of its own, or without all of its load. */
export function isMissing({ cause, numbers, lost }: Pick<RunnerOutcome, 'cause' | 'numbers' | 'lost'>): boolean {
  return isLoss({ cause }) || (cause === 'reached-end' && (numbers !== 'own' || lost > 0));
}
