import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Cluster } from './client.js';
import { annotations, labels } from './conductor-job.js';

/** A conductor other than one's own that may have a lock. */
export interface Candidate {
  /** Undefined where it was started from a manifest. */
  readonly run?: string;
  /** Of its Job, or of its pod. */
  readonly name: string;
  readonly by?: string;
  /** Undefined where it was deleted, and a pod of it is left. */
  readonly job?: V1Job;
  /** `over`: its Job has ended, and so has every pod of it. `ending`: its Job was deleted, and a pod of it has not ended. */
  readonly course: 'alive' | 'over' | 'ending';
}

/** Who asks for a lock, and for which. */
export interface Asker {
  /** The name of the lock. */
  readonly lock: string;
  readonly environment: string;
  /** Of the asker's own Job, or of its pod where that has none. */
  readonly uid: string;
}

/**
 * The conductors that may have a lock, but for the asker, newest first. One that was started from a manifest has no label of its
 * lock: whatever it loads in that environment, it may have it until it has ended by itself, which lets go of it.
 */
export async function lockCandidates(cluster: Cluster, { lock, environment, uid: own }: Asker): Promise<Candidate[]> {
  const { namespace } = cluster;
  const labelSelector = `${labels.role}=conductor,${labels.environment}=${environment}`;
  // The pods first: one of a Job that is deleted between the two is still among them.
  const pods = await cluster.ask('list the conductors’ pods', ({ core }) => core.listNamespacedPod({ namespace, labelSelector }));
  const jobs = await cluster.ask('list the conductors’ Jobs', ({ batch }) => batch.listNamespacedJob({ namespace, labelSelector }));
  const mayHave = (one: V1Pod | V1Job) => one.metadata?.labels?.[labels.lock] === lock || isFromManifest(one);
  const alive = pods.items.filter((pod) => isAlive(pod) && mayHave(pod));
  const others = jobs.items.filter((job) => job.metadata?.uid !== own && mayHave(job));
  const known = new Set(jobs.items.map(({ metadata }) => metadata?.uid));
  const orphans = alive.filter((pod) => !known.has(jobOf(pod)) && pod.metadata?.uid !== own && jobOf(pod) !== own);
  return [
    ...orphans.map((pod): Candidate => ({ ...runOf(pod), course: 'ending' })),
    ...others
      .sort(newestFirst)
      .filter((job) => !(isFromManifest(job) && hasLetGo(job, pods.items)))
      .map((job) => candidate(job, pods.items)),
  ];
}

/** Neither its lock nor its run was known when it was made. */
function isFromManifest({ metadata }: V1Pod | V1Job): boolean {
  return metadata?.labels?.[labels.lock] === undefined && metadata?.labels?.[labels.run] === undefined;
}

/** A process that ends by itself lets go of its lock; one that was killed, or whose node was lost, did not. */
function hasLetGo(job: V1Job, pods: readonly V1Pod[]): boolean {
  const ends = pods
    .filter((pod) => jobOf(pod) === job.metadata?.uid)
    .map(({ status }) => status?.containerStatuses?.[0]?.state?.terminated);
  if (ends.length === 0) return hasEnded(job, ['Complete']);
  return ends.every((end) => end !== undefined && end.exitCode < 128);
}

/** A pod of it that has ended is the only one there will be. */
function candidate(job: V1Job, pods: readonly V1Pod[]): Candidate {
  const { uid, annotations: said = {}, deletionTimestamp } = job.metadata ?? {};
  const by = said[annotations.by];
  const its = pods.filter((pod) => jobOf(pod) === uid);
  const hasAlive = its.some(isAlive);
  const isOver = !hasAlive && (its.length > 0 || hasEnded(job));
  const course = deletionTimestamp !== undefined && hasAlive ? 'ending' : isOver ? 'over' : 'alive';
  return { ...runOf(job), ...(by === undefined ? {} : { by }), job, course };
}

/** Of a node that is out of reach nobody knows: its pod counts as alive. */
function isAlive({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function hasEnded({ status }: V1Job, how: readonly string[] = ['Complete', 'Failed']): boolean {
  return status?.conditions?.some(({ type, status: is }) => how.includes(type) && is === 'True') ?? false;
}

function runOf({ metadata }: V1Pod | V1Job): Pick<Candidate, 'run' | 'name'> {
  const { name = '', labels: found = {} } = metadata ?? {};
  const run = found[labels.run];
  return { name, ...(run === undefined ? {} : { run }) };
}

const jobOf = ({ metadata }: V1Pod) => metadata?.labels?.['batch.kubernetes.io/controller-uid'];

function newestFirst({ metadata: one }: V1Job, { metadata: other }: V1Job): number {
  return Number(other?.creationTimestamp) - Number(one?.creationTimestamp);
}
