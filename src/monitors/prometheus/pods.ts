import type { MonitorOf } from '../kind/types.js';

/** A query, and the value that its answer is. */
export interface Asked {
  readonly value: string;
  readonly query: string;
}

/** What a monitor asks a Prometheus: its own query, or what it takes to know pods. */
export function asksOf({ query, pods }: MonitorOf<'prometheus'>): Asked[] {
  return pods === undefined ? [{ value: 'value', query: query ?? '' }] : podQueries(pods);
}

/** By cAdvisor's and kube-state-metrics' series: each pod a source, of the limits of its containers. */
function podQueries({ namespace, name, container }: NonNullable<MonitorOf<'prometheus'>['pods']>): Asked[] {
  const labels = [
    `namespace=${JSON.stringify(namespace)}`,
    ...(name === undefined ? [] : [`pod=~${JSON.stringify(name)}`]),
    container === undefined ? 'container!=""' : `container=${JSON.stringify(container)}`,
  ];
  const at = (...more: string[]) => `{${[...labels, ...more].join(',')}}`;
  const byPod = (series: string) => `sum by (namespace, pod) (${series})`;
  const limit = (resource: string) => byPod(limitsOf(at(`resource="${resource}"`)));
  const rate = (series: string) => byPod(`rate(${series}${at()}[1m])`);
  // A pod that did nothing had no period, and was not throttled.
  const some = (query: string) => `clamp_min(${query}, 1e-9)`;
  return [
    { value: 'cpu', query: `${rate('container_cpu_usage_seconds_total')} / ${limit('cpu')}` },
    { value: 'memory', query: `${byPod(`container_memory_working_set_bytes${at()}`)} / ${limit('memory')}` },
    {
      value: 'throttled',
      query: `${rate('container_cpu_cfs_throttled_periods_total')} / ${some(rate('container_cpu_cfs_periods_total'))}`,
    },
  ];
}

/** The limits of pods' containers, by kube-state-metrics; they are known for as long as the pod is. */
export function limitsOf(selector: string): string {
  return `kube_pod_container_resource_limits${selector}`;
}
