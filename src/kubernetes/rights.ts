import { LoadctlError } from '../core/errors.js';
import type { Cluster } from './client.js';
import { grantHint, type Right } from './failures.js';
import { missingRights } from './survey.js';

/** Without the right to delete what is about to be made, it stays. Throws `unavailable` before anything is made; a right that nobody tells of counts as there. */
export async function refuseStaying(cluster: Cluster, ...resources: readonly string[]): Promise<void> {
  const wanted = resources.map((resource) => ({ verb: 'delete', resource }));
  const missing = await knownMissing(cluster, wanted);
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

/** Those of the rights that one is known not to have; none where nobody tells. */
export async function knownMissing(cluster: Cluster, rights: readonly Right[]): Promise<readonly Right[]> {
  const told = await missingRights(cluster, rights).catch(() => undefined);
  return told?.is === 'seen' ? told.value : [];
}
