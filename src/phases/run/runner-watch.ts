import { lastSign } from '../../core/liveness.js';
import type { Clock, ProcessEnd } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { k6Status } from '../../k6/rest.js';
import type { Runner } from '../../runners/runner/types.js';

/** A call that is unanswered for so long gets another one beside it: one lost call is no silence. */
const patienceMs = 500;

/** What became of one runner's load. */
export type RunnerCourse =
  | { readonly how: 'finished' }
  | { readonly how: 'aborted-by-script' }
  | { readonly how: 'lost'; readonly end: ProcessEnd }
  | { readonly how: 'unwatched' };

/** How closely runners are watched. */
export interface Watchfulness {
  readonly everyMs: Milliseconds;
  /** A runner of which nothing was heard for so long is lost. */
  readonly silentMs: Milliseconds;
}

/** How closely so many runners can be watched: each of them four times a second, or twice where there are many. */
export function watchfulness(runners: number, noticeMs: Milliseconds): Watchfulness {
  const everyMs = Math.min(500, Math.max(250, runners * 5));
  return { everyMs, silentMs: noticeMs - everyMs };
}

/** Follows one runner until its load is over, it is gone, or too long silent; or `signal` ends the watch. */
export async function watchRunner(
  runner: Runner,
  { everyMs, silentMs }: Watchfulness,
  clock: Clock,
  signal: AbortSignal,
): Promise<RunnerCourse> {
  let end: ProcessEnd | undefined;
  let status = 0;
  const sign = lastSign(clock);
  let asking = { since: 0, open: false };
  void runner.ended.then((how) => {
    end = how;
  });
  const ask = async () => {
    const call = { since: clock.now(), open: true };
    asking = call;
    const answer = await runner.api.status().catch(() => undefined);
    call.open = false;
    if (answer === undefined) return;
    sign.hear();
    status = Math.max(status, answer.status);
  };
  while (!signal.aborted) {
    if (end !== undefined) return { how: 'lost', end };
    if (status === k6Status.interrupted) return { how: 'aborted-by-script' };
    if (status >= k6Status.ended) return { how: 'finished' };
    if (sign.silentMs() > silentMs) return { how: 'lost', end: { error: 'ETIMEDOUT' } };
    if (!asking.open || clock.now() - asking.since > patienceMs) void ask();
    await sign.tick(everyMs, signal);
  }
  return { how: 'unwatched' };
}
