import type { ExitReason } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import { type Defer, scope } from '../../core/scope.js';
import { isInCloud } from '../../plan/cloud.js';
import { shownTarget } from '../../plan/target.js';
import { holdRun } from '../../runs/lock.js';
import { createRunDirectory, type RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import { tellPhase } from '../frame/tell-phase.js';

/** Makes the directory of a run, which this process holds, and works on it in the phase of its own that a run is. */
export async function phaseOfRun<T extends { readonly reasons: readonly ExitReason[] }>(
  context: RunContext,
  run: RunId,
  work: (directory: RunDirectory, defer: Defer) => Promise<T>,
): Promise<T> {
  const { world, plan, redact, emit } = context;
  const directory = await createRunDirectory(world.cwd, run, redact);
  await holdRun(directory.path, world);
  const { url, colour } = shownTarget(context.target);
  const { environment, fleet } = plan;
  const runners = isInCloud(plan) ? 0 : plan.runners.length;
  const side = colour === undefined ? {} : { colour: { loaded: colour.loaded, live: colour.live } };
  const aim = { phase: 'run', runners, backend: fleet.backend, url, ...side } as const;
  // The phase is over when all that it began is undone: teardown() may be a part of that.
  const whole = () => scope((defer) => work(directory, defer));
  return tellPhase({ environment, emit, clock: world.clock }, aim, whole, ({ reasons }) => reasons);
}
