import { describe, expect, test } from 'vitest';
import { hasCluster, kubeconfig } from '../cluster/cluster.js';
import { loadctlImage } from '../cluster/images.js';
import { type Level, type Namespace, namespaceForTest } from '../cluster/namespace.js';
import { firstNode, targetForPods } from '../cluster/target.js';
import { giveVariant, nameImage } from '../cluster/variant.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { account, kubeconfigOf, type Rights } from './support/user.js';

const script = `import http from 'k6/http';
export const options = { vus: 3, iterations: 3 };
export default () => { http.get(__ENV.BASE_URL); };
`;

/** What docs/conductor.md and docs/kubernetes.md say that is needed. */
const rights = {
  here: {
    jobs: ['create', 'get', 'list', 'delete'],
    pods: ['get', 'list'],
    'pods/portforward': ['create'],
    secrets: ['create'],
    events: ['list'],
  },
  conductor: { jobs: ['create', 'get', 'list', 'delete'], pods: ['get', 'list'], events: ['list'], secrets: ['create', 'get', 'delete'] },
} satisfies Record<string, Rights>;

const busy = `import http from 'k6/http';
export const options = { vus: 1, duration: '4s' };
export default () => {
  http.get(__ENV.BASE_URL);
  for (const end = Date.now() + 200; Date.now() < end; );
};
`;

interface Given {
  readonly level?: Level;
  /** What is in the namespace before. */
  readonly objects?: readonly object[];
  /** Words of `runners.kubernetes`, of `runners`, and further lines of the profile. */
  readonly words?: string;
  readonly runners?: string;
  /** Where the target has to answer: the run gets as far as its runners. */
  readonly target?: string;
  readonly image?: string;
  /** The test's own where it is not given. */
  readonly namespace?: string;
}

/** Nobody looks at a target before there is a conductor. */
const nowhere = `http://${firstNode}:9`;

interface Place {
  readonly space: Namespace;
  readonly at: Workplace;
  /** Expects a run to end with these words, and the namespace to be as it was. */
  refused(words: readonly string[], env?: Record<string, string>): Promise<void>;
}

async function placeOf({
  level,
  objects = [],
  words = '',
  runners = '',
  target = nowhere,
  image = loadctlImage,
  namespace,
}: Given): Promise<Place> {
  const space = await namespaceForTest(level);
  if (objects.length > 0) await space.apply(...objects);
  const profile = `target: {url: "${target}"}
workload: {script: ../script.js}
runners:
  backend: kubernetes
  ${runners}
  kubernetes:
    context: test
    namespace: ${namespace ?? space.name}
    image: "${image}"
    ${words}
guards: {allow: [127.0.0.1, ${firstNode}], confirm: false}
`;
  const at = workplace({ 'profiles/dev.yaml': profile, 'script.js': script });
  const before = await space.objects();
  return {
    space,
    at,
    refused: async (expected, env = {}) => {
      const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: kubeconfig(), ...env });
      expect(said.code, said.stderr).toBe(115);
      for (const word of expected) expect(said.stderr.replace(/\s+/g, ' ')).toContain(word);
      expect(said.stderr.match(/^error:/gm), said.stderr).toHaveLength(1);
      await endConductors(space);
      // A pod that is asked to end while its container starts may not hear it, and stays for its grace of 60 s.
      await expect.poll(() => space.objects(), { timeout: 120_000, interval: 200 }).toEqual(before);
    },
  };
}

/** One whose directory was collected stays for half a minute, for who may still copy: its first process is told that nobody does. Its Job goes a minute later. */
async function endConductors(space: Namespace): Promise<void> {
  const said = await space.kubectl(['get', 'jobs', '--selector=loadctl/role=conductor', '--output=name']);
  const jobs = said.split('\n').filter(Boolean);
  for (const job of jobs) await space.kubectl(['exec', job, '--', 'kill', '1']).catch(() => undefined);
  if (jobs.length > 0) await space.kubectl(['wait', '--for=delete', ...jobs, '--timeout=120s'], { timeout: 130_000 });
}

const conductor = account('loadctl-conductor', rights.conductor);
const asConductor = 'serviceAccount: loadctl-conductor';
const limits = (limit: object) => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'limits' },
  spec: { limits: [{ type: 'Container', ...limit }] },
});
const quota = (hard: object) => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard } });

describe.skipIf(!hasCluster)('a conductor that cannot be had', () => {
  test('in a namespace that is not there', async () => {
    const { refused } = await placeOf({ namespace: 'nowhere' });
    await refused(['namespaces "nowhere" not found', 'kubectl create namespace nowhere', 'runners.kubernetes.namespace']);
  });

  test('from an image that nobody has; with a Secret to pull it that is not there', async () => {
    const image = '127.0.0.1:1/loadctl:none';
    const without = await placeOf({ image });
    await without.refused([image, 'Set runners.kubernetes.image to an image that there is']);
    const withSecret = await placeOf({ image, words: 'pullSecrets: [registry]' });
    await withSecret.refused(['there is no Secret `registry`', 'kubectl create secret docker-registry registry']);
  });

  test('from an image without loadctl, or without k6', async () => {
    const other = await placeOf({ image: 'localhost/pause:1', words: 'patch: {conductor: {securityContext: {runAsUser: 12345}}}' });
    await other.refused(['Use an image of loadctl']);
    const image = 'localhost/loadctl:without-k6';
    await giveVariant(image, [1, 2, 3], { without: 'usr/local/bin/k6' });
    const { refused } = await placeOf({ image });
    await refused(['The image (runners.kubernetes.image) has no k6.']);
  });

  test('without its service account, or its Secret of variables', async () => {
    const { refused } = await placeOf({ words: 'serviceAccount: nobody' });
    await refused(['serviceaccount "nobody" not found', 'kubectl create serviceaccount']);
    const secret = await placeOf({ words: 'variables: {secret: shop}' });
    await secret.refused(['there is no Secret `shop`', 'kubectl create secret generic shop', 'runners.kubernetes.variables.secret']);
  });

  test.each([
    ['create jobs', { jobs: ['get', 'list', 'delete'] }],
    ['list pods', { pods: ['get'] }],
    ['create secrets', { secrets: ['get'] }],
    ['create pods/portforward', { 'pods/portforward': ['get'] }],
  ])('without the right `%s`', async (right, fewer) => {
    const { space, at, refused } = await placeOf({ objects: account('me', { ...rights.here, ...fewer }) });
    const KUBECONFIG = await kubeconfigOf(space, 'me', at.folder);
    await refused([`Grant the right \`${right}\` in namespace ${space.name}`], { KUBECONFIG });
  });

  test('under a quota', async () => {
    const small = await placeOf({ objects: [quota({ 'requests.memory': '256Mi' })] });
    await small.refused(['exceeded quota: quota', `kubectl describe quota -n ${small.space.name}`]);
    const stated = await placeOf({ objects: [quota({ 'limits.cpu': '4' })] });
    await stated.refused(['failed quota: quota', 'add a LimitRange with defaults']);
  });

  test('under a LimitRange, or a level of Pod Security, that refuses it', async () => {
    const limited = await placeOf({ objects: [limits({ max: { memory: '256Mi' } })] });
    await limited.refused(['maximum memory usage per Container is 256Mi', `kubectl describe limits -n ${limited.space.name}`]);
    const level = await placeOf({ words: 'patch: {conductor: {hostNetwork: true}}' });
    await level.refused(['violates PodSecurity "restricted', 'remove from runners.kubernetes.patch']);
  });

  test('where no node takes it', async () => {
    const { refused } = await placeOf({ words: 'nodeSelector: {pool: load}', runners: 'readyTimeout: 2s' });
    await refused(['No node takes the conductor’s pod', "didn't match Pod's node affinity/selector", 'runners.kubernetes.nodeSelector']);
  });
});

/** Side by side: a conductor's Job is there for a minute after its directory was collected. */
test.skipIf(!hasCluster)(
  'runners that cannot be had are one error, too',
  async () => {
    const { url: target } = await targetForPods();
    const given = { objects: conductor, words: asConductor, target };
    const withoutRight = account('loadctl-conductor', { ...rights.conductor, jobs: ['get', 'list', 'delete'] });
    const image = 'localhost/loadctl:moved';
    await nameImage(image, [1, 2]);
    await giveVariant(image, [3]);
    const [right, few, level, room, moved] = [
      await placeOf({ ...given, objects: withoutRight }),
      await placeOf({ ...given, objects: [...conductor, quota({ pods: '2' })], runners: 'count: 3' }),
      await placeOf({ ...given, words: `${asConductor}\n    patch: {runner: {hostPID: true}}` }),
      await placeOf({ ...given, words: `${asConductor}\n    resources: {cpu: 64}`, runners: 'readyTimeout: 45s' }),
      await placeOf({ ...given, image, runners: 'count: 3' }),
    ];
    await Promise.all([
      right.refused([`Grant the right \`create jobs\` in namespace ${right.space.name}`]),
      few.refused(['exceeded quota: quota', 'runners.count']),
      level.refused(['violates PodSecurity "restricted', 'remove from runners.kubernetes.patch']),
      room.refused(['cannot be scheduled', 'Insufficient cpu', 'runners.kubernetes.resources']),
      moved.refused(['The runners have different images', 'Name the image by its digest']),
    ]);
  },
  400_000,
);

test.skipIf(!hasCluster)('a LimitRange that limits their CPUs: the result is invalid, and says so', async () => {
  const { url } = await targetForPods();
  const objects = [...conductor, limits({ default: { cpu: '300m' }, defaultRequest: { cpu: '100m' } })];
  const words = `${asConductor}\n    conductor: {cpu: 0.1}\n    resources: {cpu: 0.1}`;
  const { at, space } = await placeOf({ objects, words, target: url });
  at.file('script.js', busy);
  const before = await space.objects();

  const said = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: kubeconfig() });

  expect(said.code, said.stderr).toBe(111);
  expect((said.stdout + said.stderr).replace(/\s+/g, ' ')).toMatch(
    /Runner 1 was throttled by the CPU limit of its container for [\d.]+ s of/,
  );
  const { images } = JSON.parse(at.read(`${at.latestRun().slice(at.folder.length + 1)}/run.json`));
  expect(images).toEqual([expect.stringMatching(/sha256:[0-9a-f]{64}$/)]);
  await endConductors(space);
  await expect.poll(() => space.objects(), { timeout: 120_000, interval: 200 }).toEqual(before);
});
