import type { Milliseconds, Share } from '../core/quantities.js';

/** What one scenario is to do in the whole fleet: so many iterations, or as many as it makes in this time. The grace at its end is not in it. */
export interface AskedOfScenario {
  readonly name: string;
  readonly startMs: Milliseconds;
  readonly durationMs: Milliseconds;
  readonly iterations?: number;
}

/** What a runner did of its load, as far as its numbers tell. */
export interface DoneByRunner {
  /** How long its load lasted. */
  readonly ms: Milliseconds;
  /** How many iterations of a scenario it did; undefined where that is not known. */
  iterationsOf(scenario: string): number | undefined;
}

/**
 * The share of the whole load that a runner was to make by its `segment` and did not: of the planned time of all scenarios, or
 * of their iterations where they are so many of them, whichever is more. k6 deals iterations out in whole numbers.
 */
export function lostShare(segment: Share, scenarios: readonly AskedOfScenario[], done: DoneByRunner): Share {
  const times: Part[] = scenarios.flatMap(({ startMs, durationMs, iterations }) =>
    iterations === undefined ? [{ asked: durationMs, done: done.ms - startMs }] : [],
  );
  const counts: Part[] = scenarios.flatMap(({ name, iterations }) =>
    iterations === undefined ? [] : [{ asked: Math.floor(iterations * segment), done: done.iterationsOf(name) ?? 0 }],
  );
  return segment * Math.max(missingOf(times), missingOf(counts));
}

interface Part {
  readonly asked: number;
  readonly done: number;
}

function missingOf(parts: readonly Part[]): Share {
  const asked = parts.reduce((sum, part) => sum + part.asked, 0);
  const missing = parts.reduce((sum, part) => sum + Math.min(part.asked, Math.max(0, part.asked - part.done)), 0);
  return asked <= 0 ? 0 : missing / asked;
}
