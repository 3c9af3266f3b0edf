import { LoadctlError } from '../core/errors.js';
import type { Cluster } from './client.js';
import { grantHint, type Right } from './failures.js';

/** Without the right to delete what is about to be made, it stays. Throws `unavailable` before anything is made. */
export async function refuseStaying(cluster: Cluster, ...resources: readonly string[]): Promise<void> {
  const missing = await missingRights(
    cluster,
    resources.map((resource) => ({ verb: 'delete', resource })),
  );
  if (missing.length === 0) return;
  const kinds = missing.map(({ resource }) => resource).join(' and ');
  throw new LoadctlError(
    'unavailable',
    `loadctl may not delete ${kinds} in namespace \`${cluster.namespace}\`: those of a run would stay.`,
    {
      hint: grantHint(missing, cluster),
    },
  );
}

/** Those of these rights that one does not have, as the API server tells everybody of his own; one that it does not tell of counts as there. */
export async function missingRights(cluster: Cluster, wanted: readonly Right[]): Promise<Right[]> {
  const allowed = await Promise.all(wanted.map((right) => isAllowed(cluster, right)));
  return wanted.filter((_, index) => allowed[index] === false);
}

async function isAllowed(cluster: Cluster, { verb, resource: path }: Right): Promise<boolean | undefined> {
  const [resource = '', subresource] = path.split('/');
  const group = resource === 'jobs' ? 'batch' : '';
  const of = subresource === undefined ? {} : { subresource };
  const body = { spec: { resourceAttributes: { namespace: cluster.namespace, verb, group, resource, ...of } } };
  const review = await cluster
    .ask('review its own rights', ({ authorization }) => authorization.createSelfSubjectAccessReview({ body }))
    .catch(() => undefined);
  return review?.status?.allowed;
}
