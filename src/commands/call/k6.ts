import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { pinnedVersion, resolveK6 } from '../../k6/binary/index.js';
import type { RunContext } from '../../phases/frame/context.js';
import { step } from '../../phases/frame/step.js';
import type { FoundK6 } from '../../phases/run/inspect-test.js';

/** The k6 of a run: the profile's, or the one that is here, or one that is fetched. */
export async function k6Of({ access, world, emit, signal }: Pick<RunContext, 'access' | 'world' | 'emit' | 'signal'>): Promise<FoundK6> {
  const { k6 } = access.machine;
  const env = k6 === undefined ? world.env : { ...world.env, LOADCTL_K6: k6 };
  const progress = (message: string) => emit({ type: 'noted', code: 'k6-binary', message });
  const building = <T>(go: string, build: () => Promise<T>) => tellBuild(go, build, { emit, clock: world.clock });
  return resolveK6({ ...world, env }, { progress, building, signal });
}

/** Tells every second that a build goes on. */
async function tellBuild<T>(go: string, build: () => Promise<T>, teller: { readonly emit: Emit; readonly clock: Clock }): Promise<T> {
  const { emit, clock } = teller;
  const over = new AbortController();
  const tick = async () => {
    for (let seconds = 1; ; seconds += 1) {
      await clock.sleep(1000, over.signal);
      if (over.signal.aborted) return;
      emit({ type: 'step-progressed', step: 'build-k6', done: seconds, unit: 'seconds' });
    }
  };
  const ticking = tick();
  const work = { kind: 'build-k6', k6Version: pinnedVersion, go } as const;
  try {
    return await step(teller, work, build, () => ({ result: 'built' }));
  } finally {
    over.abort();
    await ticking;
  }
}
