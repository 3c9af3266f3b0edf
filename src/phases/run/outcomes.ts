import type { RunnerId } from '../../core/ids.js';
import type { ProcessEnd } from '../../core/os.js';
import { isLoss, type RunnerEnd, type RunnerOutcome } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { StopCause } from '../../core/stop.js';
import { k6Exit } from '../../k6/exit-codes.js';
import { abortIn, inOneLine, signalWords } from '../../k6/log.js';
import type { LogDigest } from '../../k6/log-digest.js';
import type { Runner } from '../../runners/runner/types.js';
import { isIdle, type LoadSoFar, lostBy, lostWith, plannedMs, shareOf } from './losses.js';
import { endOf } from './runner-watch.js';

/** What is known of how one runner ended. */
export interface EndEvidence {
  readonly runner: Pick<Runner, 'id' | 'asked'>;
  /** How its process ended. */
  readonly end: ProcessEnd;
  /** How its load ended; undefined where it was stopped with the fleet, for the reason `stop`. */
  readonly load: RunnerEnd | undefined;
  readonly stop: StopCause | undefined;
  /** How it had to be ended while it was to write its numbers. */
  readonly writing: RunnerEnd | undefined;
  readonly log: Pick<LogDigest, 'errors' | 'markedFailed'>;
}

/** What is known of a runner's numbers. */
export interface NumbersEvidence {
  readonly numbers: RunnerOutcome['numbers'];
  /** How much of its load they are of. */
  readonly ms: Milliseconds;
  /** How long it stood still while the load was on. */
  readonly stillMs: Milliseconds;
}

/** A runner that stood still for less than this, or less than this share of its time, made its load. */
const stillAllowed = { ms: 500, share: 0.01 };

/** Puts together what came of a runner. */
export function outcomeOf(evidence: EndEvidence, known: NumbersEvidence, load: LoadSoFar): RunnerOutcome {
  const { runner, end, log } = evidence;
  const { numbers, ms } = known;
  const ended = howItEnded(evidence);
  const failed = end.exitCode === k6Exit.markedFailed || log.markedFailed;
  const share = numbers === 'none' ? shareOf(runner.id, load) : lostBy(ended, runner.id, ms, load);
  const arrived = ended.cause === 'reached-end' && numbers === 'own';
  return {
    runner: runner.id,
    ...ended,
    numbers,
    ...(arrived ? lostStanding(runner.id, known, load) : { lost: share }),
    ...(isIdle(runner.id, load) ? { idle: true } : {}),
    ...(failed ? { markedFailed: true } : {}),
  };
}

/** What a runner that came to its end did not make of its load, as it stood still now and then. */
function lostStanding(runner: RunnerId, { ms, stillMs }: NumbersEvidence, load: LoadSoFar): Pick<RunnerOutcome, 'lost' | 'stoodStillMs'> {
  if (stillMs < Math.max(stillAllowed.ms, ms * stillAllowed.share)) return { lost: 0 };
  const lost = lostWith(runner, Math.min(ms, plannedMs(load)) - stillMs, load);
  return lost > 0 ? { lost, stoodStillMs: stillMs } : { lost };
}

/** What was seen first is the cause: what comes after it is its consequence. */
function howItEnded({ runner, end, load, stop, writing, log }: EndEvidence): RunnerEnd {
  if (load !== undefined && isLoss(load)) return load;
  if (writing !== undefined) return writing;
  const byItself = endOf(end);
  const stopped: RunnerEnd = { cause: 'stopped', ...(stop === undefined ? {} : { stop }) };
  if (end.signal === undefined && writtenExits.includes(end.exitCode)) {
    if (load?.cause === 'reached-end') return load;
    // Its status looked like an abort, and k6 says that it was a signal: there was one before ours.
    return load === undefined && runner.asked() !== undefined ? stopped : byItself;
  }
  if (byItself.cause === 'aborted' || load?.cause === 'aborted') return aborting(log);
  return runner.asked() === 'hard' && end.signal === 'SIGKILL' ? stopped : byItself;
}

/** k6's exit codes when it has written its numbers: what its test came to is the fleet's to judge. */
const writtenExits: readonly (number | undefined)[] = [
  0,
  k6Exit.thresholdsFailed,
  k6Exit.stoppedByRest,
  k6Exit.interrupted,
  k6Exit.markedFailed,
];

/**
 * Why, by k6's log; what the script says begins with the call (`abortReason`). A signal that ended its test came before any of ours,
 * and on a busy machine a k6 that writes its numbers looks like one that lingers.
 */
function aborting({ errors }: EndEvidence['log']): RunnerEnd {
  const abort = abortIn(errors);
  if (abort === undefined) return { cause: 'aborted' };
  if (abort.said.startsWith(signalWords)) return { cause: 'ended-outside' };
  return { cause: 'aborted', said: inOneLine(abort.byScript ? `test.abort(): ${abort.said}` : abort.said) };
}
