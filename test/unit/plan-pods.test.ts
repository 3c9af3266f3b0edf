import { describe, expect, test } from 'vitest';
import { type PodFleet, podNeeds } from '../../src/plan/pods.js';

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

  test('a target of several addresses has as many times the ports', () => {
    expect(podNeeds(fleet({ egress: 'nat' }), { vus: 120_000, targetAddresses: 3 })).toMatchObject({ ports: 165_000, sourcesNeeded: 1 });
    expect(podNeeds(fleet({ egress: 'nat' }), { vus: 120_000 })).toMatchObject({ ports: 55_000, sourcesNeeded: 3 });
  });

  test('a million VUs behind nodes are as many nodes as their ports need', () => {
    const needs = podNeeds(fleet({ egress: 'node', runner: { cpus: 0.1, memoryBytes: 1e8 } }), { vus: 1_000_000 });
    expect(needs).toMatchObject({ nodes: 16, because: 'ports', sourcesNeeded: 16, trackedByNode: 62_500 });
  });
});
