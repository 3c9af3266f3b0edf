import type { Milliseconds } from '../core/quantities.js';
import type { Profile } from '../profile/sections/schema.js';
import { type FleetLoad, type Needs, vusWithin } from './capacity.js';
import { abortLatency, pushEveryElsewhere } from './push-interval.js';

/** Whose address a connection has when it leaves the cluster: the pod's own, its node's, or a NAT gateway's. */
export type Egress = 'pod' | 'node' | 'nat';

/** What a fleet of pods asks of a cluster. */
export interface PodNeeds {
  /** The runners and the conductor. */
  readonly pods: number;
  /** What each runner asks for. */
  readonly runner: PodRequest;
  /** Of all pods together. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** So many nodes like {@link usualNode} would do, and what decides that. */
  readonly nodes: number;
  readonly because: 'CPUs' | 'memory' | 'ports' | 'connections tracked';
  readonly egress: Egress;
  /** One a VU. */
  readonly connections: number;
  /** Ports for connections to one address and port of the target, of each address that they come from. */
  readonly ports: number;
  /** How many have those ports: pods, nodes, or gateways. */
  readonly sources: number;
  /** Sources that it takes for all connections. */
  readonly sourcesNeeded: number;
  /** Connections that the busiest node keeps track of, of {@link trackedConnections}. */
  readonly trackedByNode: number;
  /** Which of what these pods and nodes have would not do for more VUs. */
  readonly first: Limit;
  /** How often each runner pushes what it measured, and how old a sample may be when an abort rule sees it. */
  readonly pushEveryMs: Milliseconds;
  readonly abortLatencyMs: Milliseconds;
}

/** Something that does for so many VUs, and no more. */
export interface Limit {
  readonly of: PodNeeds['because'];
  readonly vus: number;
}

/** A node as many clusters have them; 0.2 CPUs and 1.5 GB of it are the system's. */
export const usualNode = { cpus: 3.8, memoryBytes: 14.5e9 } as const;

/** Connections that a node keeps track of, as kube-proxy sets it up (`conntrack.min`). */
export const trackedConnections = 131_072;

/**
 * Ports of one source for connections to one address and port: Linux' own range in a pod; what masquerading picks from (1024 and up); what
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html says of a gateway's address.
 */
const portsOfSource = { pod: 28_232, node: 64_512, nat: 55_000 } as const satisfies Record<Egress, number>;

/** What each runner asks for, and how connections leave. */
export interface PodFleet {
  readonly runners: number;
  readonly runner: PodRequest;
  readonly conductor: PodRequest;
  readonly egress: Egress;
}

/** The load, as far as pods are reckoned by it. */
type PodLoad = Pick<FleetLoad, 'vus' | 'targetAddresses' | 'requestsPerSecond'>;

/** Reckons what pods, nodes and ports a load takes. Pure. */
export function podNeeds({ runners, runner, conductor, egress }: PodFleet, load: PodLoad): PodNeeds {
  const cpus = runners * runner.cpus + conductor.cpus;
  const memoryBytes = runners * runner.memoryBytes + conductor.memoryBytes;
  const ports = portsOfSource[egress] * (load.targetAddresses ?? 1);
  const sourcesNeeded = Math.max(1, Math.ceil(load.vus / ports));
  const wanted = [
    { because: 'CPUs', nodes: nodesFor(cpus, usualNode.cpus) },
    { because: 'memory', nodes: nodesFor(memoryBytes, usualNode.memoryBytes) },
    { because: 'ports', nodes: egress === 'node' ? sourcesNeeded : 1 },
    { because: 'connections tracked', nodes: nodesFor(load.vus, trackedConnections) },
  ] as const;
  const most = wanted.reduce((one, other) => (other.nodes > one.nodes ? other : one));
  const sources = { pod: runners, node: most.nodes, nat: 1 }[egress];
  const pushEveryMs = pushEveryElsewhere(runners);
  const limits: readonly Limit[] = [
    ...vusWithin({ cpus: runner.cpus, freeMemoryBytes: runner.memoryBytes - carrierBytes }, load).map(({ of, vus }) => ({
      of,
      vus: vus * runners,
    })),
    { of: 'ports', vus: sources * ports },
    { of: 'connections tracked', vus: Math.min(most.nodes, runners) * trackedConnections },
  ];
  return {
    pods: runners + 1,
    runner,
    egress,
    cpus,
    memoryBytes,
    ...most,
    connections: load.vus,
    ports,
    sources,
    sourcesNeeded,
    trackedByNode: Math.ceil(load.vus / Math.min(most.nodes, runners)),
    first: limits.reduce((one, other) => (other.vus < one.vus ? other : one)),
    pushEveryMs,
    abortLatencyMs: abortLatency(pushEveryMs),
  };
}

function nodesFor(needed: number, has: number): number {
  return Math.max(1, Math.ceil(needed / has));
}

/** What a pod asks its node for. */
export interface PodRequest {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** What a runner's pod asks for where the profile does not say: the plan's figures, and what the agent and its carrier take. */
export function podRequest({ cpus, memoryBytes }: Pick<Needs, 'cpus' | 'memoryBytes'>): PodRequest {
  return {
    cpus: Math.max(leastCpus, Math.ceil((cpus ?? unknownCpus) * 10) / 10),
    memoryBytes: Math.max(leastMemory, Math.ceil((memoryBytes * headroom + carrierBytes) / mebi) * mebi),
  };
}

const leastCpus = 0.1;
/** Where nobody knows how many requests there will be. */
const unknownCpus = 1;
const headroom = 1.3;
const carrierBytes = 100e6;
const mebi = 1_048_576;
/** Of few VUs the script's libraries take the most, and nobody has measured those. */
const leastMemory = 512 * mebi;

/** The pods of a planned fleet, each runner with this to carry: they ask for what the profile says, else for what that takes. */
export function podFleet(
  { count, kubernetes: { resources, conductor, egress } }: { readonly count: number; readonly kubernetes: PodWords },
  needs: Pick<Needs, 'cpus' | 'memoryBytes'>,
): PodFleet {
  const planned = podRequest(needs);
  const { cpu = planned.cpus, memory } = resources;
  return {
    runners: count,
    runner: { cpus: cpu, memoryBytes: memory === undefined ? planned.memoryBytes : bytesIn(memory) },
    conductor: { cpus: conductor.cpu, memoryBytes: conductorBytes(conductor, count) },
    egress,
  };
}

/** Of the conductor of a fleet: what the profile says, else what it takes to hold so many runners (`npm run bench:fleet`: 325 MB with 100, 734 MB with 300), and half as much again. */
export function conductorBytes({ memory }: PodWords['conductor'], runners: number): number {
  return memory === undefined ? Math.max(leastMemory, (256 + 3 * runners) * mebi) : bytesIn(memory);
}

/**
 * What the Node of a conductor with so much memory is told: where there is room for one, to have a young generation in which what a
 * push holds dies. V8's own is 16 MiB (`npm run bench:fleet`, 1,000 runners: 1.10 cores with it, 0.91 to 0.98 with this one).
 */
export function conductorNodeOptions(memoryBytes: number): string | undefined {
  return memoryBytes >= 1024 * mebi ? '--max-semi-space-size=64' : undefined;
}

type PodWords = Pick<NonNullable<Profile['runners']['kubernetes']>, 'resources' | 'conductor' | 'egress'>;

/** An amount of memory as Kubernetes writes it: `1Gi`, `500M`, `1024`. */
function bytesIn(text: string): number {
  const [, amount = '', letter = '', binary = ''] = /^([\d.]+)([kKMGT]?)(i?)$/.exec(text) ?? [];
  return Math.ceil(Number(amount) * (binary === '' ? 1000 : 1024) ** ('kMGT'.indexOf(letter.replace('K', 'k')) + 1));
}
