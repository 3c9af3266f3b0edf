import { lookAt } from '../../../kubernetes/survey.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import type { ClusterLook } from './fit.js';

/** The image as far as it is known without its registry, and what the pods name besides: Secrets and the service account. */
export async function lookAtImage(look: ClusterLook): Promise<Finding[]> {
  const { words } = look;
  const { pullSecrets, serviceAccount, variables } = words;
  const secrets = [...pullSecrets, ...(variables === undefined ? [] : [variables.secret])];
  const named = await Promise.all([
    ...secrets.map((name) => lookForSecret(look, name)),
    ...(serviceAccount === undefined ? [] : [lookForAccount(look, serviceAccount)]),
  ]);
  return [ofName(words.image), ...named];
}

function ofName(image: string): Finding {
  const what = 'image';
  const [, tag] = /:([^/:@]+)(?:@|$)/.exec(image) ?? [];
  if (image.includes('@sha256:')) return { what, state: 'good', said: `${image}; whether its registry has it shows when pods start` };
  if (tag !== undefined && tag !== 'latest')
    return { what, state: 'good', said: `${image}, by its tag; whether its registry has it shows when pods start` };
  const more =
    'Name it by a version or its digest: nodes may have different images of that name, and such a run ends with 115 before any load.';
  return { what, state: 'low', said: `${image}, a name that moves`, more };
}

async function lookForSecret({ cluster, words }: ClusterLook, name: string): Promise<Finding> {
  const what = `secret ${name}`;
  const { namespace } = cluster;
  const secret = await lookAt(cluster, 'get a Secret', ({ core }) => core.readNamespacedSecret({ namespace, name }));
  if (secret.is === 'hidden')
    return { what, state: 'unknown', said: 'not allowed to see', more: 'The kubelet reads it, not loadctl: leave that right out.' };
  if (secret.is === 'seen') return { what, state: 'good', said: 'is there' };
  const isToPull = words.pullSecrets.includes(name);
  const kind = isToPull ? 'docker-registry' : 'generic';
  const word = isToPull ? 'pullSecrets' : 'variables.secret';
  const more = `Create it (kubectl create secret ${kind} ${name} -n ${namespace} …), or change runners.kubernetes.${word}.`;
  return { what, state: 'missing', said: `there is no Secret ${name} in namespace ${namespace}`, more };
}

async function lookForAccount({ cluster }: ClusterLook, name: string): Promise<Finding> {
  const what = 'service account';
  const { namespace } = cluster;
  const account = await lookAt(cluster, 'get a service account', ({ core }) => core.readNamespacedServiceAccount({ namespace, name }));
  if (account.is === 'hidden')
    return {
      what,
      state: 'unknown',
      said: `${name}: not allowed to see`,
      more: 'Optional: the right `get serviceaccounts` would show it.',
    };
  if (account.is === 'seen') return { what, state: 'good', said: `${name}; its own rights are checked when the conductor starts` };
  const more = `Create it (kubectl create serviceaccount ${name} -n ${namespace}), or change runners.kubernetes.serviceAccount.`;
  return { what, state: 'missing', said: `there is no service account ${name} in namespace ${namespace}`, more };
}
