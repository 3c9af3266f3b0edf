import type { Emit } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import type { Clock } from '../../core/os.js';
import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds, Share } from '../../core/quantities.js';
import { type DoneByRunner, hasLoad, lostShare, type RunnerPlace } from '../../metrics/lost-share.js';
import type { Runner } from '../../runners/runner/types.js';
import type { RunContext } from '../frame/context.js';
import type { LiveData } from '../watch/live-data.js';
import type { PreparedTest } from './prepare.js';

/** What is known of a load while it is made. */
export interface LoadSoFar {
  readonly plan: RunContext['plan'];
  readonly test: Pick<PreparedTest, 'load'>;
  readonly live: Pick<LiveData, 'numbers'>;
  /** By elapsed(). */
  readonly releasedAt: Milliseconds;
}

/** The share of the whole load that a runner of which `ms` of its load are known did not make. */
export function lostWith(runner: RunnerId, ms: Milliseconds, load: LoadSoFar): Share {
  const { scenarios } = load.test.load;
  const { live } = load;
  const iterationsOf = (name: string): number | undefined => {
    const counted = live.numbers.totalOf(runner, `iterations{scenario:${name}}`);
    const all = counted ?? (scenarios.length === 1 ? live.numbers.totalOf(runner, 'iterations') : undefined);
    return all?.kind === 'counter' ? all.count : undefined;
  };
  return missingOf(runner, { ms, iterationsOf }, load);
}

/** ... that was lost so: one that was not released pushes as it waits, and made none of its load. */
export function lostBy({ cause }: RunnerEnd, runner: RunnerId, ms: Milliseconds, load: LoadSoFar): Share {
  return cause === 'not-released' ? shareOf(runner, load) : lostWith(runner, ms, load);
}

/** How long the whole load is to last, the grace at its end apart. */
export function plannedMs({ test: { load } }: Pick<LoadSoFar, 'test'>): Milliseconds {
  return Math.max(0, ...load.scenarios.map(({ startMs, durationMs }) => startMs + durationMs));
}

/** The share of the whole load that a runner was to make. */
export function shareOf(runner: RunnerId, load: LoadSoFar): Share {
  return missingOf(runner, { ms: 0, iterationsOf: () => 0 }, load);
}

/** Whether a runner has no load to make. */
export function isIdle(runner: RunnerId, { plan, test }: LoadSoFar): boolean {
  const { scenarios } = test.load;
  return scenarios.length > 0 && !hasLoad(placeOf(runner, plan), scenarios);
}

function missingOf(runner: RunnerId, done: DoneByRunner, { plan, test }: LoadSoFar): Share {
  return lostShare(placeOf(runner, plan), test.load.scenarios, done);
}

function placeOf(runner: RunnerId, { runners }: LoadSoFar['plan']): RunnerPlace {
  return { index: runners.findIndex(({ id }) => id === runner), of: runners.length };
}

/** Whether the others go on without a runner that is lost while the load is on: the plan's `onLost`. It is told, and what is lost by now. */
export function lossPolicy(load: LoadSoFar, { clock, emit }: { readonly clock: Clock; readonly emit: Emit }) {
  const { onLost, allowedLoss = 0 } = load.plan.fleet;
  let inAll: Share = 0;
  return ({ id }: Pick<Runner, 'id'>, end: RunnerEnd): boolean => {
    if (onLost === 'abort') return false;
    const lost = lostBy(end, id, clock.elapsed() - load.releasedAt, load);
    inAll += lost;
    emit({ type: 'runner-lost', runner: id, end, lost, allowed: inAll <= allowedLoss });
    return true;
  };
}
