import { quantityToScalar } from '../../../kubernetes/quantity.js';
import { lookAt } from '../../../kubernetes/survey.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import { type Asked, amountText, askedBy, type ClusterLook, hidden } from './fit.js';

const what = 'quota';

/** Whether the namespace's quotas leave room for the run. */
export async function lookAtQuotas(look: ClusterLook): Promise<Finding[]> {
  const { cluster } = look;
  const { namespace } = cluster;
  const quotas = await lookAt(cluster, 'list quotas', ({ core }) => core.listNamespacedResourceQuota({ namespace }));
  if (quotas.is !== 'seen') return [hidden(what, 'list resourcequotas')];
  const { items } = quotas.value;
  if (items.length === 0) return [{ what, state: 'good', said: `none in namespace ${namespace}` }];
  const isLimited = await givesCpuLimit(look);
  const asked = askedBy(look);
  if (asked === undefined) return [{ what, state: 'unknown', said: 'what the run asks for is unknown' }];
  return items.map(({ metadata: { name = '' } = {}, spec: { scopes, scopeSelector } = {}, status: { hard = {}, used = {} } = {} }) => {
    if (scopes !== undefined || scopeSelector !== undefined)
      return {
        what,
        state: 'unknown',
        said: `${name} holds for some pods only`,
        more: `Look at it: kubectl describe quota ${name} -n ${namespace}`,
      };
    if (isLimited !== true && hard['limits.cpu'] !== undefined)
      return {
        what,
        state: isLimited === false ? 'missing' : 'low',
        said: `${name} counts limits.cpu, and loadctl’s pods name none: the API server refuses such pods`,
        more: `Remove limits.cpu from it (kubectl describe quota ${name} -n ${namespace}), or have a LimitRange give containers a default CPU limit, which throttles k6.`,
      };
    const short = Object.entries(hard).flatMap(([resource, most]) =>
      shortage(resource, asked, quantityToScalar(most) - quantityToScalar(used[resource] ?? '0')),
    );
    if (short.length === 0) return { what, state: 'good', said: `${name} leaves room for the run` };
    const more = `Raise it (kubectl describe quota ${name} -n ${namespace}), or lower runners.count or runners.kubernetes.resources.`;
    return { what, state: 'missing', said: `${name} leaves too little: ${short.join('; ')}`, more };
  });
}

function shortage(resource: string, asked: Asked, left: number): string[] {
  const needed = neededOf(resource, asked);
  return needed === undefined || needed <= left ? [] : [`${resource} ${amountText(resource, left)} of ${amountText(resource, needed)}`];
}

/** A run makes two Jobs, and a Secret each for its lock and its runners' key. CPU limits are none of ours: a LimitRange sets them ({@link givesCpuLimit}). */
function neededOf(resource: string, { pods, all }: Asked): number | undefined {
  const known: Readonly<Record<string, number>> = {
    ...{ pods, 'count/pods': pods, 'count/jobs.batch': 2, secrets: 2, 'count/secrets': 2 },
    ...{ cpu: all.cpus, 'requests.cpu': all.cpus },
    ...{ memory: all.memoryBytes, 'requests.memory': all.memoryBytes, 'limits.memory': all.memoryBytes },
  };
  return known[resource];
}

/** Whether a LimitRange gives containers a CPU limit; undefined where that is hidden. */
async function givesCpuLimit({ cluster }: ClusterLook): Promise<boolean | undefined> {
  const { namespace } = cluster;
  const ranges = await lookAt(cluster, 'list limit ranges', ({ core }) => core.listNamespacedLimitRange({ namespace }));
  if (ranges.is !== 'seen') return undefined;
  const limits = ranges.value.items.flatMap(({ spec }) => spec?.limits ?? []);
  return limits.some(({ type, _default }) => type === 'Container' && _default?.cpu !== undefined);
}
