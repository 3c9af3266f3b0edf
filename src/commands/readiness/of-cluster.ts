import { errorMessage, LoadctlError } from '../../core/errors.js';
import { formatCount } from '../../core/quantities.js';
import { type Cluster, isInCluster, openCluster } from '../../kubernetes/client.js';
import { missingRights, rightsOfConductor, rightsOfPerson, rightText } from '../../kubernetes/survey.js';
import type { Finding } from '../../reporters/doctor-table.js';
import type { Call } from '../call/types.js';
import type { ClusterLook } from './cluster/fit.js';
import { lookAtImage } from './cluster/image.js';
import { lookAtLimits } from './cluster/limits.js';
import { lookAtNetwork, lookAtPodSecurity } from './cluster/namespace.js';
import { lookAtNodes } from './cluster/nodes.js';
import { lookAtQuotas } from './cluster/quotas.js';

const oldestMinor = 29;

/** What a cluster has for a run, and what it lacks. Nothing is made there: the API server only answers. */
export async function lookAtCluster({ shell }: Call, look: Omit<ClusterLook, 'cluster'>): Promise<Finding[]> {
  const { words } = look;
  const place = {
    ...(words.context === undefined ? {} : { context: words.context }),
    ...(words.namespace === undefined ? {} : { namespace: words.namespace }),
  };
  const inCluster = await isInCluster(shell);
  const [reached] = await found('cluster', async () => {
    const cluster = await openCluster(place, shell);
    return [await lookAtServer(cluster)];
  });
  if (reached === undefined || reached.state === 'missing') return reached === undefined ? [] : [reached];
  const all = { ...look, cluster: await openCluster(place, shell) };
  const parts = await Promise.all([
    found('rights', () => lookAtRights(all.cluster, inCluster)),
    found('pod security', () => lookAtPodSecurity(all)),
    found('quota', () => lookAtQuotas(all)),
    found('limit range', () => lookAtLimits(all)),
    found('nodes', () => lookAtNodes(all)),
    found('image', () => lookAtImage(all)),
    found('network', () => lookAtNetwork(all)),
  ]);
  return [reached, ...parts.flat()];
}

/** What goes wrong with one look says nothing of the others. */
async function found(what: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof LoadctlError)) throw error;
    return [{ what, state: 'missing', said: errorMessage(error), ...(error.hint === undefined ? {} : { more: error.hint }) }];
  }
}

async function lookAtServer(cluster: Cluster): Promise<Finding> {
  const { major, minor, gitVersion } = await cluster.ask('ask for its version', ({ version }) => version.getCode());
  const what = 'cluster';
  const said = `Kubernetes ${gitVersion.replace(/^v/, '')} at ${cluster.server}, namespace ${cluster.namespace}`;
  if (Number(major) > 1 || Number.parseInt(minor, 10) >= oldestMinor) return { what, state: 'good', said };
  return { what, state: 'missing', said, more: `loadctl needs Kubernetes 1.${oldestMinor} or newer.` };
}

async function lookAtRights(cluster: Cluster, inCluster: boolean): Promise<Finding[]> {
  const what = 'rights';
  const rights = inCluster ? rightsOfConductor : rightsOfPerson;
  const missing = await missingRights(cluster, rights);
  if (missing.is !== 'seen') return [{ what, state: 'unknown', said: 'your own rights: not allowed to see' }];
  if (missing.value.length === 0) return [{ what, state: 'good', said: `all ${formatCount(rights.length)} that a run needs` }];
  const names = missing.value.map(rightText).join(', ');
  const more = `Grant them in namespace ${cluster.namespace} (a Role, and a RoleBinding to your user or service account; docs/conductor.md).`;
  return [{ what, state: 'missing', said: `not granted: ${names}`, more }];
}
