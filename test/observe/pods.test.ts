import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { has, startPrometheus } from '../servers/observed.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

/**
 * A page of ours with the names and labels of cAdvisor's and kube-state-metrics' series: two pods of a shop, of which one has a
 * sidecar, a pod of another name, and the sum of a pod's containers that cAdvisor adds (without a container's name).
 */
function podsPage(seconds: number): string {
  const pods = [
    { pod: 'app-1', container: 'app', cpu: 0.3, limit: 1, memory: 600, memoryLimit: 1000, throttled: 0.1 },
    { pod: 'app-1', container: 'proxy', cpu: 0.1, limit: 1, memory: 200, memoryLimit: 1000, throttled: 0.1 },
    { pod: 'app-2', container: 'app', cpu: 0.45, limit: 0.5, memory: 300, memoryLimit: 1000, throttled: 0.4 },
    { pod: 'batch-1', container: 'app', cpu: 5, limit: 5, memory: 999, memoryLimit: 1000, throttled: 1 },
  ];
  const lines = pods.flatMap(({ pod, container, ...of }) => {
    const labels = `namespace="shop",pod="${pod}",container="${container}"`;
    return [
      `container_cpu_usage_seconds_total{${labels}} ${of.cpu * seconds}`,
      `container_cpu_usage_seconds_total{namespace="shop",pod="${pod}",container=""} ${9 * seconds}`,
      `container_cpu_cfs_periods_total{${labels}} ${10 * seconds}`,
      `container_cpu_cfs_throttled_periods_total{${labels}} ${of.throttled * 10 * seconds}`,
      `container_memory_working_set_bytes{${labels}} ${of.memory}`,
      `kube_pod_container_resource_limits{${labels},resource="cpu",unit="core"} ${of.limit}`,
      `kube_pod_container_resource_limits{${labels},resource="memory",unit="byte"} ${of.memoryLimit}`,
    ];
  });
  return `${[...new Set(lines)].join('\n')}\n`;
}

describe.skipIf(!has('prometheus'))('the preset for pods', () => {
  test('judges CPU, memory and throttling of each pod against its limits, by a real Prometheus', async () => {
    const begun = performance.now();
    const server = createServer((_, response) => response.end(podsPage((performance.now() - begun) / 1000)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = await startPrometheus([`127.0.0.1:${(server.address() as AddressInfo).port}`]);
    const known = async () =>
      (await (await fetch(`${url}/api/v1/query?query=rate(container_cpu_usage_seconds_total[1m])`)).text()).includes('app-2');
    await expect.poll(known, { timeout: 20_000 }).toBe(true);
    const at = await watchedPlace(
      `monitors: {app: {kind: prometheus, url: "${url}", pods: {namespace: shop, name: app-.*}, every: 1s, timeout: 1s}}
critical: {cpu: < 80%, memory: < 85%, app.throttled: < 50%}`,
      '72s',
    );
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const verdict = at.judged();
    expect(rowOf(verdict, 'cpu')).toMatchObject({ outcome: 'fail', monitored: { source: '{namespace="shop", pod="app-2"}', stat: 'avg' } });
    expect(rowOf(verdict, 'cpu').actual).toBeCloseTo(0.9, 1);
    expect(rowOf(verdict, 'memory')).toMatchObject({
      outcome: 'pass',
      monitored: { source: '{namespace="shop", pod="app-1"}', stat: 'max' },
    });
    expect(rowOf(verdict, 'memory').actual).toBeCloseTo(0.4, 6);
    expect(rowOf(verdict, 'app.throttled').actual).toBeCloseTo(0.4, 1);
    const first = at.lines().filter(({ source }) => source.includes('app-1'));
    expect(first.at(-1)?.values?.cpu).toBeCloseTo(0.2, 1);
  });
});
