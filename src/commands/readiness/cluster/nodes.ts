import type { V1Node, V1Taint } from '@kubernetes/client-node';
import { formatCount, trimNumber } from '../../../core/quantities.js';
import { quantityToScalar } from '../../../kubernetes/quantity.js';
import { lookAt } from '../../../kubernetes/survey.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import { formatBytes } from '../../../reporters/sentences/capacity.js';
import { type Asked, askedBy, type ClusterLook, hidden } from './fit.js';

const what = 'nodes';

/** Whether the nodes that runners may be on would take them, were nothing else there. What else is there, nobody is asked. */
export async function lookAtNodes(look: ClusterLook): Promise<Finding[]> {
  const { cluster, words, runners } = look;
  const nodes = await lookAt(cluster, 'list nodes', ({ core }) => core.listNode());
  if (nodes.is !== 'seen') return [hidden(what, 'list nodes')];
  const usable = nodes.value.items.filter((node) => takesPods(node, words));
  const allocatable = usable.map(roomOf);
  const [cpus, memory] = [allocatable.reduce((sum, one) => sum + one.cpus, 0), allocatable.reduce((sum, one) => sum + one.memoryBytes, 0)];
  const said = `${formatCount(usable.length)} of ${formatCount(nodes.value.items.length)} take runners: ${trimNumber(cpus, 1)} CPUs and ${formatBytes(memory)} allocatable`;
  const asked = askedBy(look);
  if (asked === undefined) return [{ what, state: usable.length === 0 ? 'low' : 'unknown', said }];
  const places = allocatable.reduce((sum, room) => sum + placesIn(room, asked), 0);
  if (places >= runners)
    return [{ what, state: 'good', said: `${said}; room for ${formatCount(places)} of these runners, were nothing else there` }];
  const more = `Add nodes${Object.keys(words.nodeSelector).length === 0 ? '' : ' that runners.kubernetes.nodeSelector names'}, or ask for less (runners.count, runners.kubernetes.resources). An autoscaler may add them within readyTimeout.`;
  return [{ what, state: 'low', said: `${said}; room for ${formatCount(places)} of ${formatCount(runners)} runners`, more }];
}

interface Room {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly pods: number;
}

function roomOf({ status }: V1Node): Room {
  const { cpu = '0', memory = '0', pods = '0' } = status?.allocatable ?? {};
  return { cpus: quantityToScalar(cpu), memoryBytes: quantityToScalar(memory), pods: quantityToScalar(pods) };
}

function placesIn({ cpus, memoryBytes, pods }: Room, { runner }: Asked): number {
  return Math.min(pods, Math.floor(cpus / runner.cpus), Math.floor(memoryBytes / runner.memoryBytes));
}

/** Ready, not cordoned, with the labels that are asked for, and without a taint that nobody tolerates. */
function takesPods({ metadata, spec, status }: V1Node, { nodeSelector, tolerations }: ClusterLook['words']): boolean {
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
  const hasLabels = Object.entries(nodeSelector).every(([name, value]) => metadata?.labels?.[name] === value);
  const isOpen = (taint: V1Taint) => taint.effect === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint));
  return isReady && spec?.unschedulable !== true && hasLabels && (spec?.taints ?? []).every(isOpen);
}

type Toleration = ClusterLook['words']['tolerations'][number];

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: V1Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''));
}
