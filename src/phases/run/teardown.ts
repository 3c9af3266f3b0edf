import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Defer } from '../../core/scope.js';
import { stopwatch } from '../../core/timer.js';
import type { Runner } from '../../runners/runner/types.js';
import type { FleetContext } from './fleet.js';
import { askWatched } from './runner-watch.js';

/** k6 keeps its own timeout, and its answer takes a moment. */
const answerMs: Milliseconds = 5000;

/** teardown() of one run: once it is due it is tried, in whatever way the run ends, and only once. */
export interface Teardown {
  /** setup() is being asked for, or the load begins: from here on what they do is to be undone. */
  due(): void;
  /** Who has what setup() returned: only they can undo it. */
  readonly holders: (runners: readonly Runner[]) => void;
  /** Tries it now, where it is due. */
  run(): Promise<void>;
  /** How long it took. */
  elapsedMs(): Milliseconds;
}

/** What a teardown goes by. */
export interface TeardownTask {
  readonly hasSetup: boolean;
  readonly hasTeardown: boolean;
  readonly timeoutMs: Milliseconds;
}

/** The {@link Teardown} of these runners; where nobody ran it before, the end of the scope does. */
export function teardownOf(runners: readonly Runner[], task: TeardownTask, fleet: FleetContext, defer: Defer): Teardown {
  let isDue = false;
  let took = () => 0;
  let holders: readonly Runner[] | undefined = task.hasSetup ? undefined : runners;
  const run = async () => {
    if (!isDue || !task.hasTeardown) return;
    isDue = false;
    const timed = stopwatch(fleet.clock);
    took = timed;
    if (holders === undefined) fleet.emit({ type: 'warned', code: 'teardown-not-run', why: 'no-data' });
    else await tearDown(holders, task.timeoutMs, fleet);
    const elapsedMs = timed();
    took = () => elapsedMs;
  };
  defer(run);
  return {
    due: () => {
      isDue = true;
    },
    holders: (known) => {
      holders = known;
    },
    run,
    elapsedMs: () => took(),
  };
}

/** On the first runner that is still there; on the next one where it is lost meanwhile. */
async function tearDown(holders: readonly Runner[], timeoutMs: Milliseconds, fleet: FleetContext): Promise<void> {
  let tried = false;
  for (const runner of holders) {
    if (fleet.killed.aborted) break;
    if (runner.gone.aborted || runner.asked() === 'hard') continue;
    if ((await tearDownOn(runner, timeoutMs, fleet, tried)) !== 'lost') return;
    tried = true;
  }
  const why = fleet.killed.aborted ? 'ended-at-once' : tried ? 'lost' : 'no-runner';
  fleet.emit({ type: 'warned', code: 'teardown-not-run', why });
}

async function tearDownOn(runner: Runner, timeoutMs: Milliseconds, fleet: FleetContext, again: boolean): Promise<'done' | 'lost'> {
  const { clock, emit, killed, watchOf } = fleet;
  const took = stopwatch(clock);
  emit({ type: 'teardown-started', runner: runner.id, ...(again ? { again } : {}) });
  const watch = { ...watchOf(runner), ceilingMs: timeoutMs + 2 * answerMs };
  const came = await askWatched(runner, watch, killed, () => runner.api.runTeardown(timeoutMs + answerMs));
  const about = { runner: runner.id, elapsedMs: took() };
  if (came === undefined) emit({ type: 'teardown-cut-off', ...about });
  else if ('lost' in came) return lostIn(about, came.lost, fleet);
  else emit({ type: 'teardown-finished', ...about, ...(came.answer && { error: came.answer.said, how: came.answer.how }) });
  return 'done';
}

function lostIn(
  about: { readonly runner: Runner['id']; readonly elapsedMs: Milliseconds },
  end: RunnerEnd,
  { emit }: FleetContext,
): 'lost' {
  emit({ type: 'teardown-lost', ...about, end });
  return 'lost';
}
