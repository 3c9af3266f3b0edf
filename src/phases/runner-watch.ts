import type { Clock, ProcessEnd } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { k6Status } from '../k6/rest.js';
import type { Runner } from '../runners/types.js';

const pollMs = 100;
/** A call that is unanswered for so long gets another one beside it: one lost call is no silence. */
const patienceMs = 500;

/** What became of one runner's load; `lost` may be said after `finished`, of one that lingers. */
export type RunnerCourse =
  | { readonly how: 'finished' }
  | { readonly how: 'aborted-by-script' }
  | { readonly how: 'lost'; readonly end: ProcessEnd }
  | { readonly how: 'unwatched' };

/** Follows one runner until its load is over, it is gone, or nothing of it was heard for `silentMs`; or `signal` ends the watch. */
export async function watchRunner(runner: Runner, silentMs: Milliseconds, clock: Clock, signal: AbortSignal): Promise<RunnerCourse> {
  let end: ProcessEnd | undefined;
  let status = 0;
  let answeredAt = clock.now();
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
    answeredAt = Math.max(answeredAt, clock.now());
    status = Math.max(status, answer.status);
  };
  while (!signal.aborted) {
    if (end !== undefined) return { how: 'lost', end };
    if (status === k6Status.interrupted) return { how: 'aborted-by-script' };
    if (status >= k6Status.ended) return { how: 'finished' };
    if (clock.now() - answeredAt > silentMs) return { how: 'lost', end: { error: 'ETIMEDOUT' } };
    if (!asking.open || clock.now() - asking.since > patienceMs) void ask();
    const begun = clock.now();
    await clock.sleep(pollMs, signal);
    answeredAt += stoodStill(clock.now() - begun);
  }
  return { how: 'unwatched' };
}

/** While loadctl itself stood still, it could not hear: that is not the runner's silence. */
function stoodStill(sleptMs: Milliseconds): Milliseconds {
  return sleptMs > patienceMs ? sleptMs - pollMs : 0;
}
