import type { BackendFacts } from './backend.js';
import { type FleetLoad, type HostFacts, type LoadHost, usualHost } from './capacity.js';
import type { ForeseenLoad } from './inspection.js';
import type { Plan } from './plan.js';

/** The hosts that so many runners will be on, as far as their backend tells. `here` is what this machine has. */
export function loadHosts({ isHere, hosts }: Pick<BackendFacts, 'isHere' | 'hosts'>, count: number, here: HostFacts): LoadHost[] {
  if (isHere) return [{ name: 'this machine', runners: count, facts: here }];
  if (hosts.length === 0) return Array.from({ length: count }, () => ({ name: 'its host', runners: 1, facts: usualHost }));
  const dealt = hosts.map((name, index) => ({
    name,
    runners: Math.floor((count + hosts.length - 1 - index) / hosts.length),
    facts: usualHost,
  }));
  return dealt.filter(({ runners }) => runners > 0);
}

/** The load of a plan; of a script that makes its own load what k6 says of it, undefined as long as nobody knows. */
export function fleetLoad(
  { load, iterationsPerSecond, requestsPerSecond }: Plan,
  foreseen: ForeseenLoad | undefined,
): FleetLoad | undefined {
  if (load === undefined) return foreseen;
  return {
    vus: load.vus,
    open: load.rate !== undefined,
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
  };
}
