import type { Shell } from '../../core/os.js';
import { type Capacity, capacityOf, type HostFacts, usualHost } from '../../plan/capacity.js';
import { loadHosts, plannedFleetLoad } from '../../plan/load-hosts.js';
import { readThisMachine } from '../../runners/local/this-machine.js';
import type { Planned } from './profile.js';

/** A capacity, and whose `has` it is held against. */
export interface CapacityNote {
  readonly capacity: Capacity;
  /** As a sentence; empty where the load is made by this machine. */
  readonly note: string;
}

const assumed = `has: what Linux gives by default, on ${usualHost.cpus} CPUs with 4 GB; no host was asked.`;

/** What a plan's runners have to carry; undefined where the script makes its own load. Nothing but this machine is looked at. */
export async function plannedCapacity({ plan, backend }: Planned, shell: Shell): Promise<CapacityNote | undefined> {
  const load = plannedFleetLoad(plan);
  if (load === undefined) return undefined;
  const here = backend.isHere ? await readThisMachine(shell) : {};
  return { capacity: capacityOf(load, loadHosts(backend, plan.fleet.count, here)), note: backend.isHere ? '' : assumed };
}

/** The same, with this machine in the place of each host. */
export function capacityHere({ plan, backend }: Planned, here: HostFacts): CapacityNote | undefined {
  const load = plannedFleetLoad(plan);
  if (load === undefined) return undefined;
  const hosts = loadHosts(backend, plan.fleet.count, here).map((host) => ({ ...host, facts: here }));
  const note = backend.isHere ? '' : `has: this machine, as if it were one of the hosts (${plan.fleet.backend}).`;
  return { capacity: capacityOf(load, hosts), note };
}
