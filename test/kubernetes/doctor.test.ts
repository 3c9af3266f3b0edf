import { expect, test } from 'vitest';
import { makeRunId } from '../../src/core/ids.js';
import { conductorJob } from '../../src/kubernetes/conductor-job.js';
import { hasCluster, kubeconfig } from '../cluster/cluster.js';
import { type Namespace, namespaceForTest } from '../cluster/namespace.js';
import { workplace } from '../support/loadctl.js';
import { account, kubeconfigOf } from './support/user.js';

const script = 'export default () => {};';

/** What is found, by its name. */
type Findings = Readonly<Record<string, { readonly state: string; readonly said: string; readonly more?: string }>>;

/** What doctor finds for ten runners that ask for half a CPU each. */
async function doctor(
  space: Pick<Namespace, 'name'>,
  KUBECONFIG: string,
  words = '',
): Promise<{ code: number | null; findings: Findings }> {
  const at = placeOf(space.name, words);
  const { code, stdout, stderr } = await at.loadctl(['doctor', '--env', 'dev', '--json'], { KUBECONFIG });
  expect(stderr).not.toContain('error:');
  const { findings } = JSON.parse(stdout);
  return { code, findings: Object.fromEntries(findings.map(({ what, ...found }: { what: string }) => [what, found])) };
}

function placeOf(namespace: string, words: string) {
  const profile = `
target: {url: "http://shop.test"}
workload: {script: ../k6.js, vus: 10, duration: 1s}
runners:
  backend: kubernetes
  count: 10
  kubernetes:
    context: test
    namespace: ${namespace}
    image: registry.example.com/loadctl:0.2.0
    resources: {cpu: 0.5, memory: 256Mi}
    ${words}
guards: {allow: [shop.test], confirm: false}
`;
  return workplace({ 'profiles/dev.yaml': profile, 'k6.js': script });
}

const quota = (hard: object) => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' }, spec: { hard } });

test.skipIf(!hasCluster)('says of a cluster how it stands, with the fix beside what is missing, and makes nothing there', async () => {
  const space = await namespaceForTest();
  const empty = await doctor(space, kubeconfig());
  expect(empty.findings).toMatchObject({
    cluster: { state: 'good', said: expect.stringMatching(/^Kubernetes 1\.\d+\.\d+ at https:\S+, namespace test-/) },
    rights: { state: 'good' },
    'pod security': { state: 'good', said: expect.stringContaining('`restricted`') },
    quota: { state: 'good' },
    'limit range': { state: 'good' },
    nodes: { said: expect.stringMatching(/^3 of 3 take runners: [\d.]+ CPUs and [\d.]+ GB allocatable/) },
    image: { state: 'good' },
    network: { state: 'good' },
  });

  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed' }, spec: { podSelector: {} } };
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'range' } };
  await space.apply(quota({ 'requests.cpu': '3', pods: '20' }), policy, {
    ...range,
    spec: { limits: [{ type: 'Container', max: { memory: '384Mi' } }] },
  });
  await expect.poll(async () => space.kubectl(['get', 'quota', 'small', '--output=jsonpath={.status.hard.pods}'])).toBe('20');
  const before = await space.objects();
  const words = 'pullSecrets: [registry]\n    serviceAccount: nobody\n    nodeSelector: {pool: load}';
  const { code, findings } = await doctor(space, kubeconfig(), words);

  expect(code).toBe(115);
  expect(findings).toMatchObject({
    quota: {
      state: 'missing',
      said: 'small leaves too little: requests.cpu 3 of 5.5',
      more: expect.stringContaining(`kubectl describe quota small -n ${space.name}`),
    },
    'limit range': { state: 'missing', said: 'range: the conductor asks for memory 536.9 MB, at most 402.7 MB may be' },
    nodes: { state: 'low', said: expect.stringContaining('0 of 3 take runners'), more: expect.stringContaining('nodeSelector') },
    'secret registry': { state: 'missing', more: expect.stringContaining('kubectl create secret docker-registry registry') },
    'service account': { state: 'missing', more: expect.stringContaining('kubectl create serviceaccount nobody') },
    network: { state: 'low', said: expect.stringContaining('closed') },
  });
  expect(await space.objects()).toEqual(before);
});

test.skipIf(!hasCluster)(
  'a quota that counts limits.cpu refuses pods without one, and doctor says so unless a LimitRange gives it',
  async () => {
    const space = await namespaceForTest();
    await space.apply(quota({ 'limits.cpu': '100' }));
    await expect.poll(async () => space.kubectl(['get', 'quota', 'small', '--output=jsonpath={.status.hard.limits\\.cpu}'])).toBe('100');
    const conductor = conductorJob({
      ...{ run: makeRunId(0), environment: 'dev', command: 'run', by: 'ann@here', target: 'shop.test', tokenSha256: '', image: 'none' },
      ...{
        pullSecrets: [],
        resources: { cpu: 0.5, memory: '256Mi' },
        nodeSelector: {},
        tolerations: [],
        labels: {},
        annotations: {},
        patch: {},
      },
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe' }, spec: conductor.spec?.template.spec };
    const dryRun = () => space.kubectl(['create', '--dry-run=server', '--filename=-'], { input: JSON.stringify(pod) });
    await expect(dryRun()).rejects.toThrow('must specify limits.cpu');
    const refused = await doctor(space, kubeconfig());
    expect(refused.code).toBe(115);
    expect(refused.findings.quota).toEqual({
      state: 'missing',
      said: 'small counts limits.cpu, and loadctl’s pods name none: the API server refuses such pods',
      more: expect.stringContaining('Remove limits.cpu from it'),
    });
    const spec = { limits: [{ type: 'Container', default: { cpu: '2' } }] };
    await space.apply({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'usual' }, spec });
    await expect(dryRun()).resolves.toContain('pod/probe');
    expect((await doctor(space, kubeconfig())).findings.quota).toMatchObject({ state: 'good' });
  },
);

test.skipIf(!hasCluster)('an account that may see nothing optional, one without a right, and a namespace that is not there', async () => {
  const rights = {
    jobs: ['create', 'list', 'patch', 'delete'],
    pods: ['list'],
    'pods/portforward': ['get', 'create'],
    secrets: ['create'],
    events: ['list'],
  };
  const space = await namespaceForTest();
  await space.apply(...account('me', rights), ...account('less', { ...rights, jobs: ['list'], 'pods/portforward': ['get'] }));
  const folder = placeOf(space.name, '').folder;

  const me = await doctor(space, await kubeconfigOf(space, 'me', folder), 'pullSecrets: [registry]');
  const hidden = { state: 'unknown', said: 'not allowed to see' };
  expect(me.findings).toMatchObject({
    ...{ rights: { state: 'good' }, 'pod security': hidden, quota: hidden, 'limit range': hidden, nodes: hidden, network: hidden },
    'secret registry': hidden,
  });
  const less = await doctor(space, await kubeconfigOf(space, 'less', folder));
  expect(less.code).toBe(115);
  expect(less.findings.rights).toEqual({
    state: 'missing',
    said: 'not granted: create jobs, patch jobs, delete jobs, create pods/portforward',
    more: expect.stringContaining(`namespace ${space.name}`),
  });
  const nowhere = await doctor({ name: 'nowhere' }, kubeconfig());
  expect(nowhere.findings.namespace?.more).toContain('kubectl create namespace nowhere');
});
