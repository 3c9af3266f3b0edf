import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { throwIfAborted } from '../core/abort.js';
import { LoadctlError } from '../core/errors.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Cluster } from './client.js';
import { podRefusalHint } from './failures.js';

/** How long a pod is waited for, and until when. */
export interface Waiting {
  readonly clock: Clock;
  readonly limitMs: Milliseconds;
  readonly signal: AbortSignal;
  /** Called after each look at it: whoever waits is there. */
  waits(): Promise<void>;
}

const pollMs = 300;

/** Why a container cannot start, where no waiting helps: by the kubelet's own words, with what would. */
const hopeless: Readonly<Record<string, string>> = {
  InvalidImageName: 'Fix runners.kubernetes.image.',
  ErrImageNeverPull: 'Put the image on the nodes, or set runners.kubernetes.image to one that a registry has.',
  ImagePullBackOff: 'Set runners.kubernetes.image to an image that there is, and pullSecrets to what its registry requires.',
  ErrImagePull: 'Set runners.kubernetes.image to an image that there is, and pullSecrets to what its registry requires.',
  CreateContainerConfigError: 'Create what the pod mounts (runners.kubernetes.variables.secret), or change its name.',
  CreateContainerError: 'Use an image of loadctl (runners.kubernetes.image).',
  RunContainerError: 'Use an image of loadctl (runners.kubernetes.image).',
  StartError: 'Use an image of loadctl (runners.kubernetes.image).',
};

/** Waits until the one pod of a Job runs; hands back its name. Throws `unavailable` with why it does not, and what would satisfy it. */
export async function awaitPod(cluster: Cluster, job: V1Job, { clock, limitMs, signal, waits }: Waiting): Promise<string> {
  const deadline = clock.elapsed() + limitMs;
  for (;;) {
    throwIfAborted(signal);
    const pod = await podOf(cluster, job);
    if (pod?.status?.phase === 'Running') return pod.metadata?.name ?? '';
    const why = pod === undefined ? await notMade(cluster, job) : await notStarted(cluster, pod);
    if (why !== undefined && (why.final || clock.elapsed() > deadline)) throw why.error;
    if (clock.elapsed() > deadline) throw tooLate(cluster, limitMs);
    await waits();
    await clock.sleep(pollMs, signal);
  }
}

/** The one pod of a Job. */
export async function podOf(cluster: Cluster, job: V1Job): Promise<V1Pod | undefined> {
  const { namespace } = cluster;
  const labelSelector = `batch.kubernetes.io/controller-uid=${job.metadata?.uid}`;
  const { items } = await cluster.ask('list the conductor’s pod', ({ core }) => core.listNamespacedPod({ namespace, labelSelector }));
  return items[0];
}

interface WhyNot {
  /** Waiting does not help. */
  readonly final: boolean;
  readonly error: LoadctlError;
}

/** What the Job controller says of a pod that it may not make: a quota, a level, a service account. */
async function notMade(cluster: Cluster, job: V1Job): Promise<WhyNot | undefined> {
  const { namespace } = cluster;
  const message = await lastEvent(cluster, job.metadata?.uid, 'FailedCreate');
  if (message === undefined) return undefined;
  const hint = podRefusalHint(message, namespace) ?? `Look at it: kubectl describe job ${job.metadata?.name} -n ${namespace}`;
  return { final: true, error: new LoadctlError('unavailable', `Kubernetes does not make the conductor’s pod: ${message}`, { hint }) };
}

/** What the kubelet says of a Secret that it cannot mount. */
async function notMounted(cluster: Cluster, pod: V1Pod): Promise<WhyNot | undefined> {
  const message = await lastEvent(cluster, pod.metadata?.uid, 'FailedMount');
  const secret = /secret "([^"]+)" not found/.exec(message ?? '')?.[1];
  if (secret === undefined) return undefined;
  const error = new LoadctlError('unavailable', `The conductor’s pod does not start: there is no Secret \`${secret}\`.`, {
    hint: `Create it (kubectl create secret generic ${secret} -n ${cluster.namespace} …), or change runners.kubernetes.variables.secret.`,
  });
  return { final: true, error };
}

async function lastEvent(cluster: Cluster, uid: string | undefined, reason: string): Promise<string | undefined> {
  const { namespace } = cluster;
  const fieldSelector = `involvedObject.uid=${uid},reason=${reason}`;
  const { items } = await cluster.ask('list events', ({ core }) => core.listNamespacedEvent({ namespace, fieldSelector }));
  return items.at(-1)?.message;
}

/** An image that a Secret would give the right to pull. */
async function notPulled(cluster: Cluster, pod: V1Pod): Promise<LoadctlError | undefined> {
  const message = await lastEvent(cluster, pod.metadata?.uid, 'FailedToRetrieveImagePullSecret');
  const secret = /secrets \(([^)]+)\)/.exec(message ?? '')?.[1];
  if (secret === undefined) return undefined;
  return new LoadctlError(
    'unavailable',
    `The conductor’s pod does not start: its image cannot be pulled, and there is no Secret \`${secret}\`.`,
    {
      hint: `Create it (kubectl create secret docker-registry ${secret} -n ${cluster.namespace} …), or change runners.kubernetes.pullSecrets.`,
    },
  );
}

async function notStarted(cluster: Cluster, pod: V1Pod): Promise<WhyNot | undefined> {
  const { status, metadata } = pod;
  const unschedulable = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unschedulable !== undefined) {
    const message = `No node takes the conductor’s pod: ${unschedulable.message ?? unschedulable.reason ?? 'unschedulable'}`;
    const hint = 'Change runners.kubernetes.nodeSelector or tolerations, or add a node with 0.5 CPU and 512 MiB to spare.';
    return { final: false, error: new LoadctlError('unavailable', message, { hint }) };
  }
  const { waiting, terminated } = status?.containerStatuses?.[0]?.state ?? {};
  if (terminated !== undefined) return { final: true, error: ended(metadata?.name ?? '', terminated.reason, terminated.exitCode) };
  const { reason = '', message = reason } = waiting ?? {};
  const hint = hopeless[reason];
  if (hint === undefined) return notMounted(cluster, pod);
  const withoutSecret = reason.includes('ImagePull') ? await notPulled(cluster, pod) : undefined;
  if (withoutSecret !== undefined) return { final: true, error: withoutSecret };
  return { final: true, error: new LoadctlError('unavailable', `The conductor’s pod does not start (${reason}): ${message}`, { hint }) };
}

function ended(pod: string, reason: string | undefined, exitCode: number): LoadctlError {
  const hint = hopeless[reason ?? ''] ?? `See what it said: kubectl logs ${pod}`;
  return new LoadctlError('unavailable', `The conductor’s pod ended at once (${reason ?? 'no reason'}, exit code ${exitCode}).`, { hint });
}

function tooLate({ namespace }: Cluster, limitMs: Milliseconds): LoadctlError {
  return new LoadctlError('unavailable', `The conductor’s pod does not run after ${limitMs / 1000} s.`, {
    hint: `Look at it (kubectl get pods -n ${namespace}), or raise runners.readyTimeout.`,
  });
}
