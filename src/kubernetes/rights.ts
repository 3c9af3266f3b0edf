import { LoadctlError } from '../core/errors.js';
import type { Cluster } from './client.js';

/** A verb on a kind of object in a namespace. */
export interface Right {
  readonly verb: string;
  /** With its subresource: `pods/portforward`. */
  readonly resource: string;
}

const rights = (resource: string, ...verbs: string[]): Right[] => verbs.map((verb) => ({ verb, resource }));

/** What the conductor of a fleet cannot do without; `list events` only explains. */
export const fleetRights: readonly Right[] = [
  ...rights('jobs', 'create', 'delete'),
  ...rights('pods', 'get', 'list'),
  ...rights('secrets', 'create', 'delete'),
];

/** Looks at one's own rights, which everybody may ask for. Throws `unavailable` with those that are missing. */
export async function refuseMissingRights(cluster: Cluster, wanted: readonly Right[]): Promise<void> {
  const allowed = await Promise.all(wanted.map((right) => isAllowed(cluster, right)));
  const missing = wanted.filter((_, index) => allowed[index] === false).map(({ verb, resource }) => `\`${verb} ${resource}\``);
  if (missing.length === 0) return;
  const { namespace } = cluster;
  const what = missing.length === 1 ? 'the right' : 'the rights';
  throw new LoadctlError(
    'unavailable',
    `${what.replace('the', 'The')} ${missing.join(', ')} in namespace \`${namespace}\` ${missing.length === 1 ? 'is' : 'are'} missing; nothing was made.`,
    {
      hint: `Grant ${what} ${missing.join(', ')} in namespace ${namespace} (a Role, and a RoleBinding to that user or service account).`,
    },
  );
}

/** Undefined where the API server does not tell: the call itself will. */
async function isAllowed(cluster: Cluster, { verb, resource: path }: Right): Promise<boolean | undefined> {
  const [resource = '', subresource] = path.split('/');
  const group = resource === 'jobs' ? 'batch' : '';
  const attributes = { namespace: cluster.namespace, verb, group, resource, ...(subresource === undefined ? {} : { subresource }) };
  const body = { spec: { resourceAttributes: attributes } };
  const review = await cluster
    .ask('review its own rights', ({ authorization }) => authorization.createSelfSubjectAccessReview({ body }))
    .catch(() => undefined);
  return review?.status?.allowed;
}
