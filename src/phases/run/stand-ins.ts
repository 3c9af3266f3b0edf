import type { RunnerId } from '../../core/ids.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { RunnerFacts } from '../../k6/wrapper.js';
import type { RunnerSummary } from '../../metrics/runner-summary.js';
import { type StandIn, standIn } from '../../metrics/stand-in.js';
import type { LiveData } from '../watch/live-data.js';
import type { PreparedTest } from './prepare.js';

/** A runner's numbers, with what its summary does not say. */
export interface RunnerNumbers {
  readonly summary: RunnerSummary;
  readonly facts: RunnerFacts;
}

/** What stands in for the numbers that a runner did not come to write. */
export interface PushedNumbers extends RunnerNumbers {
  readonly summary: StandIn;
}

/** What was received of the runners while they ran. */
interface Received {
  readonly live: Pick<LiveData, 'numbers' | 'heardAt'>;
  /** By elapsed(). */
  readonly releasedAt: Milliseconds;
}

/**
 * By runner, what it pushed since the load began, for those that did not come to write their numbers. Nobody has any where series
 * were left out: what fails may be among them, and others' numbers would pass with it. Where no runner wrote numbers, it is
 * all there is, and the result is invalid.
 */
export function standInsFor(
  lost: readonly RunnerId[],
  known: readonly RunnerNumbers[],
  { live, releasedAt }: Received,
  { thresholds }: Pick<PreparedTest, 'thresholds'>,
): Map<RunnerId, PushedNumbers> {
  if (known.length > 0 && live.numbers.excess.ignored > 0) return new Map();
  const summaries = known.map(({ summary }) => summary);
  const found = new Map<RunnerId, PushedNumbers>();
  for (const runner of lost) {
    const summary = standIn(live.numbers, runner, summaries, Object.keys(thresholds));
    const heardAt = live.heardAt.get(runner);
    if (summary === undefined || heardAt === undefined || heardAt < releasedAt) continue;
    found.set(runner, { summary, facts: { durationMs: Math.round(heardAt - releasedAt), contains: {} } });
  }
  return found;
}
