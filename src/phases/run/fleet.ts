import { howItEnded } from '../../core/ends.js';
import { type ErrorData, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock, ProcessEnd } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { k6Status, type ScriptFailure } from '../../k6/rest.js';
import type { OpenBackend, Runner, RunnerLaunch } from '../../runners/runner/types.js';
import { watchfulness, watchRunner } from './runner-watch.js';

const pollMs = 100;
/** How long k6 gets to end the load after being asked to, before its process is ended. */
const stopMs = 2500;
/** How long a runner gets to write its numbers after SIGTERM. */
const writeMs = 15_000;

/** Slices of the world that a fleet needs. */
export interface FleetContext {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Aborted by the second one: everything ends at once. */
  readonly killed: AbortSignal;
}

/** A runner that ended without being asked to. */
export interface LostRunner {
  readonly runner: Runner;
  readonly end: ProcessEnd;
}

/** How the load came to its end. */
export type LoadEnd =
  | { readonly how: 'finished' }
  | { readonly how: 'aborted-by-script'; readonly runner: Runner }
  | { readonly how: 'lost'; readonly lost: LostRunner }
  | { readonly how: 'stopped' }
  /** setup() failed, and there was none. */
  | { readonly how: 'never-begun' };

/** What became of the load, and of the runners that were lost on the way. */
export interface Watched {
  readonly end: LoadEnd;
  readonly lost: readonly LostRunner[];
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

/** The barrier: resolves when every runner has its VUs and waits. Throws `unavailable` for one that ends or takes too long. */
export async function awaitReady(runners: readonly Runner[], readyTimeoutMs: Milliseconds, context: FleetContext): Promise<void> {
  await Promise.all(runners.map((runner) => ready(runner, context.clock.now() + readyTimeoutMs, readyTimeoutMs, context)));
}

async function ready(runner: Runner, deadline: number, limitMs: Milliseconds, { clock, emit, signal }: FleetContext): Promise<void> {
  let end: ProcessEnd | undefined;
  void runner.ended.then((how) => {
    end = how;
  });
  while (!signal.aborted) {
    if (end !== undefined) throw await endedTooEarly(runner, end);
    const status = await runner.api.status().catch(() => undefined);
    if (status?.status === k6Status.pausedBeforeRun && status.paused) {
      emit({ type: 'runner-ready', runner: runner.id, vus: status.vusMax });
      return;
    }
    if (clock.now() > deadline) {
      throw new LoadctlError('unavailable', `Runner ${runner.id} on ${runner.host} was not ready within ${Math.round(limitMs / 1000)} s.`, {
        hint: 'Give it more time (runners.readyTimeout) or fewer VUs.',
      });
    }
    await clock.sleep(pollMs, signal);
  }
}

async function endedTooEarly(runner: Runner, end: ProcessEnd): Promise<LoadctlError> {
  const { digest } = await runner.readLog();
  return new LoadctlError('unavailable', `Runner ${runner.id} on ${runner.host} ended before the load began (${howItEnded(end)}).`, {
    lines: digest.errors.flatMap((line) => line.message.split('\n')).slice(0, 10),
    hint: 'Its log is in the run directory.',
  });
}

/** What became of setup(): its data, or that there is no load to be made without it. */
export interface SetUp {
  readonly data: unknown;
  /** How long it took until it threw, took too long or aborted the test; missing where it did none of that. */
  readonly failedAfterMs?: Milliseconds;
}

/** setup() once: on the first runner; the others are handed its data. What it threw is told as an event, not thrown. */
export async function setupOnce(runners: readonly Runner[], timeoutMs: Milliseconds, { clock, emit }: FleetContext): Promise<SetUp> {
  const [first, ...others] = runners;
  if (first === undefined) return { data: undefined };
  const begun = clock.now();
  const result = await first.api.runSetup(timeoutMs + 5000);
  const about = { runner: first.id, elapsedMs: clock.now() - begun };
  if ('thrown' in result) {
    emit({ type: 'setup-failed', ...about, error: setupError(result) });
    return { data: undefined, failedAfterMs: about.elapsedMs };
  }
  if (result.data !== undefined) await Promise.all(others.map((runner) => runner.api.putSetup(result.data)));
  emit({ type: 'setup-finished', ...about });
  return { data: result.data };
}

function setupError({ thrown, aborted }: ScriptFailure): ErrorData {
  const [message = '', ...lines] = thrown.split('\n').filter((line) => line.trim() !== '');
  const [code, what] = aborted ? (['test-aborted', 'called test.abort()'] as const) : (['script-threw', 'threw'] as const);
  const hint = message.includes('execution timed out') ? 'Raise setupTimeout in the options.' : 'No load was made. Fix the script.';
  return { code, message: `The script ${what} in setup(): ${message.trim()}`, hint, ...(lines.length === 0 ? {} : { lines }) };
}

/** Releases all runners at the same time: the load begins. */
export async function releaseTogether(runners: readonly Runner[], { emit }: FleetContext): Promise<void> {
  await Promise.all(runners.map((runner) => runner.api.release()));
  emit({ type: 'fleet-released', runners: runners.length });
}

/** Follows the load until all runners are done, one is lost (gone, or silent for `noticeMs`), the script aborts, or `signal` says stop. */
export async function watchLoad(
  runners: readonly Runner[],
  noticeMs: Milliseconds,
  { clock, signal }: Pick<FleetContext, 'clock' | 'signal'>,
  goOnWithout: (lost: LostRunner) => boolean,
): Promise<Watched> {
  const over = new AbortController();
  const lost: LostRunner[] = [];
  const watching = AbortSignal.any([signal, over.signal]);
  const closely = watchfulness(runners.length, noticeMs);
  const end = await new Promise<LoadEnd>((resolve) => {
    const lose = (one: LostRunner) => {
      if (over.signal.aborted || lost.some(({ runner }) => runner === one.runner)) return;
      lost.push(one);
      const others = lost.length < runners.length && goOnWithout(one);
      if (others) one.runner.end('hard');
      else resolve({ how: 'lost', lost: one });
    };
    const courses = runners.map(async (runner) => {
      void runner.ended.then((end) => lose({ runner, end }));
      const course = await watchRunner(runner, closely, clock, watching);
      if (course.how === 'lost') lose({ runner, end: course.end });
      if (course.how === 'aborted-by-script') resolve({ how: 'aborted-by-script', runner });
      if (course.how === 'unwatched') resolve({ how: 'stopped' });
    });
    void Promise.all(courses).then(() => resolve({ how: 'finished' }));
  });
  over.abort();
  return { end, lost };
}

/** Ends the load of all runners at once; those that do not end it in time are ended as processes. They linger on. */
export async function stopLoad(runners: readonly Runner[], { clock, killed }: FleetContext): Promise<void> {
  await Promise.all(
    runners.map(async (runner) => {
      const deadline = clock.now() + stopMs;
      let gone = false;
      void runner.ended.then(() => {
        gone = true;
      });
      await runner.api.stop().catch(() => {});
      while (!gone && !killed.aborted && clock.now() < deadline) {
        const status = await runner.api.status().catch(() => undefined);
        if (status !== undefined && status.status >= k6Status.ended) return;
        await clock.sleep(pollMs, killed);
      }
      if (!gone) runner.end('hard');
    }),
  );
}

/** teardown() once, on the first runner that is still there; what it threw is told as an event, not thrown. */
export async function teardownOnce(runners: readonly Runner[], timeoutMs: Milliseconds, context: FleetContext): Promise<void> {
  const { emit, killed } = context;
  for (const runner of runners) {
    if (killed.aborted) break;
    const answering = await runner.api.status().catch(() => undefined);
    if (answering !== undefined && !killed.aborted) return tearDown(runner, timeoutMs, context);
  }
  emit({ type: 'warned', code: 'teardown-not-run', why: killed.aborted ? 'ended-at-once' : 'no-runner' });
}

async function tearDown(runner: Runner, timeoutMs: Milliseconds, { clock, emit, killed }: FleetContext): Promise<void> {
  const begun = clock.now();
  emit({ type: 'teardown-started', runner: runner.id });
  const running = runner.api.runTeardown(timeoutMs + 5000).catch((error: unknown) => ({ thrown: errorMessage(error), aborted: false }));
  const outcome = await Promise.race([running, aborted(killed).then(() => 'cut off' as const)]);
  const about = { runner: runner.id, elapsedMs: clock.now() - begun };
  if (outcome === 'cut off') return emit({ type: 'teardown-cut-off', ...about });
  const error = outcome === undefined ? {} : { error: outcome.thrown, aborted: outcome.aborted };
  emit({ type: 'teardown-finished', ...about, ...error });
}

/** Lets all runners go: they write their numbers and end; those that do not are ended. */
export async function dismiss(runners: readonly Runner[], { clock, killed }: FleetContext): Promise<void> {
  for (const runner of runners) runner.end('gracefully');
  const done = new AbortController();
  const patience = Promise.race([clock.sleep(writeMs, done.signal), aborted(killed)]);
  await Promise.race([Promise.all(runners.map((runner) => runner.ended)), patience]);
  done.abort();
  await endHard(runners);
}

/** When they are gone: keeps what they wrote and said, as far as that was not done. */
export async function keepFiles(runners: readonly Runner[]): Promise<void> {
  await Promise.all(runners.map((runner) => runner.collect()));
  await Promise.all(runners.map((runner) => runner.readLog()));
}

/** Ends all runners' processes, whatever they are doing, and waits until they are gone. */
export async function endHard(runners: readonly Runner[]): Promise<void> {
  for (const runner of runners) runner.end('hard');
  await Promise.all(runners.map((runner) => runner.ended));
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
