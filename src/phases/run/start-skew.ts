import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import { beginMetric } from '../../k6/wrapper.js';
import type { Runner } from '../../runners/runner/types.js';
import type { RunnerNumbers } from './stand-ins.js';

/** A runner, and its numbers where it left some. */
interface Begun {
  readonly runner: Pick<Runner, 'id' | 'clockOrigin'>;
  readonly numbers: Pick<RunnerNumbers, 'summary'> | undefined;
}

/** What the clocks of the runners' hosts said when loadctl's stood at 0, by runner; without those that could not be asked. */
export type ClockOrigins = ReadonlyMap<string, EpochMs>;

/** A clock that says something else by more than this was set meanwhile; asking takes its time, and clocks drift. */
const driftMs: Milliseconds = 250;

/** Asks what the hosts' clocks say. */
export async function readOrigins(runners: readonly Begun['runner'][]): Promise<ClockOrigins> {
  const told = await Promise.all(runners.map(async (runner) => [runner.id, await runner.clockOrigin()] as const));
  return new Map(told.flatMap(([id, origin]) => (origin === undefined ? [] : [[id, origin]])));
}

/**
 * How far apart the first iterations of the runners began. Each noted the time by the clock of its own host; what that clock
 * was off is asked before and after. `unknown` where one of them was set meanwhile; undefined where fewer than two runners tell.
 */
export async function startSkew(runners: readonly Begun[], before: ClockOrigins): Promise<Milliseconds | 'unknown' | undefined> {
  const begun = runners.flatMap(({ runner, numbers }) => {
    const metric = numbers?.summary.metrics[beginMetric];
    return metric?.type === 'gauge' && metric.min !== undefined ? [{ runner, at: metric.min }] : [];
  });
  if (begun.length < 2) return undefined;
  const after = await readOrigins(begun.map(({ runner }) => runner));
  const moments = begun.map(({ runner: { id }, at }) => momentOf(at, before.get(id), after.get(id)));
  if (moments.includes(undefined)) return 'unknown';
  const known = moments.flatMap((moment) => moment ?? []);
  return Math.round(Math.max(...known) - Math.min(...known));
}

/** By elapsed(); undefined where the clock that noted it cannot be trusted. A host that is out of reach now was heard before. */
function momentOf(at: EpochMs, before: EpochMs | undefined, after = before): Milliseconds | undefined {
  if (before === undefined || after === undefined || Math.abs(after - before) > driftMs) return undefined;
  return at - before;
}
