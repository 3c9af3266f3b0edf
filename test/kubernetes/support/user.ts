import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { kubeconfig } from '../../cluster/cluster.js';
import type { Namespace } from '../../cluster/namespace.js';

/** Rights in a namespace: `jobs: [create, get]`. */
export type Rights = Readonly<Record<string, readonly string[]>>;

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };

/** A service account with these rights and no others, as manifests. */
export function account(name: string, rights: Rights): object[] {
  const rules = Object.entries(rights).map(([resource, verbs]) => ({
    apiGroups: [resource === 'jobs' ? 'batch' : ''],
    resources: [resource],
    verbs,
  }));
  return accountOf(name, rules);
}

/** A service account with the rules of a Role, as manifests. */
export function accountOf(name: string, rules: readonly object[]): object[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    { ...rbac, kind: 'Role', metadata: { name }, rules },
    {
      ...rbac,
      kind: 'RoleBinding',
      metadata: { name },
      subjects: [{ kind: 'ServiceAccount', name }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    },
  ];
}

/** Writes a kubeconfig of a service account into a folder; its context is `test`. */
export async function kubeconfigOf(space: Namespace, name: string, folder: string): Promise<string> {
  const token = await space.kubectl(['create', 'token', name]);
  const { clusters, contexts, ...config } = parse(readFileSync(kubeconfig(), 'utf8'));
  const mine = [{ name: 'test', context: { ...contexts[0].context, user: name } }];
  const file = join(folder, `${name}.kubeconfig`);
  writeFileSync(
    file,
    JSON.stringify({ ...config, clusters, contexts: mine, 'current-context': 'test', users: [{ name, user: { token } }] }),
  );
  return file;
}
