import { hostname } from 'node:os';
import type { V1OwnerReference } from '@kubernetes/client-node';
import type { Cluster } from './client.js';

/** The pod that this process is in. */
export interface OwnPod {
  readonly name: string;
  /** Undefined where it has none yet. */
  readonly address: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What its objects go with: its own Job, where it has one. */
  readonly owner: V1OwnerReference;
}

/** Reads the pod that this process is in. Throws `unavailable`. */
export async function ownPod(cluster: Cluster): Promise<OwnPod> {
  const { namespace } = cluster;
  const pod = await cluster.ask('get pods', ({ core }) => core.readNamespacedPod({ namespace, name: hostname() }));
  const { name = '', uid = '', labels = {}, ownerReferences = [] } = pod.metadata ?? {};
  const job = ownerReferences.find(({ kind }) => kind === 'Job');
  const owner =
    job === undefined
      ? { apiVersion: 'v1', kind: 'Pod', name, uid }
      : { apiVersion: job.apiVersion, kind: job.kind, name: job.name, uid: job.uid };
  return { name, address: pod.status?.podIP, labels, owner };
}
