import type { V1LimitRangeItem } from '@kubernetes/client-node';
import { quantityToScalar } from '../../../kubernetes/quantity.js';
import { lookAt } from '../../../kubernetes/survey.js';
import type { PodRequest } from '../../../plan/pods.js';
import type { Finding } from '../../../reporters/doctor-table.js';
import { amountText, askedBy, type ClusterLook, hidden } from './fit.js';

const what = 'limit range';

/** Whether the namespace's LimitRanges let both kinds of pods be, as they are. */
export async function lookAtLimits(look: ClusterLook): Promise<Finding[]> {
  const { cluster } = look;
  const { namespace } = cluster;
  const ranges = await lookAt(cluster, 'list limit ranges', ({ core }) => core.listNamespacedLimitRange({ namespace }));
  if (ranges.is !== 'seen') return [hidden(what, 'list limitranges')];
  const { items } = ranges.value;
  if (items.length === 0) return [{ what, state: 'good', said: `none in namespace ${namespace}` }];
  const asked = askedBy(look);
  if (asked === undefined) return [{ what, state: 'unknown', said: 'what the run asks for is unknown' }];
  return items.map(({ metadata: { name = '' } = {}, spec }) => {
    const limits = (spec?.limits ?? []).filter(({ type }) => type === 'Container' || type === 'Pod');
    const refused = limits.flatMap((limit) => [
      ...outside(limit, 'a runner', asked.runner),
      ...outside(limit, 'the conductor', asked.conductor),
    ]);
    if (refused.length > 0) {
      const more = `Fit runners.kubernetes.resources and conductor into it, or change it (kubectl describe limits ${name} -n ${namespace}).`;
      return { what, state: 'missing', said: `${name}: ${refused.join('; ')}`, more };
    }
    const cpu = limits.find((limit) => limit._default?.cpu !== undefined)?._default?.cpu;
    if (cpu === undefined) return { what, state: 'good', said: `${name} has room for each pod` };
    const more =
      'A limit throttles k6 in the middle of requests: above 1% of the judged window the result is invalid. Take the default away.';
    return { what, state: 'low', said: `${name} limits the CPU of each container to ${cpu}`, more };
  });
}

/** What a pod asks for that a range has no room for: memory is limited to what is asked for, CPUs are not limited. */
function outside({ max = {}, min = {}, _default = {} }: V1LimitRangeItem, who: string, { cpus, memoryBytes }: PodRequest): string[] {
  const asks: readonly (readonly [string, number])[] = [
    ['cpu', cpus],
    ['memory', memoryBytes],
  ];
  return asks.flatMap(([resource, amount]) => {
    const of = (limits: Readonly<Record<string, string>>) => limits[resource] && quantityToScalar(limits[resource]);
    const asked = `${who} asks for ${resource} ${amountText(resource, amount)}`;
    const [most, least, limit] = [of(max), of(min), resource === 'cpu' ? of(_default) : undefined];
    if (typeof most === 'number' && amount > most) return [`${asked}, at most ${amountText(resource, most)} may be`];
    if (typeof least === 'number' && amount < least) return [`${asked}, at least ${amountText(resource, least)} must be`];
    return typeof limit === 'number' && amount > limit ? [`${asked}, above the default limit of ${amountText(resource, limit)}`] : [];
  });
}
