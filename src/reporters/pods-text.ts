import { formatCount, type Milliseconds, trimNumber } from '../core/quantities.js';
import { type PodNeeds, type PodRequest, trackedConnections, usualNode } from '../plan/pods.js';
import { formatBytes } from './sentences/capacity.js';
import { counted } from './sentences/words.js';

/** What pods ask of their cluster, by which addresses they reach the target, and what each node keeps track of. */
export function podLines(needs: PodNeeds): string[] {
  const { pods, runner, nodes, because, trackedByNode, first, pushEveryMs, abortLatencyMs } = needs;
  const runners = `${counted(pods - 1, 'runner')} with ${requestText(runner)}${pods === 2 ? '' : ' each'}`;
  return [
    `pods: ${formatCount(pods)} (${runners}, 1 conductor): ${requestText(needs)} in all`,
    `nodes: ${formatCount(nodes)} of ${usualNode.cpus} CPUs and ${formatBytes(usualNode.memoryBytes)} to spare would do; ${because} decide${because === 'memory' ? 's' : ''}`,
    `addresses: ${sourcesText(needs)}`,
    `connection tracking: ${formatCount(trackedByNode)} on the busiest of those nodes, of ${formatCount(trackedConnections)} that one usually keeps`,
    `first limit: ${first.of}: these pods and nodes do for ${counted(first.vus, 'VU')}`,
    `live data: each runner pushes every ${inSeconds(pushEveryMs)}; an abort rule sees a sample ${inSeconds(abortLatencyMs)} later at most`,
  ];
}

/** Why connections will fail; undefined where there are ports enough. */
export function podProblemText({ egress, ports, sources, sourcesNeeded, connections }: PodNeeds): string | undefined {
  if (sourcesNeeded <= sources) return undefined;
  const has = `${counted(connections, 'connection')} need ${counted(sourcesNeeded, 'address', 'addresses')} with ${formatCount(ports)} ports each`;
  const remedy = {
    pod: 'use more runners (runners.count)',
    node: 'use more nodes',
    nat: 'give the NAT gateway as many addresses',
  }[egress];
  return `${has}: ${remedy}, or fewer VUs.`;
}

/** In tenths of a second, rounded up. */
function inSeconds(ms: Milliseconds): string {
  return `${trimNumber(Math.ceil(ms / 100) / 10, 1)} s`;
}

function sourcesText({ egress, ports, sources, sourcesNeeded, connections }: PodNeeds): string {
  const whose = {
    pod: `each of ${counted(sources, 'pod')} has`,
    node: `each of ${counted(sources, 'node')} has`,
    nat: 'an address of a NAT gateway has',
  }[egress];
  return `${whose} ${formatCount(ports)} ports to the target (egress: ${egress}); ${counted(connections, 'connection')} need${connections === 1 ? 's' : ''} ${formatCount(sourcesNeeded)}`;
}

function requestText({ cpus, memoryBytes }: PodRequest): string {
  return `${trimNumber(cpus, 1)} CPU${cpus === 1 ? '' : 's'} and ${formatBytes(memoryBytes)}`;
}
