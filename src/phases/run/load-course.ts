import { unlessAborted } from '../../core/abort.js';
import { errorMessage } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import type { RunnerEnd } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import { k6Status } from '../../k6/rest.js';
import type { Runner } from '../../runners/runner/types.js';
import { runnerLife } from './runner-life.js';
import { type RunnerWatch, watchRunner } from './runner-watch.js';

/** One that lives may take so long to hear that it is released. */
const releaseMs: Milliseconds = 15_000;
const retryMs: Milliseconds = 100;
/** `test.abort()` lingers; a k6 that somebody else signalled shows the same status, and is gone when it has written its numbers. */
const lingerMs: Milliseconds = 1000;
const writingMs: Milliseconds = 60_000;
/** One that lingers uses next to no CPU, one that writes uses all it gets. */
const writingCpu = 0.3;

/** Releases a runner and follows its load to its end; undefined where `signal` ended that before. */
export async function loadCourse(runner: Runner, watch: RunnerWatch, signal: AbortSignal): Promise<RunnerEnd | undefined> {
  const refused = await release(runner, watch, signal);
  if (refused !== undefined || signal.aborted) return refused;
  const seen = await watchRunner(runner, watch, signal, ({ status }) => (status >= k6Status.ended ? status : undefined));
  if (seen === undefined) return undefined;
  if ('lost' in seen) return seen.lost;
  return seen.reached === k6Status.interrupted ? whoInterrupted(runner, watch, signal) : { cause: 'reached-end' };
}

/**
 * Releases a runner, asked again until it hears, as long as it lives; undefined when it has heard, or `signal` aborts. Where its
 * answer is lost its status tells: k6 refuses to release a load that is on.
 */
async function release(runner: Runner, watch: RunnerWatch, signal: AbortSignal): Promise<RunnerEnd | undefined> {
  const { clock } = watch;
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  let said = 'no answer';
  const asking = askToGo(runner, clock, until, (why) => {
    said = why;
  });
  const watchOn = async () => {
    await clock.sleep(retryMs, until); // most have heard by then: their first requests need the CPU
    return watchRunner(runner, { ...watch, ceilingMs: releaseMs }, until, ({ status }) => status > k6Status.pausedBeforeRun || undefined);
  };
  const seen = await Promise.race([asking, watchOn()]);
  over.abort();
  if (seen === undefined || !('lost' in seen)) return undefined;
  const { cause } = seen.lost;
  if (cause === 'frozen') return { cause: 'not-released', said: 'its process is frozen' };
  return cause === 'silent' || cause === 'overdue' ? { cause: 'not-released', said } : seen.lost;
}

async function askToGo({ api }: Runner, clock: Pick<Clock, 'sleep'>, signal: AbortSignal, failed: (why: string) => void): Promise<void> {
  const ask = () =>
    api.release().then(
      () => true,
      (error: unknown) => {
        failed(errorMessage(error));
        return false;
      },
    );
  while (!signal.aborted && (await unlessAborted(ask(), signal)) === false) await clock.sleep(retryMs, signal);
}

/**
 * Whether a script aborted its test, or somebody else ended its k6. Only one that still answers lingers: one that is gone answers no
 * more, and how it went may be told seconds later.
 */
async function whoInterrupted(runner: Runner, watch: RunnerWatch, signal: AbortSignal): Promise<RunnerEnd | undefined> {
  const { clock, everyMs, pushedAt } = watch;
  const eyes = runnerLife(runner, { clock, pushedAt });
  const begun = clock.elapsed();
  const lingers = () => {
    const tookMs = clock.elapsed() - begun;
    const writes = tookMs < writingMs && eyes.works(writingCpu);
    return tookMs >= lingerMs && !writes ? true : undefined;
  };
  const over = new AbortController();
  const looking = async () => {
    for (; !over.signal.aborted; await clock.sleep(everyMs, over.signal)) await eyes.look();
  };
  const watching = watchRunner(runner, watch, signal, lingers).finally(() => over.abort());
  const [seen] = await Promise.all([watching, Promise.race([watching, looking()])]);
  if (seen === undefined) return undefined;
  return 'lost' in seen ? seen.lost : { cause: 'aborted' };
}
