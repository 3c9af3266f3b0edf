import { LoadctlError } from '../core/errors.js';
import { capacityOf, type FleetLoad } from '../plan/capacity.js';
import { loadHosts, plannedFleetLoad } from '../plan/load-hosts.js';
import { readThisMachine } from '../runners/this-machine.js';
import type { PhaseContext } from './context.js';
import type { PreparedTest } from './prepare.js';

/**
 * Holds the load against what this machine has: throws `unavailable` for what cannot work, warns of what probably will not.
 * Runners elsewhere are their backend's to look at.
 */
export async function checkCapacity({ plan, profile, world, emit }: PhaseContext, test: PreparedTest): Promise<void> {
  if (plan.backend !== 'local') return;
  // Of a load of the script's own it is not known how much of it is there at the same time.
  const load: FleetLoad = plannedFleetLoad(plan) ?? { vus: test.requirements.maxVus, open: true };
  const hosts = loadHosts(profile, plan.runners.length, await readThisMachine(world));
  const { problems } = capacityOf(load, hosts);
  const [refused] = problems.filter(({ certain }) => certain);
  if (refused !== undefined) {
    throw new LoadctlError('unavailable', refused.message, { hint: 'loadctl plan shows what each runner and host has to carry.' });
  }
  for (const { message } of problems) emit({ type: 'warned', message });
}
