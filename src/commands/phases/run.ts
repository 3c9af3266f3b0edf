import type { RunId } from '../../core/ids.js';
import { heldElsewhere } from '../../phases/data/lock.js';
import { lockForRun } from '../../phases/data/pool.js';
import { type PhaseContext, profileOption } from '../../phases/frame/context.js';
import { loadBy } from '../../phases/load-by.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import { type Done, knownTest } from '../call/session.js';
import type { PhaseCommand } from './phase-command.js';

/** What `loadctl run` does. */
export const runCommand: PhaseCommand = {
  command: 'run',
  act: () => ({ does: ['load'] }),
  work: async (_, { lockElsewhere = false }, context, known) => makeLoad(context, known, lockElsewhere),
};

/** Makes the load of a plan, and judges it. */
export async function makeLoad(context: PhaseContext, known: KnownTest | undefined, lockElsewhere = false): Promise<Done> {
  const { origin, profile, world } = context;
  const named = profileOption({ file: origin.file, environment: profile.environment, cwd: world.cwd });
  const take = async (id: RunId) => (lockElsewhere ? heldElsewhere : lockForRun({ ...context, named, run: id }));
  const { reasons } = await loadBy(context, { test: knownTest(known), lock: { take } });
  return { reasons };
}
