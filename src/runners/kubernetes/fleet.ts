import { randomBytes } from 'node:crypto';
import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { type Cluster, isInCluster, openCluster } from '../../kubernetes/client.js';
import { grantHint, refusedWith } from '../../kubernetes/failures.js';
import { ownPod } from '../../kubernetes/own-pod.js';
import { refuseStaying } from '../../kubernetes/rights.js';
import { podRequest } from '../../plan/pods.js';
import type { BackendContext, RunnerLaunch } from '../runner/types.js';
import { fleetLabel, type JobPlan, keySecret, type PodWords, runnersJob } from './job.js';
import { type CarrierLink, openSwitchboard, type Switchboard } from './link/switchboard.js';
import { howPodEnded, podProblem, refusalOfPods } from './pods.js';

const lookMs: Milliseconds = 500;
/** So long before all have to be ready, what may still go away by itself is told. */
const lateMs: Milliseconds = 3000;
/** A kubelet tells soon what a pod of it runs. */
const imageLooks = 20;

/** The pods of a run, and the way to each. */
export interface Fleet {
  /** The carrier of the pod with this index. Throws `unavailable` with what keeps it from coming. */
  carrier(index: number): Promise<CarrierLink>;
  /** The id of the image that the pod with this index runs; undefined where its status does not tell it soon. */
  imageOf(index: number): Promise<string | undefined>;
  /** How the pod of this host name came to its end, as its status tells; undefined where it does not, or not soon. */
  causeOf(pod: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Makes the Job of a fleet and its Secret, and listens for its pods. Leaves nothing behind where that fails. */
export async function openFleet(launch: RunnerLaunch, words: PodWords, context: BackendContext): Promise<Fleet> {
  const begun = context.clock.elapsed();
  if (!(await isInCluster(context)))
    throw new LoadctlError('unavailable', 'Runners on Kubernetes are started from a pod, and this loadctl is in none.', {
      hint: 'Run it in a pod of that namespace, with a service account that may make Jobs and Secrets.',
    });
  const cluster = await openCluster(words.namespace === undefined ? {} : { namespace: words.namespace }, context);
  await refuseStaying(cluster, 'jobs', 'secrets');
  const { address, owner } = await conductorPod(cluster);
  const key = randomBytes(32);
  const switchboard = await openSwitchboard({ host: address, key, takePush: launch.reachable.take, clock: context.clock });
  const name = `loadctl-${randomBytes(5).toString('hex')}`;
  const plan = { name, count: context.profile.count, words, owner, conductor: `${address}:${switchboard.port}`, ...askedBy(context) };
  const { namespace } = cluster;
  try {
    await cluster.ask('create secrets', ({ core }) => core.createNamespacedSecret({ namespace, body: keySecret(plan, key) }));
    await cluster.ask('create jobs', ({ batch }) => batch.createNamespacedJob({ namespace, body: runnersJob(plan) }));
  } catch (error) {
    await remove(cluster, name, switchboard);
    throw error;
  }
  return fleetOf({ cluster, name, begun, look: sharedLook(cluster, name, context) }, switchboard, context);
}

/** What the Job is made with by what is expected of the test. */
function askedBy({ expected: { needs, lifeMs } }: BackendContext): Pick<JobPlan, 'requests' | 'deadlineMs'> {
  return { requests: podRequest(needs), deadlineMs: lifeMs };
}

function fleetOf(watched: Watched, switchboard: Switchboard, context: BackendContext): Fleet {
  const { cluster, name, look } = watched;
  const failing = watchStart(watched, context);
  return {
    carrier: async (index) => {
      const came = new AbortController();
      const isThere = switchboard.carrier(index).finally(() => came.abort());
      return Promise.race([isThere, failing(index, came.signal)]);
    },
    imageOf: async (index) => {
      for (let looks = 0; looks < imageLooks; looks += 1) {
        const found = (await look().catch(() => undefined))?.pods.get(index);
        const { imageID = '' } = found?.status?.containerStatuses?.[0] ?? {};
        if (imageID !== '') return imageID;
      }
      return undefined;
    },
    causeOf: async (pod) => {
      for (let looks = 0; looks < 4; looks += 1) {
        const seen = await podsOf(cluster, name).catch(() => []);
        const found = seen.find(({ spec }) => spec?.hostname === pod); // the Job's own name for it; the pod's has a random end
        const cause = found === undefined ? (seen.length > 0 ? 'its pod was deleted' : undefined) : howPodEnded(found);
        if (cause !== undefined) return cause;
        await context.clock.sleep(lookMs);
      }
      return undefined;
    },
    close: () => remove(cluster, name, switchboard),
  };
}

/** What a look at a fleet saw: its pods by their indices, and why there are not all of them. */
interface Seen {
  readonly pods: ReadonlyMap<number, V1Pod>;
  readonly refusal: Refusal | undefined;
}

/** Why there are not all pods; one that is not final counts only when time is nearly over. */
interface Refusal {
  readonly error: LoadctlError;
  readonly isFinal: boolean;
}

type Look = () => Promise<Seen>;

/** A look at all pods, soon: one serves all who wait. The list of 1,000 pods is some MB. */
function sharedLook(cluster: Cluster, name: string, { clock, signal, profile }: BackendContext): Look {
  const everyMs = Math.max(lookMs, profile.count * 5);
  const see = async (): Promise<Seen> => {
    const pods = await podsOf(cluster, name);
    const refusal = pods.length < profile.count ? await refusalOf(cluster, name) : undefined;
    return { pods: new Map(pods.map((pod) => [indexOf(pod), pod])), refusal };
  };
  let latest: Promise<Seen> | undefined;
  return () => {
    latest ??= clock
      .sleep(everyMs, signal)
      .then(see)
      .finally(() => {
        latest = undefined;
      });
    return latest;
  };
}

interface Watched {
  readonly cluster: Cluster;
  readonly name: string;
  readonly look: Look;
  /** When it was asked for, by elapsed(): all have to be ready so long after that. */
  readonly begun: Milliseconds;
}

/** Waits for what keeps a pod from starting, until it came. Never resolves. */
function watchStart(
  { look, begun }: Pick<Watched, 'look' | 'begun'>,
  { clock, signal, profile }: BackendContext,
): (index: number, came: AbortSignal) => Promise<never> {
  return async (index, came) => {
    for (;;) {
      const { pods, refusal } = await look();
      if (came.aborted) return new Promise(() => {});
      if (signal.aborted) throw new LoadctlError('interrupted', 'The run was interrupted while its pods started.');
      const pod = pods.get(index);
      const problem = pod && podProblem(pod);
      const isLate = clock.elapsed() - begun > profile.readyTimeout - Math.min(lateMs, profile.readyTimeout / 2);
      if (problem !== undefined && (problem.isFinal || isLate))
        throw new LoadctlError('unavailable', problem.message, { hint: problem.hint });
      if (refusal !== undefined && (refusal.isFinal || isLate)) throw refusal.error;
    }
  };
}

const indexOf = ({ metadata }: V1Pod) => Number(metadata?.annotations?.['batch.kubernetes.io/job-completion-index']);

async function podsOf(cluster: Cluster, name: string): Promise<readonly V1Pod[]> {
  const { namespace } = cluster;
  const list = await cluster.ask('list pods', ({ core }) => core.listNamespacedPod({ namespace, labelSelector: `${fleetLabel}=${name}` }));
  return list.items;
}

/** Only the Job controller's events tell why it makes no pods: who may not see them waits as long as pods may take. */
async function refusalOf(cluster: Cluster, name: string): Promise<Refusal | undefined> {
  const { namespace } = cluster;
  const fieldSelector = `involvedObject.name=${name},reason=FailedCreate`;
  const list = await cluster
    .ask('list events', ({ core }) => core.listNamespacedEvent({ namespace, fieldSelector }))
    .catch((error: unknown) => {
      if (refusedWith(error) === 403) return undefined;
      throw error;
    });
  if (list === undefined) return { error: hiddenRefusal(cluster), isFinal: false };
  const messages = list.items.flatMap(({ message }) => message ?? []);
  const error = refusalOfPods(messages, namespace);
  return error && { error, isFinal: true };
}

function hiddenRefusal(cluster: Cluster): LoadctlError {
  return new LoadctlError(
    'unavailable',
    `Kubernetes has not made all pods in namespace \`${cluster.namespace}\`, and loadctl is not allowed to see why.`,
    { hint: grantHint([{ verb: 'list', resource: 'events' }], cluster) },
  );
}

/** Where this pod is dialled, and what its fleet goes with: its own Job, where it has one. */
async function conductorPod(cluster: Cluster): Promise<{ readonly address: string; readonly owner: V1OwnerReference }> {
  const { name, address, owner } = await ownPod(cluster);
  if (address === undefined)
    throw new LoadctlError('unavailable', `Pod ${name} has no address that its runners could dial.`, {
      hint: 'Look at it: kubectl describe pod',
    });
  return { address, owner };
}

/** Deletes what was made; what is gone already is as it should be. */
async function remove(cluster: Cluster, name: string, switchboard: Switchboard): Promise<void> {
  const { namespace } = cluster;
  const propagationPolicy = 'Background';
  await Promise.allSettled([
    cluster.ask('delete jobs', ({ batch }) => batch.deleteNamespacedJob({ namespace, name, propagationPolicy, gracePeriodSeconds: 0 })),
    cluster.ask('delete secrets', ({ core }) => core.deleteNamespacedSecret({ namespace, name, propagationPolicy })),
  ]);
  switchboard.close();
}
