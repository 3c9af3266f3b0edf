import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Cluster } from './client.js';
import { annotations, labels } from './conductor-job.js';

/** A conductor other than one's own that may have a lock. */
export interface Candidate {
  readonly run: string;
  readonly by?: string;
  /** Undefined where it was deleted, and a pod of it is left. */
  readonly job?: V1Job;
  /** `over`: its Job has ended, and so has every pod of it. `ending`: its Job was deleted, and a pod of it has not ended. */
  readonly course: 'alive' | 'over' | 'ending';
}

/** The conductors of the same lock as a Job, but for its own, newest first. */
export async function lockCandidates(cluster: Cluster, own: V1Job): Promise<Candidate[]> {
  const { namespace } = cluster;
  const labelSelector = `${labels.role}=conductor,${labels.lock}=${own.metadata?.labels?.[labels.lock] ?? ''}`;
  // The pods first: one of a Job that is deleted between the two is still among them.
  const pods = await cluster.ask('list the conductors’ pods', ({ core }) => core.listNamespacedPod({ namespace, labelSelector }));
  const jobs = await cluster.ask('list the conductors’ Jobs', ({ batch }) => batch.listNamespacedJob({ namespace, labelSelector }));
  const alive = pods.items.filter(isAlive);
  const others = jobs.items.filter(({ metadata }) => metadata?.uid !== own.metadata?.uid);
  const known = new Set(jobs.items.map(({ metadata }) => metadata?.uid));
  const orphans = alive.filter((pod) => !known.has(jobOf(pod)));
  return [
    ...orphans.map((pod): Candidate => ({ run: pod.metadata?.labels?.[labels.run] ?? '', course: 'ending' })),
    ...others.sort(newestFirst).map((job) => candidate(job, pods.items)),
  ];
}

/** A pod of it that has ended is the only one there will be. */
function candidate(job: V1Job, pods: readonly V1Pod[]): Candidate {
  const { uid, labels: found = {}, annotations: said = {}, deletionTimestamp } = job.metadata ?? {};
  const by = said[annotations.by];
  const its = pods.filter((pod) => jobOf(pod) === uid);
  const hasAlive = its.some(isAlive);
  const isOver = !hasAlive && (its.length > 0 || hasEnded(job));
  const course = deletionTimestamp !== undefined && hasAlive ? 'ending' : isOver ? 'over' : 'alive';
  return { run: found[labels.run] ?? '', ...(by === undefined ? {} : { by }), job, course };
}

/** Of a node that is out of reach nobody knows: its pod counts as alive. */
function isAlive({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function hasEnded({ status }: V1Job): boolean {
  return status?.conditions?.some(({ type, status: is }) => ['Complete', 'Failed'].includes(type) && is === 'True') ?? false;
}

const jobOf = ({ metadata }: V1Pod) => metadata?.labels?.['batch.kubernetes.io/controller-uid'];

function newestFirst({ metadata: one }: V1Job, { metadata: other }: V1Job): number {
  return Number(other?.creationTimestamp) - Number(one?.creationTimestamp);
}
