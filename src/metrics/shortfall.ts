import { formatCount, type Milliseconds, type PerSecond, type Share, trimNumber } from '../core/quantities.js';
import type { Shortfall } from './criterion.js';
import { findMetric, subMetricKey } from './metric-key.js';
import type { Summary } from './summary.js';
import { windowFinder } from './window.js';

/** The load that was to be made while the run was judged. */
export interface PlannedShare {
  readonly vus: number;
  /** Whether iterations begin when they are due, whatever the target does. */
  readonly open: boolean;
  /** Iterations; unknown where VUs do not pace themselves. */
  readonly perSecond: PerSecond | undefined;
  /** How long that load stood at its height within the judged window. */
  readonly windowMs: Milliseconds;
}

/** A scenario of the test. */
export interface Executed {
  readonly name: string;
  readonly executor: string;
}

/** So much of the iterations may be dropped. */
const droppedAllowed: Share = 0.01;
/** So much may be missing of the iterations or VUs that were planned. */
const missingAllowed: Share = 0.05;
/** k6 counts VUs once a second. */
const vusCountedAfterMs: Milliseconds = 3000;

/**
 * What is missing of the load: VUs ran short, or the target held them up. The numbers alone cannot tell which. `planned`
 * is missing where the script makes its own load: then only k6 knows what it dropped.
 */
export function shortfalls(planned: PlannedShare | undefined, summary: Summary, scenarios: readonly Executed[] = []): Shortfall[] {
  const dropped = droppedIterations(planned, summary, scenarios);
  if (planned === undefined) return dropped;
  return [...dropped, ...(dropped.length > 0 ? [] : missingIterations(planned, summary)), ...missingVus(planned, summary)];
}

function droppedIterations(planned: PlannedShare | undefined, { metrics }: Summary, scenarios: readonly Executed[]): Shortfall[] {
  const dropped = metrics.dropped_iterations?.values.count ?? 0;
  const all = dropped + (metrics.iterations?.values.count ?? 0);
  if (dropped <= all * droppedAllowed) return [];
  const what = `${formatCount(dropped)} of ${formatCount(all)} iterations (${percent(dropped / all)}) were never begun (dropped_iterations)`;
  const dropping = scenarios.filter(({ name }) => countIn(metrics, name) > 0);
  const advice = (dropping.length === 0 ? scenarios : dropping).map(adviceFor);
  if (planned !== undefined) return [{ what, advice: 'raise workload.vus' }];
  return [{ what, advice: advice.length === 0 ? "raise maxVUs in the script's scenario" : advice.join(', ') }];
}

function countIn(metrics: Summary['metrics'], scenario: string): number {
  return findMetric(metrics, subMetricKey('dropped_iterations', { scenario }))?.values.count ?? 0;
}

/** Executors that count iterations drop what is left at maxDuration, and know no maxVUs. */
function adviceFor({ name, executor }: Executed): string {
  return `raise ${executor.endsWith('-iterations') ? 'maxDuration' : 'maxVUs'} of the scenario ${name}`;
}

/** At the edges of the window a VU's iteration may fall to either side. */
function missingIterations({ vus, open, perSecond, windowMs }: PlannedShare, { metrics }: Summary): Shortfall[] {
  const made = windowFinder(metrics)('iterations')?.values.count;
  if (perSecond === undefined || made === undefined) return [];
  const planned = (perSecond * windowMs) / 1000;
  const missing = planned - made;
  if (missing <= planned * missingAllowed || missing <= (open ? perSecond : vus)) return [];
  const rate = (count: number) => `${trimNumber(count / (windowMs / 1000), 1)}/s`;
  const what = `${rate(made)} of the planned ${rate(planned)} iterations were made`;
  const advice = open ? 'raise workload.vus, or ask for less' : 'raise workload.pacing to what an iteration takes, or shorten the script';
  return [{ what, advice }];
}

function missingVus({ vus, open, windowMs }: PlannedShare, { metrics }: Summary): Shortfall[] {
  const most = metrics.vus?.values.max;
  if (open || most === undefined || windowMs < vusCountedAfterMs || most >= vus * (1 - missingAllowed)) return [];
  return [{ what: `${formatCount(most)} of the planned ${formatCount(vus)} VUs were there`, advice: "look into the runners' logs" }];
}

function percent(share: Share): string {
  return `${trimNumber(share * 100, 1)}%`;
}
