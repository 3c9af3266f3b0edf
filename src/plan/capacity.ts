import type { CapacityProblem } from '../core/capacity.js';
import type { PerSecond, Share } from '../core/quantities.js';

/** What a host that makes load has; a number is missing where it is not known. */
export interface HostFacts {
  readonly cpus?: number;
  readonly freeMemoryBytes?: number;
  /** Files that one process may have open. */
  readonly openFiles?: number;
  /** The ephemeral ports, both included. */
  readonly portsFrom?: number;
  readonly portsTo?: number;
  /** Addresses that connections may come from: one, where it is not said. */
  readonly addresses?: number;
}

/** What a host is taken for that nobody has looked at: Linux as it comes, and a small machine. */
export const usualHost = {
  cpus: 2,
  freeMemoryBytes: 4e9,
  openFiles: 524_288,
  portsFrom: 32_768,
  portsTo: 60_999,
  addresses: 1,
} as const satisfies HostFacts;

/** The load of a whole fleet. */
export interface FleetLoad {
  readonly vus: number;
  /** The open model: how many of its VUs it needs depends on the target. */
  readonly open: boolean;
  readonly iterationsPerSecond?: PerSecond;
  /** Missing where nobody knows how many requests there will be. */
  readonly requestsPerSecond?: PerSecond;
  /** Addresses that the target's name leads to: one, where it is not said. */
  readonly targetAddresses?: number;
}

/** A host with some of the fleet's runners. */
export interface LoadHost {
  readonly name: string;
  readonly runners: number;
  readonly facts: HostFacts;
}

/** What a share of the load takes. k6 keeps one connection a VU. */
export interface Needs {
  readonly vus: number;
  readonly iterationsPerSecond?: PerSecond;
  readonly requestsPerSecond?: PerSecond;
  readonly connections: number;
  readonly memoryBytes: number;
  /** CPUs at {@link busyCpu}; unknown where nobody knows how many requests there will be. */
  readonly cpus?: number;
}

/** What the runners and their hosts will have to carry, against what the hosts have. */
export interface Capacity {
  /** The most that a runner gets. */
  readonly runner: Needs & { readonly openFiles: number };
  readonly hosts: readonly (LoadHost & { readonly needs: Needs })[];
  readonly problems: readonly CapacityProblem[];
  /** Addresses that the target's name leads to. */
  readonly targetAddresses: number;
  /** How many hosts like the weakest of these, and how many runners, would do; missing where the rate of requests is not known. */
  readonly enough?: Enough;
}

/** So many hosts and runners would do. */
export interface Enough {
  readonly hosts: number;
  readonly runners: number;
}

const bytesPerVu = 250_000;
const bytesPerRunner = 50_000_000;
/** Of one CPU that k6 has for itself. */
const requestsPerCpu = 10_000;
/** A generator above 90% makes a result invalid, and a load is never even. */
const busyCpu: Share = 0.7;
/** Files that a k6 process has open besides its connections. */
const ownFiles = 50;

/** Reckons what a load takes of each runner and host (figures: measured with k6 2.2 and a small script). Pure. */
export function capacityOf(load: FleetLoad, hosts: readonly LoadHost[]): Capacity {
  const runners = hosts.reduce((sum, host) => sum + host.runners, 0);
  const share = (count: number) => needsOf(load, count / runners, count);
  const needs = share(1);
  const runner = { ...needs, openFiles: needs.connections + ownFiles };
  const placed = hosts.map((host) => ({ ...host, needs: share(host.runners) }));
  const wanted = wantedFor(load, hosts);
  return {
    runner,
    hosts: placed,
    problems: placed.flatMap((host) => problemsOf(host, { load, runner, wanted })),
    targetAddresses: load.targetAddresses ?? 1,
    ...(load.requestsPerSecond === undefined ? {} : { enough: wanted }),
  };
}

function needsOf({ vus, iterationsPerSecond, requestsPerSecond }: FleetLoad, part: number, runners: number): Needs {
  const most = Math.ceil(vus * part);
  return {
    vus: most,
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond: iterationsPerSecond * part }),
    ...(requestsPerSecond === undefined
      ? {}
      : { requestsPerSecond: requestsPerSecond * part, cpus: (requestsPerSecond * part) / requestsPerCpu / busyCpu }),
    connections: most,
    memoryBytes: most * bytesPerVu + runners * bytesPerRunner,
  };
}

/** How many VUs of a load one runner with so much would do for, by what it would be short of. */
export function vusWithin(
  { cpus, freeMemoryBytes }: Required<Pick<HostFacts, 'cpus' | 'freeMemoryBytes'>>,
  { vus, requestsPerSecond }: Pick<FleetLoad, 'vus' | 'requestsPerSecond'>,
): { readonly of: 'CPUs' | 'memory'; readonly vus: number }[] {
  const byMemory = Math.max(0, Math.floor((freeMemoryBytes - bytesPerRunner) / bytesPerVu));
  if (requestsPerSecond === undefined || requestsPerSecond === 0) return [{ of: 'memory', vus: byMemory }];
  const byCpus = Math.floor((cpus * requestsPerCpu * busyCpu * vus) / requestsPerSecond);
  return [
    { of: 'CPUs', vus: byCpus },
    { of: 'memory', vus: byMemory },
  ];
}

/** Ports for connections from a host to one address and port of the target. */
export function portsOf({ portsFrom, portsTo, addresses = 1 }: HostFacts): number | undefined {
  return portsFrom === undefined || portsTo === undefined ? undefined : (portsTo - portsFrom + 1) * addresses;
}

/** How many would do for all that is known of the load. */
function wantedFor(load: FleetLoad, hosts: readonly LoadHost[]): Enough {
  const least = (pick: (facts: HostFacts) => number | undefined) =>
    Math.min(...hosts.map(({ facts }) => pick(facts) ?? Number.POSITIVE_INFINITY));
  const whole = needsOf(load, 1, 0);
  const times = (needed: number, has: number) => Math.max(1, Math.ceil(needed / Math.max(1, has)));
  const needed = Math.max(
    times(whole.connections, least(portsOf) * (load.targetAddresses ?? 1)),
    times(whole.memoryBytes, least(({ freeMemoryBytes }) => freeMemoryBytes) - bytesPerRunner),
    times(
      whole.cpus ?? 0,
      least(({ cpus }) => cpus),
    ),
  );
  const files = least(({ openFiles }) => openFiles) - ownFiles;
  return { hosts: needed, runners: Math.max(needed, times(whole.connections, files)) };
}

interface Limits {
  readonly load: FleetLoad;
  readonly runner: Capacity['runner'];
  readonly wanted: Enough;
}

function problemsOf({ name: host, facts, needs }: Capacity['hosts'][number], { load, runner, wanted }: Limits): CapacityProblem[] {
  const { freeMemoryBytes, cpus, openFiles, addresses: from = 1 } = facts;
  const { targetAddresses: to = 1, open } = load;
  const { vus } = needs;
  const { hosts, runners } = wanted;
  const certain = !open;
  const toOne = portsOf(facts);
  const ports = toOne === undefined ? undefined : toOne * to;
  const problems: CapacityProblem[] = [];
  if (ports !== undefined && needs.connections > ports) problems.push({ of: 'ports', host, vus, certain, ports, from, to, hosts });
  if (openFiles !== undefined && runner.openFiles > openFiles)
    problems.push({ of: 'open files', host, vus: runner.vus, certain, needed: runner.openFiles, has: openFiles, runners });
  if (freeMemoryBytes !== undefined && needs.memoryBytes > freeMemoryBytes)
    problems.push({ of: 'memory', host, vus, certain: false, neededBytes: needs.memoryBytes, freeBytes: freeMemoryBytes, hosts });
  if (cpus !== undefined && needs.cpus !== undefined && needs.cpus > cpus) {
    const requestsPerSecond = needs.requestsPerSecond ?? 0;
    problems.push({ of: 'CPUs', host, vus, certain: false, requestsPerSecond, needed: needs.cpus, has: cpus, hosts });
  }
  return problems;
}
