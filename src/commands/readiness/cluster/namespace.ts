import { lookAt } from '../../../kubernetes/survey.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import { type ClusterLook, hidden } from './fit.js';

const levelLabel = 'pod-security.kubernetes.io/enforce';

/** The level of Pod Security of the namespace, against the pods as the profile patches them. */
export async function lookAtPodSecurity({ cluster, words }: ClusterLook): Promise<Finding[]> {
  const what = 'pod security';
  const name = cluster.namespace;
  const namespace = await lookAt(cluster, 'get the namespace', ({ core }) => core.readNamespace({ name }));
  if (namespace.is === 'hidden') return [hidden(what, 'get namespaces')];
  if (namespace.is === 'absent')
    return [
      {
        what: 'namespace',
        state: 'missing',
        said: `there is no namespace ${name}`,
        more: `Create it (kubectl create namespace ${name}), or change runners.kubernetes.namespace.`,
      },
    ];
  const level = namespace.value.metadata?.labels?.[levelLabel];
  if (level === undefined)
    return [{ what, state: 'good', said: `namespace ${name} has no level of its own; loadctl’s pods fit \`restricted\`` }];
  const said = `\`${level}\`: loadctl’s pods fit it`;
  const isPatched = [words.patch.runner, words.patch.conductor].some((patch) => Object.keys(patch).length > 0);
  if (level === 'privileged' || !isPatched) return [{ what, state: 'good', said }];
  const more =
    'Whether they fit with runners.kubernetes.patch is the API server’s to say: a run that it refuses ends with 115 before any load.';
  return [{ what, state: 'low', said: `\`${level}\`: loadctl’s pods fit it without the patches`, more }];
}

/** Which network policies hold for the pods of a run. What they let through, only their controller knows. */
export async function lookAtNetwork({ cluster, words }: ClusterLook): Promise<Finding[]> {
  const what = 'network';
  const { namespace } = cluster;
  const policies = await lookAt(cluster, 'list network policies', ({ networking }) =>
    networking.listNamespacedNetworkPolicy({ namespace }),
  );
  if (policies.is !== 'seen') return [hidden(what, 'list networkpolicies')];
  const { items } = policies.value;
  if (items.length === 0) return [{ what, state: 'good', said: `no network policies in namespace ${namespace}` }];
  const runner = { ...words.labels, 'app.kubernetes.io/name': 'loadctl', 'app.kubernetes.io/component': 'runner' };
  const conductor = { ...words.labels, 'app.kubernetes.io/part-of': 'loadctl', 'loadctl/role': 'conductor' };
  const holding = items.filter(({ spec }) => [runner, conductor].some((labels) => selects(spec?.podSelector, labels)));
  const names = holding.map(({ metadata }) => metadata?.name ?? '').join(', ');
  if (holding.length === 0) return [{ what, state: 'good', said: `none of ${items.length} network policies selects the run’s pods` }];
  const more =
    'They have to let runners (app.kubernetes.io/component: runner) reach the conductor (loadctl/role: conductor) by TCP on any port, and the target; the conductor its API server.';
  return [{ what, state: 'low', said: `network policies select the run’s pods: ${names}`, more }];
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Readonly<Record<string, string>>): boolean {
  const meets = (key: string, operator: string, values: readonly string[]) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    return (value !== undefined && values.includes(value)) === (operator === 'In');
  };
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => meets(key, operator, values))
  );
}
