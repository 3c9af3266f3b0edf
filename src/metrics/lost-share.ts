import type { Milliseconds, Share } from '../core/quantities.js';

/** What one scenario is to do in the whole fleet: so many iterations, or as many as it makes in this time. The grace at its end is not in it. */
export interface AskedOfScenario {
  readonly name: string;
  readonly startMs: Milliseconds;
  readonly durationMs: Milliseconds;
  readonly iterations?: number;
  /** The most VUs that it has at once. */
  readonly vus: number;
  /** Whether iterations begin when they are due: k6 deals those out, not VUs. */
  readonly open: boolean;
}

/** What a runner did of its load, as far as its numbers tell. */
export interface DoneByRunner {
  /** How long its load lasted. */
  readonly ms: Milliseconds;
  /** How many iterations of a scenario it did; undefined where that is not known. */
  iterationsOf(scenario: string): number | undefined;
}

/** Which runner of how many: `index` counts from 0. */
export interface RunnerPlace {
  readonly index: number;
  readonly of: number;
}

/**
 * The share of the whole load that a runner was to make and did not: of the planned time of all scenarios, or of their
 * iterations where they are so many of them, whichever is more.
 */
export function lostShare(runner: RunnerPlace, scenarios: readonly AskedOfScenario[], done: DoneByRunner): Share {
  const times: Part[] = scenarios.flatMap((scenario) => {
    if (scenario.iterations !== undefined) return [];
    const { startMs, durationMs } = scenario;
    const missing = Math.min(durationMs, Math.max(0, durationMs - (done.ms - startMs)));
    return [{ asked: durationMs, missing: missing * shareOf(scenario, runner) }];
  });
  const counts: Part[] = scenarios.flatMap((scenario) => {
    const { name, iterations } = scenario;
    if (iterations === undefined) return [];
    const own = Math.floor(iterations * shareOf(scenario, runner));
    return [{ asked: iterations, missing: Math.max(0, own - (done.iterationsOf(name) ?? 0)) }];
  });
  return Math.max(missingOf(times), missingOf(counts));
}

/** Whether a runner has any VUs to make load with: of few VUs, not every runner gets one. */
export function hasLoad(runner: RunnerPlace, scenarios: readonly AskedOfScenario[]): boolean {
  return scenarios.some((scenario) => shareOf(scenario, runner) > 0);
}

/**
 * How much of a scenario is one runner's. k6 deals VUs out in whole numbers, to equal segments in their order (its
 * `ExecutionSegmentSequenceWrapper`): of a single VU the first runner has all, and the others nothing.
 */
function shareOf({ vus, open }: AskedOfScenario, { index, of }: RunnerPlace): Share {
  if (open || vus < 1) return 1 / of;
  return (Math.floor(vus / of) + (index < vus % of ? 1 : 0)) / vus;
}

interface Part {
  readonly asked: number;
  readonly missing: number;
}

function missingOf(parts: readonly Part[]): Share {
  const sum = (of: keyof Part) => parts.reduce((total, part) => total + part[of], 0);
  return sum('asked') <= 0 ? 0 : sum('missing') / sum('asked');
}
