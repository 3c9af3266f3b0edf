import { unlessAborted } from '../../core/abort.js';
import { vanished } from '../../core/ends.js';
import type { ProcessEnd } from '../../core/os.js';
import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import { k6Exit } from '../../k6/exit-codes.js';
import type { RunnerStatus } from '../../k6/rest.js';
import type { Runner } from '../../runners/runner/types.js';
import { type LifeSigns, type RunnerLife, runnerLife } from './runner-life.js';

/**
 * A call that is unanswered for so long, or for two ticks, gets another one beside it: one lost call is no silence. Of 1,000 runners
 * whose conductor is slow for a moment, calls beside each other, each with a connection of its own, would keep it slow.
 */
const patienceMs: Milliseconds = 500;
/** So long after it begins, a watch looks more closely: a test may be over in no time. */
const closelyMs: Milliseconds = 1000;

/** How closely runners are watched. */
export interface Watchfulness {
  readonly everyMs: Milliseconds;
  /** ... in the first second. */
  readonly atFirstMs: Milliseconds;
  /** A runner without a sign of life for so long is lost. */
  readonly silentMs: Milliseconds;
}

/** How closely so many runners can be watched: each of them four times a second, twice where there are many, once where there are a thousand. */
export function watchfulness(runners: number, noticeMs: Milliseconds): Watchfulness {
  const everyMs = Math.max(250, Math.min(500, runners * 5), Math.min(1000, runners, noticeMs / 5));
  return { everyMs, atFirstMs: Math.min(everyMs, Math.max(25, runners * 5)), silentMs: noticeMs - everyMs };
}

/** What a watch of one runner goes by. */
export interface RunnerWatch extends LifeSigns, Watchfulness {
  /** So long after the watch began it must be over; without it, never. */
  readonly ceilingMs?: Milliseconds;
}

/** What became of a runner while it was watched: what was waited for, or how it was lost; undefined when the watch was ended. */
export type Seen<T> = { readonly reached: T } | { readonly lost: RunnerEnd } | undefined;

/** Watches a runner by its REST API and its other signs of life until `reached` finds what it waits for, it is lost, or `signal` aborts. */
export async function watchRunner<T>(
  runner: Runner,
  watch: RunnerWatch,
  signal: AbortSignal,
  reached: (status: RunnerStatus) => T | undefined,
): Promise<Seen<T>> {
  const { clock } = watch;
  const life = runnerLife(runner, watch);
  const begun = clock.elapsed();
  let found: { readonly reached: T } | undefined;
  const asker = statusAsker(runner, watch, (status) => {
    life.hear();
    const value = reached(status);
    if (value !== undefined) found ??= { reached: value };
  });
  const until = AbortSignal.any([signal, runner.gone]);
  for (;;) {
    const tookMs = clock.elapsed() - begun;
    const tick = life.tick(tookMs < closelyMs ? watch.atFirstMs : watch.everyMs, until);
    await Promise.race([asker.ask(), tick]);
    const seen = found ?? (await lostBy(runner, life, watch, tookMs));
    if (seen !== undefined) return seen;
    if (signal.aborted) return undefined;
    await tick;
  }
}

async function lostBy(
  runner: Runner,
  life: RunnerLife,
  { silentMs, ceilingMs = Number.POSITIVE_INFINITY }: RunnerWatch,
  tookMs: Milliseconds,
): Promise<{ readonly lost: RunnerEnd } | undefined> {
  if (runner.gone.aborted) return { lost: endOf(await runner.ended) };
  const cause = life.lostFor(silentMs);
  if (cause !== undefined) return { lost: { cause } };
  return tookMs > ceilingMs ? { lost: { cause: 'overdue' } } : undefined;
}

/** How a process ended that nobody here had asked to end. */
export function endOf({ exitCode, signal, error, why }: ProcessEnd): RunnerEnd {
  const said = why === undefined ? {} : { said: why };
  if (error !== undefined) return { cause: error === vanished ? 'gone' : 'out-of-reach', ...said };
  if (signal !== undefined) return { cause: 'killed', signal, ...said };
  if (exitCode === k6Exit.testAborted) return { cause: 'aborted', exitCode };
  const byOthers = exitCode === k6Exit.interrupted || exitCode === k6Exit.stoppedByRest;
  return { cause: byOthers ? 'ended-outside' : 'crashed', ...(exitCode === undefined ? {} : { exitCode }) };
}

/** Asks a runner for its status, one call at a time but for one that is not answered in a while. */
function statusAsker(
  { api, gone }: Runner,
  { clock, everyMs }: RunnerWatch,
  hear: (status: RunnerStatus) => void,
): { ask(): Promise<void> } {
  const waitMs = Math.max(patienceMs, 2 * everyMs);
  let open: { readonly since: Milliseconds; readonly answer: Promise<void> } | undefined;
  const call = async () => {
    const status = await api.status().catch(() => undefined);
    if (status !== undefined && !gone.aborted) hear(status);
  };
  return {
    ask: () => {
      if (open !== undefined && clock.elapsed() - open.since <= waitMs) return open.answer;
      const mine = {
        since: clock.elapsed(),
        answer: call().finally(() => {
          if (open === mine) open = undefined;
        }),
      };
      open = mine;
      return mine.answer;
    },
  };
}

/**
 * What a runner answers to something that takes it long, or how it was lost meanwhile; undefined when `until` aborts before.
 * A call that fails says less than the watch finds: then that is waited for.
 */
export async function askWatched<T>(
  runner: Runner,
  watch: RunnerWatch,
  until: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly answer: T } | { readonly lost: RunnerEnd } | undefined> {
  const over = new AbortController();
  const going = AbortSignal.any([until, over.signal]);
  const watching = watchRunner<never>(runner, watch, going, () => undefined).then((seen) => (seen && 'lost' in seen ? seen : undefined));
  const asking = ask(going).then(
    (answer) => ({ answer }),
    () => watching,
  );
  try {
    return await unlessAborted(Promise.race([asking, watching]), until);
  } finally {
    over.abort();
  }
}
