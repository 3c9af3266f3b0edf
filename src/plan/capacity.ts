import { formatCount, type PerSecond, trimNumber } from '../core/quantities.js';

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
  readonly requestsPerSecond?: PerSecond;
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
  /** CPUs; unknown where nobody knows how many requests there will be. */
  readonly cpus?: number;
}

/** Why a load does not fit its hosts. */
export interface CapacityProblem {
  /** It cannot work; else it probably will not. */
  readonly certain: boolean;
  /** What is short, by how much, and what would do, as a sentence. */
  readonly message: string;
}

/** What the runners and their hosts will have to carry, against what the hosts have. */
export interface Capacity {
  /** The most that a runner gets. */
  readonly runner: Needs & { readonly openFiles: number };
  readonly hosts: readonly (LoadHost & { readonly needs: Needs })[];
  readonly problems: readonly CapacityProblem[];
  /** How many hosts like the weakest of these, and how many runners, would do. */
  readonly enough: { readonly hosts: number; readonly runners: number };
}

const bytesPerVu = 250_000;
const bytesPerRunner = 50_000_000;
const requestsPerCpu = 10_000;
/** Files that a k6 process has open besides its connections. */
const ownFiles = 50;

/** Reckons what a load takes of each runner and host (figures: measured with k6 2.2 and a small script). Pure. */
export function capacityOf(load: FleetLoad, hosts: readonly LoadHost[]): Capacity {
  const runners = hosts.reduce((sum, host) => sum + host.runners, 0);
  const share = (count: number) => needsOf(load, count / runners, count);
  const runner = share(1);
  const placed = hosts.map((host) => ({ ...host, needs: share(host.runners) }));
  const enough = enoughFor(load, hosts);
  const limits = { open: load.open, runner: { ...runner, openFiles: runner.connections + ownFiles }, enough };
  return { runner: limits.runner, hosts: placed, problems: placed.flatMap((host) => problemsOf(host, limits)), enough };
}

function needsOf({ vus, iterationsPerSecond, requestsPerSecond }: FleetLoad, part: number, runners: number): Needs {
  const most = Math.ceil(vus * part);
  return {
    vus: most,
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond: iterationsPerSecond * part }),
    ...(requestsPerSecond === undefined
      ? {}
      : { requestsPerSecond: requestsPerSecond * part, cpus: (requestsPerSecond * part) / requestsPerCpu }),
    connections: most,
    memoryBytes: most * bytesPerVu + runners * bytesPerRunner,
  };
}

/** Ports for connections from a host to one address and port of the target. */
export function portsOf({ portsFrom, portsTo, addresses = 1 }: HostFacts): number | undefined {
  return portsFrom === undefined || portsTo === undefined ? undefined : (portsTo - portsFrom + 1) * addresses;
}

function enoughFor(load: FleetLoad, hosts: readonly LoadHost[]): Capacity['enough'] {
  const least = (pick: (facts: HostFacts) => number | undefined) =>
    Math.min(...hosts.map(({ facts }) => pick(facts) ?? Number.POSITIVE_INFINITY));
  const whole = needsOf(load, 1, 0);
  const times = (needed: number, has: number) => Math.max(1, Math.ceil(needed / Math.max(1, has)));
  const needed = Math.max(
    times(whole.connections, least(portsOf)),
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
  readonly open: boolean;
  readonly runner: Capacity['runner'];
  readonly enough: Capacity['enough'];
}

function problemsOf({ name, facts, needs }: Capacity['hosts'][number], { open, runner, enough }: Limits): CapacityProblem[] {
  const { freeMemoryBytes, cpus, openFiles, addresses = 1 } = facts;
  const ports = portsOf(facts);
  const certain = !open;
  const hosts = `Use ${formatCount(enough.hosts)} hosts`;
  const problems: CapacityProblem[] = [];
  if (ports !== undefined && needs.connections > ports) {
    const from = addresses === 1 ? 'one address has' : `its ${addresses} addresses have`;
    const message =
      `${formatCount(needs.vus)} VUs on ${name} hold a connection each, and ${from} ${formatCount(ports)} ports for connections to one ` +
      `address and port of the target. ${hosts}, or give it more ports (sysctl net.ipv4.ip_local_port_range).`;
    problems.push({ certain, message });
  }
  if (openFiles !== undefined && runner.openFiles > openFiles) {
    const message =
      `A runner on ${name} needs ${formatCount(runner.openFiles)} open files for ${formatCount(runner.vus)} VUs, and may have ` +
      `${formatCount(openFiles)}. Raise the limit (ulimit -n), or use ${formatCount(enough.runners)} runners.`;
    problems.push({ certain, message });
  }
  if (freeMemoryBytes !== undefined && needs.memoryBytes > freeMemoryBytes) {
    const message =
      `${formatCount(needs.vus)} VUs on ${name} take about ${formatBytes(needs.memoryBytes)} of memory (250 kB each), and ` +
      `${formatBytes(freeMemoryBytes)} are free. ${hosts}, or fewer VUs.`;
    problems.push({ certain: false, message });
  }
  if (cpus !== undefined && needs.cpus !== undefined && needs.cpus > cpus) {
    const message =
      `${formatCount(needs.requestsPerSecond ?? 0)} requests/s on ${name} take about ${trimNumber(needs.cpus, 1)} CPUs (10,000 requests/s each), ` +
      `and it has ${cpus}. ${hosts}, or ask for less.`;
    problems.push({ certain: false, message });
  }
  return problems;
}

/** Memory as people say it: `12.5 MB`, `3.2 GB`. */
export function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${trimNumber(bytes / 1e9, 1)} GB` : `${trimNumber(bytes / 1e6, 1)} MB`;
}
