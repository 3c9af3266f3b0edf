import type { Milliseconds } from '../../core/quantities.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { Scenario } from '../../plan/inspection.js';

/** When a load will be over, counted from its start, by what is known so many milliseconds after that. */
export type LoadEndAt = (elapsedMs: Milliseconds) => Milliseconds;

/**
 * A load is over when its last scenario is. One that ends with its iterations is expected to go on making them as it does;
 * of one that only time ends it is known. The grace at the end is not load.
 */
export function loadEndAt(scenarios: readonly Scenario[], numbers: Pick<LiveNumbers, 'total' | 'totalsBy'>): LoadEndAt {
  const doneAt = new Map<string, Milliseconds>();
  return (elapsedMs) => {
    const made = numbers.totalsBy('scenario', 'iterations');
    const ends = scenarios.map((scenario) => {
      // A single one needs no tag to be told from others, and systemTags may leave that out.
      const total = scenarios.length === 1 ? numbers.total('iterations') : made.get(scenario.name);
      const count = total?.kind === 'counter' ? total.count : 0;
      if (scenario.iterations !== undefined && count >= scenario.iterations && !doneAt.has(scenario.name))
        doneAt.set(scenario.name, elapsedMs);
      return doneAt.get(scenario.name) ?? expectedEnd(scenario, count, elapsedMs);
    });
    return Math.max(0, ...ends);
  };
}

function expectedEnd({ startMs, durationMs, iterations }: Scenario, made: number, elapsedMs: Milliseconds): Milliseconds {
  const latest = startMs + durationMs;
  if (iterations === undefined || made === 0) return latest;
  const atThisPace = startMs + ((elapsedMs - startMs) * iterations) / made;
  return Math.min(latest, Math.max(elapsedMs, atThisPace));
}
