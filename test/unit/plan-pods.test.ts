import { describe, expect, test } from 'vitest';
import { capacityOf } from '../../src/plan/capacity.js';
import { loadHosts } from '../../src/plan/load-hosts.js';
import { conductorBytes, type PodFleet, podNeeds, podRequest } from '../../src/plan/pods.js';

const fleet = (more: Partial<PodFleet> = {}): PodFleet => ({
  runners: 30,
  runner: { cpus: 1, memoryBytes: 1e9 },
  conductor: { cpus: 1, memoryBytes: 1e9 },
  egress: 'pod',
  ...more,
});

describe('what pods ask of a cluster', () => {
  test('pods, CPUs and memory are those of the runners and of the conductor; the nodes are those that the scarcer of the two needs', () => {
    expect(podNeeds(fleet(), { vus: 30_000 })).toMatchObject({ pods: 31, cpus: 31, memoryBytes: 31e9, nodes: 9, because: 'CPUs' });
    const hungry = fleet({ runner: { cpus: 0.1, memoryBytes: 4e9 } });
    expect(podNeeds(hungry, { vus: 30_000 })).toMatchObject({ nodes: 9, because: 'memory' });
  });

  test.each([
    ['pod', 28_232, 30, 2],
    ['node', 64_512, 9, 1],
    ['nat', 55_000, 1, 1],
  ] as const)('through a %s there are %i ports to one address of the target', (egress, ports, sources, sourcesNeeded) => {
    expect(podNeeds(fleet({ egress }), { vus: 30_000 })).toMatchObject({ ports, sources, sourcesNeeded });
  });

  test.each([
    [1, undefined, 512],
    [100, undefined, 556],
    [1000, undefined, 3256],
    [1000, '1Gi', 1024],
  ])('a conductor of %i runners, with %s in the profile, asks for %i MiB', (runners, memory, mebi) => {
    expect(conductorBytes({ cpu: 0.5, ...(memory === undefined ? {} : { memory }) }, runners)).toBe(mebi * 1_048_576);
  });

  test('a target of several addresses has as many times the ports', () => {
    expect(podNeeds(fleet({ egress: 'nat' }), { vus: 120_000, targetAddresses: 3 })).toMatchObject({ ports: 165_000, sourcesNeeded: 1 });
    expect(podNeeds(fleet({ egress: 'nat' }), { vus: 120_000 })).toMatchObject({ ports: 55_000, sourcesNeeded: 3 });
  });

  test('a million VUs behind nodes are as many nodes as their ports need', () => {
    const needs = podNeeds(fleet({ egress: 'node', runner: { cpus: 0.1, memoryBytes: 1e8 } }), { vus: 1_000_000 });
    expect(needs).toMatchObject({ nodes: 16, because: 'ports', sourcesNeeded: 16, trackedByNode: 62_500 });
  });

  const planned = (runners: number, vus: number, more: Partial<PodFleet> = {}) => {
    const load = { vus, requestsPerSecond: vus, open: false };
    const { runner } = capacityOf(load, loadHosts({ isHere: false, hosts: [] }, runners, {}));
    return podNeeds(fleet({ runners, runner: podRequest(runner), conductor: { cpus: 1, memoryBytes: 1e9 }, ...more }), load);
  };

  test('30,000 VUs in 30 pods are two nodes; CPUs come first', () => {
    expect(planned(30, 30_000)).toMatchObject({
      ...{ pods: 31, cpus: 7, nodes: 2, because: 'CPUs', sources: 30, ports: 28_232 },
      ...{ first: { of: 'CPUs', vus: 42_000 }, pushEveryMs: 1000, abortLatencyMs: 2000 },
    });
  });

  test('a million VUs in 1,000 pods push every 3.4 s', () => {
    const needs = planned(1000, 1_000_000);
    expect(needs).toMatchObject({ pods: 1001, cpus: 201, nodes: 53, because: 'CPUs', pushEveryMs: 3400, abortLatencyMs: 4400 });
    expect(needs.first).toEqual({ of: 'CPUs', vus: 1_400_000 });
  });

  test('a million VUs behind one address of a NAT gateway: its ports come first', () => {
    expect(planned(1000, 1_000_000, { egress: 'nat' })).toMatchObject({
      sources: 1,
      sourcesNeeded: 19,
      first: { of: 'ports', vus: 55_000 },
    });
  });
});
