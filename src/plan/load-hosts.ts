import { type FleetLoad, type HostFacts, type LoadHost, usualHost } from './capacity.js';
import type { Plan } from './plan.js';

/** The hosts that a plan's runners will be on, as far as it says. `here` is what this machine has. */
export function loadHosts({ fleet: { backend, count, hosts = [] } }: Pick<Plan, 'fleet'>, here: HostFacts): LoadHost[] {
  if (backend === 'local') return [{ name: 'this machine', runners: count, facts: here }];
  if (backend !== 'ssh' || hosts.length === 0)
    return Array.from({ length: count }, () => ({ name: 'its host', runners: 1, facts: usualHost }));
  const dealt = hosts.map((name, index) => ({
    name,
    runners: Math.floor((count + hosts.length - 1 - index) / hosts.length),
    facts: usualHost,
  }));
  return dealt.filter(({ runners }) => runners > 0);
}

/** The load of a plan; undefined where the script makes its own. */
export function plannedFleetLoad({ load, iterationsPerSecond, requestsPerSecond }: Plan): FleetLoad | undefined {
  if (load === undefined) return undefined;
  return {
    vus: load.vus,
    open: load.rate !== undefined,
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
  };
}
