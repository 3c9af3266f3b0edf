import type { Shell } from '../../core/os.js';
import { fitLoad, fitPods } from '../../phases/target/fit-load.js';
import { withSecrets } from '../../plan/access.js';
import { type Capacity, capacityOf, type FleetLoad, type HostFacts, usualHost } from '../../plan/capacity.js';
import { isInCloud } from '../../plan/cloud.js';
import type { Foreseen } from '../../plan/inspection.js';
import { fleetLoad, loadHosts } from '../../plan/load-hosts.js';
import { type PodNeeds, podFleet } from '../../plan/pods.js';
import { loadTarget } from '../../plan/target.js';
import { readThisMachine } from '../../runners/local/this-machine.js';
import type { Planned } from './profile.js';

/** A capacity, and whose `has` it is held against. */
export interface CapacityNote {
  readonly capacity: Capacity;
  /** As a sentence; empty where the load is made by this machine. */
  readonly note: string;
  /** What runners that are pods ask of their cluster. */
  readonly pods?: PodNeeds;
}

const assumed = `has: what Linux gives by default, on ${usualHost.cpus} CPUs with 4 GB; no host was asked.`;

/** What a plan's runners have to carry; undefined as long as nobody knows the load. Of the hosts only this machine is looked at. */
export async function plannedCapacity(planned: Planned, foreseen: Foreseen, shell: Shell): Promise<CapacityNote | undefined> {
  const { plan, backend } = planned;
  if (isInCloud(plan)) return undefined;
  const load = fleetLoad(plan, 'load' in foreseen ? foreseen.load : undefined);
  if (load === undefined) return undefined;
  const { kubernetes } = plan.fleet;
  if (plan.fleet.backend === 'kubernetes' && kubernetes !== undefined) return capacityOfPods(planned, load, kubernetes);
  const here = backend.isHere ? await readThisMachine(shell) : {};
  const hosts = loadHosts(backend, plan.fleet.count, here);
  return { capacity: await fitLoad(load, hosts, urlOf(planned)), note: backend.isHere ? '' : assumed };
}

/** A pod has what it asks for, and the ports that Linux gives it. */
async function capacityOfPods(
  planned: Planned,
  load: FleetLoad,
  kubernetes: Parameters<typeof podFleet>[0]['kubernetes'],
): Promise<CapacityNote> {
  const { plan, backend } = planned;
  const { count } = plan.fleet;
  const hosts = loadHosts(backend, count, {});
  const fleet = podFleet({ count, kubernetes }, capacityOf(load, hosts).runner);
  const has = { ...usualHost, cpus: fleet.runner.cpus, freeMemoryBytes: fleet.runner.memoryBytes };
  const inPods = hosts.map((host) => ({ ...host, name: 'its pod', facts: has }));
  const pods = await fitPods(fleet, load, urlOf(planned));
  return { capacity: await fitLoad(load, inPods, urlOf(planned)), note: 'has: what its pod asks for; no node was asked.', pods };
}

/** The same, with this machine in the place of each host. */
export async function capacityHere(planned: Planned, foreseen: Foreseen, here: HostFacts): Promise<CapacityNote | undefined> {
  const { plan, backend } = planned;
  if (isInCloud(plan)) return undefined;
  const load = fleetLoad(plan, 'load' in foreseen ? foreseen.load : undefined);
  if (load === undefined) return undefined;
  const hosts = loadHosts(backend, plan.fleet.count, here).map((host) => ({ ...host, facts: here }));
  const note = backend.isHere ? '' : `has: this machine, as if it were one of the hosts (${plan.fleet.backend}).`;
  return { capacity: await fitLoad(load, hosts, urlOf(planned)), note };
}

function urlOf({ plan, access }: Planned): string {
  return loadTarget(withSecrets(plan, access)).url;
}
