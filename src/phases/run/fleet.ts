import { unlessAborted } from '../../core/abort.js';
import type { Beside } from '../../core/beside.js';
import { howItEnded } from '../../core/ends.js';
import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { makeGate } from '../../core/gate.js';
import type { Clock, ProcessEnd } from '../../core/os.js';
import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import { k6Status } from '../../k6/rest.js';
import type { OpenBackend, Runner, RunnerLaunch } from '../../runners/runner/types.js';
import { runnerLife } from './runner-life.js';
import type { RunnerWatch } from './runner-watch.js';

const pollMs: Milliseconds = 100;
/** Of so many runners, all together, 1,000 a second are asked whether they are ready. */
const pollOf = (runners: number): Milliseconds => Math.max(pollMs, runners);
/** How long k6 gets to end the load after being asked to, before its process is ended. */
const stopMs: Milliseconds = 4000;
/** How long a runner that writes its numbers may use no CPU, and how long it may take in all. */
const idleMs: Milliseconds = 15_000;
const writeMs: Milliseconds = 5 * 60_000;
const keptAtOnce = 16;

/** Slices of the world that a fleet needs. */
export interface FleetContext {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Aborted by the second one: everything ends at once. */
  readonly killed: AbortSignal;
  readonly beside: Beside;
  /** How a runner is watched. */
  readonly watchOf: (runner: Runner) => RunnerWatch;
}

/** Starts all runners, paused, at the same time. When one cannot be started, those that were are ended before it rejects. */
export async function startFleet(backend: OpenBackend, launches: readonly RunnerLaunch[]): Promise<Runner[]> {
  const settled = await Promise.allSettled(launches.map((launch) => backend.start(launch)));
  const runners = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = settled.find((result) => result.status === 'rejected');
  if (failure === undefined) return runners;
  await endHard(runners);
  await keepFiles(runners);
  throw failure.reason;
}

/** What the start of a fleet comes to; throws `unavailable` where that takes too long: the backend then ends what is there. */
export async function withinLimit<T>(starting: Promise<T>, limitMs: Milliseconds, clock: Pick<Clock, 'sleep'>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(limitMs, done.signal).then(() => {
    throw new LoadctlError('unavailable', `Not all runners started within ${Math.round(limitMs / 1000)} s.`, {
      hint: 'Look for a loop or a library that waits in the init code of the script, or raise runners.readyTimeout.',
    });
  });
  try {
    return await Promise.race([starting, late]);
  } finally {
    done.abort();
  }
}

/** The barrier: resolves when every runner has its VUs and waits. Throws `unavailable` for one that ends or takes too long. */
export async function awaitReady(
  runners: readonly Runner[],
  limitMs: Milliseconds,
  context: Pick<FleetContext, 'clock' | 'emit' | 'signal'> & { readonly tookMs: Milliseconds },
): Promise<void> {
  const deadline = context.clock.elapsed() + limitMs - context.tookMs;
  const everyMs = pollOf(runners.length);
  await Promise.all(runners.map((runner) => ready(runner, { deadline, limitMs, everyMs }, context)));
}

async function ready(
  runner: Runner,
  { deadline, limitMs, everyMs }: { readonly deadline: Milliseconds; readonly limitMs: Milliseconds; readonly everyMs: Milliseconds },
  { clock, emit, signal }: Pick<FleetContext, 'clock' | 'emit' | 'signal'>,
): Promise<void> {
  while (!signal.aborted) {
    if (runner.gone.aborted) throw await endedTooEarly(runner, await runner.ended);
    const status = await runner.api.status().catch(() => undefined);
    if (status?.status === k6Status.pausedBeforeRun && status.paused) {
      emit({ type: 'runner-ready', runner: runner.id, vus: status.vusMax });
      return;
    }
    if (clock.elapsed() > deadline) {
      throw new LoadctlError('unavailable', `Runner ${runner.id} on ${runner.host} was not ready within ${Math.round(limitMs / 1000)} s.`, {
        hint: 'Give it more time (runners.readyTimeout) or fewer VUs.',
      });
    }
    await clock.sleep(everyMs, signal);
  }
}

async function endedTooEarly(runner: Runner, end: ProcessEnd): Promise<LoadctlError> {
  const { digest } = await runner.readLog();
  return new LoadctlError('unavailable', `Runner ${runner.id} on ${runner.host} ended before the load began (${howItEnded(end)}).`, {
    lines: digest.errors.flatMap((line) => line.message.split('\n')).slice(0, 10),
    hint: 'Its log is in the run directory.',
  });
}

/** Ends the load of all runners at once; those that do not end it in time are ended as processes. They linger on. */
export async function stopLoad(runners: readonly Runner[], { clock, killed }: FleetContext): Promise<void> {
  await Promise.all(
    runners.map(async (runner) => {
      const deadline = clock.elapsed() + stopMs;
      const until = AbortSignal.any([killed, runner.gone]);
      while (!until.aborted && clock.elapsed() < deadline) {
        const answer = runner.api
          .stop()
          .then(() => runner.api.status())
          .catch(() => undefined);
        const status = await unlessAborted(answer, until);
        if (status !== undefined && status.status >= k6Status.ended) return;
        await clock.sleep(pollMs, until);
      }
      runner.end('hard');
    }),
  );
}

/**
 * Lets all runners go: they write their numbers and end. One that works gets its time; one that does not is ended. By runner,
 * how those ended that did not come to their end by themselves.
 */
export async function dismiss(runners: readonly Runner[], fleet: FleetContext): Promise<Map<Runner, RunnerEnd>> {
  const ends = new Map<Runner, RunnerEnd>();
  await Promise.all(
    runners.map(async (runner) => {
      const end = await letGo(runner, fleet);
      if (end !== undefined) ends.set(runner, end);
      runner.end('hard');
      await runner.ended;
    }),
  );
  return ends;
}

async function letGo(runner: Runner, { clock, killed, watchOf }: FleetContext): Promise<RunnerEnd | undefined> {
  if (runner.gone.aborted) return undefined;
  const watch = watchOf(runner);
  const life = runnerLife(runner, watch);
  const begun = clock.elapsed();
  const until = AbortSignal.any([killed, runner.gone]);
  runner.end('gracefully');
  for (;;) {
    await life.tick(watch.everyMs, until);
    if (runner.gone.aborted) return undefined;
    if (killed.aborted) return { cause: 'cut-off' };
    const cause = life.lostFor(watch.silentMs) === 'frozen' ? 'frozen' : life.lostFor(idleMs);
    if (cause !== undefined) return { cause };
    if (clock.elapsed() - begun > writeMs) return { cause: 'overdue' };
  }
}

/** When they are gone: keeps what they wrote and said, as far as that was not done. */
export async function keepFiles(runners: readonly Runner[]): Promise<void> {
  const gate = makeGate(keptAtOnce);
  await Promise.all(runners.map((runner) => gate(() => runner.collect())));
  await Promise.all(runners.map((runner) => gate(() => runner.readLog())));
}

/** Ends all runners' processes, whatever they are doing, and waits until they are gone. */
export async function endHard(runners: readonly Runner[]): Promise<void> {
  for (const runner of runners) runner.end('hard');
  await Promise.all(runners.map((runner) => runner.ended));
}
