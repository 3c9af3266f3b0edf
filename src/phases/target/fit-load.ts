import { lookup } from 'node:dns/promises';
import { type Capacity, capacityOf, type FleetLoad, type LoadHost } from '../../plan/capacity.js';
import { isLoopback, placeOf } from '../../plan/hosts.js';
import { type PodFleet, type PodNeeds, podNeeds } from '../../plan/pods.js';

/**
 * Holds a load against its hosts. Ports are for each address of the target, which is looked up by its name only where those
 * for one address would not do.
 */
export async function fitLoad(load: FleetLoad, hosts: readonly LoadHost[], url: string): Promise<Capacity> {
  const capacity = capacityOf(load, hosts);
  if (capacity.problems.every((problem) => problem.of !== 'ports')) return capacity;
  const targetAddresses = await countAddresses(placeOf(url).host);
  return targetAddresses > 1 ? capacityOf({ ...load, targetAddresses }, hosts) : capacity;
}

/** Reckons what pods a load takes; the target's name is looked up where ports for one address of it would not do. */
export async function fitPods(fleet: PodFleet, load: Pick<FleetLoad, 'vus' | 'requestsPerSecond'>, url: string): Promise<PodNeeds> {
  const needs = podNeeds(fleet, load);
  if (needs.sourcesNeeded === 1) return needs;
  const targetAddresses = await countAddresses(placeOf(url).host);
  return targetAddresses > 1 ? podNeeds(fleet, { ...load, targetAddresses }) : needs;
}

/** k6 spreads its connections over all IPv4 addresses of a name; over those of IPv6 where it has no others. */
async function countAddresses(host: string): Promise<number> {
  if (isLoopback(host)) return 1;
  const found = await lookup(host, { all: true }).catch(() => []);
  const ofIPv4 = found.filter(({ family }) => family === 4).length;
  return Math.max(1, ofIPv4 === 0 ? found.length : ofIPv4);
}
