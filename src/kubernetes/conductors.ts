import type { V1Job } from '@kubernetes/client-node';
import { asRunId, type RunId } from '../core/ids.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Cluster } from './client.js';
import { annotations, labels } from './conductor-job.js';
import { refusedWith } from './failures.js';

/** A conductor's Job that is there, and its run. */
export interface FoundConductor {
  readonly run: RunId;
  readonly environment: string;
  readonly by: string;
  /** What it carries out: `test`. */
  readonly command: string;
  readonly job: V1Job;
}

/** The conductors of an environment in a namespace, newest first. */
export async function findConductors(cluster: Cluster, environment: string): Promise<FoundConductor[]> {
  const { namespace } = cluster;
  const labelSelector = `${labels.role}=conductor,${labels.environment}=${environment}`;
  const { items } = await cluster.ask('list the conductors’ Jobs', ({ batch }) => batch.listNamespacedJob({ namespace, labelSelector }));
  const found = items.flatMap((job): FoundConductor[] => {
    const { labels: found = {}, annotations: said = {} } = job.metadata ?? {};
    const run = asRunId(found[labels.run] ?? '');
    return run === undefined ? [] : [{ run, environment, by: said[annotations.by] ?? '', command: found[labels.command] ?? 'run', job }];
  });
  return found.sort((one, other) => (one.run < other.run ? 1 : -1));
}

/** Removes a conductor's Job, and with it all that it owns; one that is gone already is as it should be. */
export async function removeConductor(cluster: Cluster, { metadata }: V1Job): Promise<void> {
  const { namespace } = cluster;
  const { name = '', uid = '' } = metadata ?? {};
  // All in the body: where there is one, the API server does not look at the query, and would leave orphans.
  const body = { propagationPolicy: 'Background', preconditions: { uid } };
  try {
    await cluster.ask('delete the conductor’s Job', ({ batch }) => batch.deleteNamespacedJob({ namespace, name, body }));
  } catch (error) {
    if (![404, 409].includes(refusedWith(error) ?? 0)) throw error;
  }
}

/** Gives a conductor's Job so much time, counted from its start. */
export async function extendJob(cluster: Cluster, { metadata }: V1Job, deadlineMs: Milliseconds): Promise<void> {
  const { namespace } = cluster;
  const body = [{ op: 'replace', path: '/spec/activeDeadlineSeconds', value: Math.ceil(deadlineMs / 1000) }];
  await cluster.ask('extend the conductor’s Job', ({ batch }) => batch.patchNamespacedJob({ namespace, name: metadata?.name ?? '', body }));
}
