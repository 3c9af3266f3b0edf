import type { LoggedEvent } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import { isMissing, type RunnerOutcome } from '../../core/outcome.js';
import { formatDuration, type Share, trimNumber } from '../../core/quantities.js';
import { endText } from '../../reporters/sentences/end.js';

/** What came of each runner, by the events of its run; those of an earlier loadctl did not say. */
export function outcomesIn(events: readonly LoggedEvent[]): RunnerOutcome[] {
  return events.flatMap((event) => (event.type === 'runner-ended' && event.cause !== undefined ? [event] : []));
}

/**
 * What lost runners make of a result, as sentences: a result stands where the shares that were lost are allowed in all, and a
 * runner came to the planned end with its own numbers. One that `ended` early, for what the fleet measured, has none of these.
 */
export function lossFaults(outcomes: readonly RunnerOutcome[], allowedLoss: Share, ended: 'early' | 'as planned'): string[] {
  const missing = outcomes.filter(isMissing);
  const lost = missing.reduce((sum, outcome) => sum + outcome.lost, 0);
  const tooMuch = missing.length > 0 && (allowedLoss === 0 || lost > allowedLoss);
  const arrived = outcomes.some(({ cause, numbers, idle }) => cause === 'reached-end' && numbers === 'own' && idle !== true);
  const nobody = ended === 'as planned' && outcomes.length > 0 && !arrived;
  if (!tooMuch && !nobody) return [];
  return [
    ...missing.map(missingText),
    ...(tooMuch && allowedLoss > 0 ? [`In all ${percent(lost)} of the load was lost; the profile allows ${percent(allowedLoss)}.`] : []),
    ...(nobody
      ? [`No runner${outcomes.some(({ idle }) => idle) ? ' that had VUs' : ''} came to the planned end with its own numbers.`]
      : []),
  ];
}

/** Runners of the plan whose outcome is missing where that of others is there, as sentences: their events were lost. */
export function unknownFaults(runners: readonly { readonly id: RunnerId }[], outcomes: readonly RunnerOutcome[]): string[] {
  if (outcomes.length === 0) return [];
  const known = new Set(outcomes.map(({ runner }) => runner));
  return runners.flatMap(({ id }) => (known.has(id) ? [] : [`The outcome of runner ${id} is missing from events.ndjson.`]));
}

function missingText(outcome: RunnerOutcome): string {
  const { runner, cause, numbers, lost, stoodStillMs } = outcome;
  const stands = {
    own: 'its own numbers are in the result',
    pushed: 'what it pushed until then stands in for its numbers',
    none: 'its numbers are missing',
  };
  if (stoodStillMs !== undefined)
    return `Runner ${runner} stood still for ${formatDuration(stoodStillMs)} in all: ${percent(lost)} of the load was not made, and ${stands[numbers]}.`;
  if (cause === 'reached-end') return `Runner ${runner} left no readable numbers of its own: ${stands[numbers]}.`;
  const made = lost === 0 ? 'its load was made' : `${percent(lost)} of the load was not made`;
  return `Runner ${runner} was lost (${endText(outcome)}): ${made}, and ${stands[numbers]}.`;
}

function percent(share: Share): string {
  return `${trimNumber(share * 100, 1)}%`;
}
