import type { Cluster } from './client.js';
import { type Right, refusedWith } from './failures.js';

/** What was asked for, `hidden` where that is not allowed, `absent` where it is not there. */
export type Seen<T> = { readonly is: 'seen'; readonly value: T } | { readonly is: 'hidden' } | { readonly is: 'absent' };

/** What who starts runs from outside needs in the namespace (docs/conductor.md). */
export const rightsOfPerson: readonly Right[] = [
  ...['create', 'list', 'patch', 'delete'].map((verb) => ({ verb, resource: 'jobs' })),
  { verb: 'list', resource: 'pods' },
  ...['get', 'create'].map((verb) => ({ verb, resource: 'pods/portforward' })),
  { verb: 'create', resource: 'secrets' },
  { verb: 'list', resource: 'events' },
];

/** What a pod that conducts a run of its own needs (docs/conductor.md). */
export const rightsOfConductor: readonly Right[] = [
  ...['create', 'list', 'delete'].map((verb) => ({ verb, resource: 'jobs' })),
  ...['get', 'list'].map((verb) => ({ verb, resource: 'pods' })),
  ...['create', 'delete'].map((verb) => ({ verb, resource: 'secrets' })),
  { verb: 'list', resource: 'events' },
];

/** A right as errors name it. */
export function rightText({ verb, resource }: Right): string {
  return `${verb} ${resource}`;
}

/** Looks at something that may be hidden or not there. Throws `unavailable` for everything else that goes wrong. */
export async function lookAt<T>(cluster: Cluster, doing: string, call: Parameters<typeof cluster.ask<T>>[1]): Promise<Seen<T>> {
  try {
    return { is: 'seen', value: await cluster.ask(doing, call) };
  } catch (error) {
    const status = refusedWith(error);
    if (status === 403) return { is: 'hidden' };
    if (status === 404) return { is: 'absent' };
    throw error;
  }
}

/** Those of the rights that this account does not have, by the API server itself, which keeps nothing of the question. */
export async function missingRights(cluster: Cluster, rights: readonly Right[]): Promise<Seen<readonly Right[]>> {
  const asked = await Promise.all(
    rights.map(async (right) => {
      const { verb } = right;
      const [resource = '', subresource] = right.resource.split('/');
      const group = resource === 'jobs' ? 'batch' : '';
      const resourceAttributes = {
        ...{ namespace: cluster.namespace, verb, group, resource },
        ...(subresource === undefined ? {} : { subresource }),
      };
      const review = await lookAt(cluster, 'review your rights', ({ authorization }) =>
        authorization.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } }),
      );
      return { right, review };
    }),
  );
  const missing: Right[] = [];
  for (const { right, review } of asked) {
    if (review.is !== 'seen') return review;
    if (review.value.status?.allowed !== true) missing.push(right);
  }
  return { is: 'seen', value: missing };
}
