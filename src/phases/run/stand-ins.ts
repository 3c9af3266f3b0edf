import type { Emit } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import type { EpochMs } from '../../core/quantities.js';
import type { RunnerFacts } from '../../k6/wrapper.js';
import type { RunnerSummary } from '../../metrics/runner-summary.js';
import { standIn } from '../../metrics/stand-in.js';
import type { LiveData } from '../watch/live-data.js';
import type { PreparedTest } from './prepare.js';

/** A runner's numbers, with what its summary does not say. */
export interface RunnerNumbers {
  readonly summary: RunnerSummary;
  readonly facts: RunnerFacts;
}

/** What was received of the runners while they ran. */
interface Received {
  readonly live: LiveData;
  readonly releasedAt: EpochMs;
}

/** By runner, what stands in for the numbers of those that did not come to write theirs; it is told. */
export function standInsFor(
  lost: readonly RunnerId[],
  known: readonly RunnerNumbers[],
  { live, releasedAt }: Received,
  { test, emit }: { readonly test: Pick<PreparedTest, 'thresholds'>; readonly emit: Emit },
): Map<RunnerId, RunnerNumbers> {
  const summaries = known.map(({ summary }) => summary);
  const found = new Map<RunnerId, RunnerNumbers>();
  for (const runner of lost) {
    const summary = standIn(live.numbers, runner, summaries, Object.keys(test.thresholds));
    const heardAt = live.heardAt.get(runner);
    if (summary === undefined || heardAt === undefined || heardAt < releasedAt) continue;
    found.set(runner, { summary, facts: { durationMs: heardAt - releasedAt, contains: {} } });
    const uncounted = summary.uncounted.filter((key) => !key.includes('{'));
    emit({ type: 'warned', code: 'numbers-pushed-only', runner, uncounted });
  }
  return found;
}
