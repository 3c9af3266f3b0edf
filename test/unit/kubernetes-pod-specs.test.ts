import { expect, test } from 'vitest';
import { type ConductorJob, conductorJob } from '../../src/kubernetes/conductor-job.js';
import { conductorBytes, conductorNodeOptions } from '../../src/plan/pods.js';
import { kubernetes } from '../../src/profile/sections/kubernetes.js';
import { runnersJob } from '../../src/runners/kubernetes/job.js';
import { runId } from '../support/ids.js';

const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'loadctl-1', uid: 'u' };

/** The Job of three runners by these words of a profile. */
function runners(words: object = {}) {
  const requests = { cpus: 0.4, memoryBytes: 600 * 1_048_576 };
  const plan = { name: 'loadctl-abc', count: 3, words: kubernetes.parse({ image: 'loadctl:1', ...words }), owner, conductor: '10.0.0.1:1' };
  return runnersJob({ ...plan, requests, deadlineMs: 90_500 });
}

function conductor(more: Partial<ConductorJob> = {}) {
  const { patch } = kubernetes.parse({ image: 'loadctl:1' });
  return conductorJob({
    run: runId('20260101-000000-abcd'),
    environment: 'prod',
    command: 'run',
    by: 'me@here',
    target: 'shop.example.com',
    lock: 'lock',
    tokenSha256: 'x',
    image: 'loadctl:1',
    pullSecrets: [],
    resources: { cpu: 0.5, memory: '512Mi' },
    nodeSelector: {},
    tolerations: [],
    labels: {},
    annotations: {},
    patch: patch.conductor,
    ...more,
  });
}

const podOf = ({ spec }: ReturnType<typeof runners>) => spec?.template;

test('a runner asks for the plan’s figures, or for what the profile says; memory is the limit, CPU has none', () => {
  const resourcesOf = (words: object = {}) => podOf(runners(words))?.spec?.containers[0]?.resources;

  expect(resourcesOf()).toEqual({ requests: { cpu: '0.4', memory: '600Mi' }, limits: { memory: '600Mi' } });
  expect(resourcesOf({ resources: { cpu: 2, memory: '1Gi' } })).toEqual({
    requests: { cpu: '2', memory: '1Gi' },
    limits: { memory: '1Gi' },
  });
  expect(resourcesOf({ resources: { memory: '1Gi' } })).toEqual({ requests: { cpu: '0.4', memory: '1Gi' }, limits: { memory: '1Gi' } });
});

test('a conductor with room for it has a young generation in which pushes die; one without is left alone', () => {
  const optionsOf = (memory: number) => {
    const nodeOptions = conductorNodeOptions(memory);
    const env = podOf(conductor(nodeOptions === undefined ? {} : { nodeOptions }))?.spec?.containers[0]?.env ?? [];
    return env.find(({ name }) => name === 'NODE_OPTIONS')?.value;
  };

  expect(optionsOf(conductorBytes({ cpu: 0.5 }, 1000))).toBe('--max-semi-space-size=64');
  expect(optionsOf(conductorBytes({ cpu: 0.5 }, 100))).toBeUndefined();
  expect(optionsOf(conductorBytes({ cpu: 0.5, memory: '2Gi' }, 2))).toBe('--max-semi-space-size=64');
});

test('Jobs end by themselves, pods get their time to end', () => {
  expect([runners().spec?.activeDeadlineSeconds, conductor().spec?.activeDeadlineSeconds]).toEqual([91, 90]);
  expect([podOf(runners())?.spec?.terminationGracePeriodSeconds, podOf(conductor())?.spec?.terminationGracePeriodSeconds]).toEqual([
    60, 600,
  ]);
});

test.each([
  ['runners', runners, (annotations: object) => runners({ annotations })],
  ['the conductor', conductor, (annotations: Record<string, string>) => conductor({ annotations })],
] as const)('no autoscaler moves %s, and no mesh joins, unless the profile says so', (_, plain, withAnnotations) => {
  expect(podOf(plain())?.metadata?.annotations).toMatchObject({
    'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
    'karpenter.sh/do-not-disrupt': 'true',
    'linkerd.io/inject': 'disabled',
    'sidecar.istio.io/inject': 'false',
  });
  const over = podOf(withAnnotations({ 'linkerd.io/inject': 'enabled' }))?.metadata?.annotations;
  expect(over).toMatchObject({ 'linkerd.io/inject': 'enabled', 'karpenter.sh/do-not-disrupt': 'true' });
});

test.each([
  ['runners', (patch: Record<string, unknown>) => runners({ patch: { runner: patch } })],
  ['the conductor', (patch: Record<string, unknown>) => conductor({ patch })],
] as const)('a merge patch on the pod spec of %s: maps are merged, lists replaced, null removes', (_, withPatch) => {
  const spec = podOf(
    withPatch({
      priorityClassName: 'load',
      securityContext: { fsGroup: 7 },
      tolerations: [{ operator: 'Exists' }],
      enableServiceLinks: null,
    }),
  )?.spec;

  expect(spec).toMatchObject({
    priorityClassName: 'load',
    securityContext: { runAsNonRoot: true, fsGroup: 7, seccompProfile: { type: 'RuntimeDefault' } },
    tolerations: [{ operator: 'Exists' }],
    restartPolicy: 'Never',
  });
  expect(spec).not.toHaveProperty('enableServiceLinks');
});
