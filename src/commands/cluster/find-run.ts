import { LoadctlError } from '../../core/errors.js';
import { podOf } from '../../kubernetes/await-pod.js';
import { type Cluster, openCluster } from '../../kubernetes/client.js';
import { type FoundConductor, findConductors } from '../../kubernetes/conductors.js';
import { planProfile } from '../call/profile.js';
import type { Call } from '../call/types.js';
import type { DistantRun } from './follow-run.js';
import { clusterWords } from './job-of.js';
import { doorTo } from './start-conductor.js';

/** The conductors of an environment, and the cluster that they are in. */
export interface Environment {
  readonly cluster: Cluster;
  readonly environment: string;
  readonly conductors: readonly FoundConductor[];
}

/** Looks for the conductors of the environment that a call names. Throws `usage` for one whose runs are not in a cluster. */
export async function findEnvironment(call: Call): Promise<Environment> {
  const planned = await planProfile(call, 'optional');
  const { environment, fleet } = planned.plan;
  if (fleet.backend !== 'kubernetes') {
    throw new LoadctlError('usage', `Runs of ${environment} are on this machine, not in a cluster (runners.backend: ${fleet.backend}).`, {
      hint: 'Leave --env out: loadctl runs lists the runs of this folder.',
    });
  }
  const cluster = await openCluster(clusterWords(planned), call.shell);
  return { cluster, environment, conductors: await findConductors(cluster, environment) };
}

/** The run that a call names, or the newest one of its environment. Throws `unavailable` where there is none. */
export async function findDistantRun(call: Call): Promise<DistantRun> {
  const { cluster, environment, conductors } = await findEnvironment(call);
  const [named] = call.args;
  const found = conductors.find(({ run }) => named === undefined || run === named);
  if (found === undefined) throw noneThere(named, { cluster, environment, conductors });
  const { run, job } = found;
  const pod = (await podOf(cluster, job))?.metadata?.name;
  if (pod === undefined) throw withoutPod(found, cluster);
  return { cluster, environment, run, job, door: doorTo(call, cluster, pod) };
}

/** Its Job is there: its pod has not come about yet, or was deleted. */
function withoutPod({ run, environment, job }: FoundConductor, { namespace }: Cluster): LoadctlError {
  return new LoadctlError('unavailable', `Run "${run}" of ${environment} has no pod in namespace ${namespace}.`, {
    hint: `Try again in a moment; why there is none: kubectl describe job ${job.metadata?.name ?? ''} -n ${namespace}`,
  });
}

function noneThere(named: string | undefined, { cluster, environment, conductors }: Environment): LoadctlError {
  const which = named === undefined ? `No run of ${environment}` : `No run "${named}" of ${environment}`;
  return new LoadctlError('unavailable', `${which} is in namespace ${cluster.namespace}.`, {
    lines: conductors.map(({ run, by }) => `  ${run}  by ${by}`),
    hint: `loadctl runs --env ${environment} lists those that are; loadctl runs, those that were brought here.`,
  });
}
