import { resolveK6 } from '../../k6/binary/index.js';
import type { RunContext } from '../../phases/frame/context.js';
import type { FoundK6 } from '../../phases/run/prepare.js';

/** The k6 of a run: the profile's, or the one that is here, or one that is fetched. */
export async function k6Of({ access, world, emit, signal }: RunContext): Promise<FoundK6> {
  const { k6 } = access.machine;
  const env = k6 === undefined ? world.env : { ...world.env, LOADCTL_K6: k6 };
  const progress = (message: string) => emit({ type: 'noted', code: 'k6-binary', message });
  return resolveK6({ ...world, env }, { progress, signal });
}
