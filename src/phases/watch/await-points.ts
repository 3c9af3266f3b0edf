import type { Clock } from '../../core/os.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import { leastSamples } from '../../metrics/servers/find.js';
import { valuesMeant } from '../../metrics/servers/monitor.js';
import type { Stretch } from '../../metrics/servers/series.js';
import { lateness } from '../../metrics/servers/values.js';
import { wholePeriods } from '../../metrics/servers/window.js';
import type { Plan } from '../../plan/plan.js';
import { type KeptLine, type LateSource, pointsOf } from './late-points.js';

const { periodMs, soonestMs, rightMs } = lateness.cloudwatch;
const againMs: Milliseconds = 15_000;

/** What a wait for points is told. */
export interface Awaited {
  /** The judged window, by the run's `t`. */
  readonly window: Stretch;
  /** What the wall clock said when that was 0. */
  readonly origin: EpochMs;
  readonly clock: Pick<Clock, 'stamp' | 'sleep'>;
  readonly signal: AbortSignal;
  readonly tell: (line: KeptLine) => void;
}

/** The sources that a limit is about, where the window is long enough for them to say something. */
export function sourcesToAwait(
  sources: readonly LateSource[],
  plan: Pick<Plan, 'criteria' | 'judgedMonitors'>,
  window: Stretch,
): LateSource[] {
  if (wholePeriods(window.to - window.from, periodMs).most < leastSamples) return [];
  const limits = plan.criteria.filter(({ source }) => source === 'server');
  const needed = new Set(limits.flatMap(({ metric }) => valuesMeant(metric, plan.judgedMonitors).map(({ monitor }) => monitor.name)));
  return sources.filter(({ monitor }) => needed.has(monitor.name));
}

/**
 * Asks a source for the points of the judged window once its last one may be right, and again until all are there: three minutes
 * after the window at the longest. Never rejects: what does not come is missing in the verdict.
 */
export async function awaitPoints(source: LateSource, { window, origin, clock, signal, tell }: Awaited): Promise<void> {
  const first = Math.ceil((origin + window.from) / periodMs) * periodMs;
  const end = Math.floor((origin + window.to) / periodMs) * periodMs;
  const last = origin + window.to + rightMs;
  let next = end + soonestMs;
  while (!signal.aborted) {
    await clock.sleep(untilThen(clock.stamp(), next), signal);
    if (signal.aborted) return;
    const lines = await pointsOf(source, window, origin).catch(() => []);
    for (const line of lines) tell(line);
    const there = new Set(lines.flatMap(({ periodFrom = 0 }) => (periodFrom >= first && periodFrom < end ? [periodFrom] : [])));
    if (there.size >= (end - first) / periodMs || next >= last) return;
    next = Math.min(last, next + againMs);
  }
}

function untilThen(now: EpochMs, then: EpochMs): Milliseconds {
  return Math.max(0, then - now);
}
