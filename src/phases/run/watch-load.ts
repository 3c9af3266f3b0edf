import { isLoss, type RunnerEnd } from '../../core/outcome.js';
import type { Runner } from '../../runners/runner/types.js';
import { loadCourse } from './load-course.js';
import type { RunnerWatch } from './runner-watch.js';

/** How the load came to its end. */
export type LoadEnd =
  | { readonly how: 'finished' }
  | { readonly how: 'aborted'; readonly runner: Runner }
  | { readonly how: 'lost'; readonly runner: Runner; readonly end: RunnerEnd }
  | { readonly how: 'stopped' };

/** What became of the load, and how that of each runner ended; those that were stopped with the fleet are not in it. */
export interface Watched {
  readonly end: LoadEnd;
  readonly ends: ReadonlyMap<Runner, RunnerEnd>;
}

/** A load that is to be made, and watched. */
export interface LoadToWatch {
  readonly runners: readonly Runner[];
  readonly watchOf: (runner: Runner) => RunnerWatch;
  /** Whether the others go on without a runner that was lost. */
  readonly goOnWithout: (runner: Runner, end: RunnerEnd) => boolean;
}

/** Releases all runners together and follows the load until all are done, one is lost or aborts the test, or `signal` says stop. */
export async function watchLoad({ runners, watchOf, goOnWithout }: LoadToWatch, signal: AbortSignal): Promise<Watched> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const ends = new Map<Runner, RunnerEnd>();
  let early: LoadEnd | undefined;
  const endLoad = (end: LoadEnd) => {
    early ??= end;
    over.abort();
  };
  const lose = (runner: Runner, end: RunnerEnd) => {
    const left = runners.some((one) => ends.get(one) === undefined || ends.get(one)?.cause === 'reached-end');
    const othersGoOn = left && goOnWithout(runner, end);
    runner.end('hard');
    if (!othersGoOn) endLoad({ how: 'lost', runner, end });
  };
  await Promise.all(
    runners.map(async (runner) => {
      const end = await loadCourse(runner, watchOf(runner), until);
      if (end === undefined) return;
      ends.set(runner, end);
      if (until.aborted) return;
      if (end.cause === 'aborted') endLoad({ how: 'aborted', runner });
      else if (isLoss(end)) lose(runner, end);
    }),
  );
  return { end: early ?? { how: signal.aborted ? 'stopped' : 'finished' }, ends };
}
