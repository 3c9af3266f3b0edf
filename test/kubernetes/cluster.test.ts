import { describe, expect, test } from 'vitest';
import { hasCluster, inNode, kubectl, pidIn, readyNodes, untilReady } from '../cluster/cluster.js';
import { eventually } from '../cluster/eventually.js';
import { cutOff, cutPower, freeze, killApiServer } from '../cluster/faults.js';
import { loadctlImage } from '../cluster/images.js';
import { type Namespace, namespaceForTest } from '../cluster/namespace.js';

const uid = 12345;

/** A Job of as many pods as there are nodes, one on each, as Pod Security `restricted` wants them. */
function job(name: string, command: string) {
  const container = {
    name: 'runner',
    image: loadctlImage,
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', command],
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  const labelSelector = { matchLabels: { 'batch.kubernetes.io/job-name': name } };
  const spec = {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: uid, seccompProfile: { type: 'RuntimeDefault' } },
    tolerations: ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 600,
    })),
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector }],
    volumes: [{ name: 'tmp', emptyDir: {} }],
    containers: [container],
  };
  const counts = { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 0 };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { ...counts, template: { spec } } };
}

/** What a path of jsonpath says of every pod of the namespace, in order. */
async function ofPods({ kubectl }: Namespace, path: string): Promise<string[]> {
  const said = await kubectl(['get', 'pods', `--output=jsonpath={range .items[*]}{${path}}{"\\n"}{end}`]);
  return said.split('\n').filter(Boolean).sort();
}

const beats = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done';

/** Starts a Job that counts, one pod on each node, and waits until all three run. */
async function startCounting(space: Namespace): Promise<void> {
  await space.apply(job('counting', beats));
  await eventually(
    60,
    'three pods run',
    async () => (await ofPods(space, '.status.phase')).join() === 'Running,Running,Running' || undefined,
  );
}

/** The last number that the pod on a node has counted, read in the node: the API server may be away. */
async function counted(node: 1 | 2 | 3, { name }: Namespace): Promise<number> {
  const log = await inNode(node, ['sh', '-c', `tail -qn 1 /var/log/pods/${name}_*/runner/0.log`]);
  return Number(log.split(' ').at(-1));
}

async function expectCountingOn(node: 1 | 2 | 3, space: Namespace): Promise<void> {
  const before = await counted(node, space);
  await eventually(10, `the pod on node ${node} counts on`, async () => (await counted(node, space)) > before || undefined);
}

describe.skipIf(!hasCluster)('the test cluster', () => {
  test('has three nodes of the pinned version, reached from the host over loopback', async () => {
    expect(await readyNodes()).toEqual(['n1', 'n2', 'n3']);
    const seen = await kubectl(['get', 'nodes', '--output=jsonpath={.items[*].status.nodeInfo.kubeletVersion}']);
    expect(seen).toBe('v1.37.2 v1.37.2 v1.37.2');
    expect(await kubectl(['config', 'view', '--output=jsonpath={.clusters[0].cluster.server}'])).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });

  test('runs k6 and loadctl in three pods under "restricted", and its namespace is as it was afterwards', async () => {
    const space = await namespaceForTest('restricted');
    await space.apply(job('look', 'k6 version && loadctl --version && id -u && ! touch /here 2>/dev/null'));
    await space.kubectl(['wait', '--for=condition=complete', 'job/look', '--timeout=60s'], { timeout: 70_000 });
    expect(await ofPods(space, '.spec.nodeName')).toEqual(['n1', 'n2', 'n3']);
    for (const pod of await ofPods(space, '.metadata.name')) {
      const said = (await space.kubectl(['logs', pod])).split('\n');
      expect(said).toEqual([expect.stringMatching(/^k6 v2\.\d/), expect.stringMatching(/^\d+\.\d+\.\d+/), String(uid)]);
    }
    await space.kubectl(['delete', 'job', 'look', '--cascade=background']);
    await space.expectAsBefore();
  });

  test('refuses a pod that may be root under "restricted", and names why', async () => {
    const space = await namespaceForTest('restricted');
    const asRoot = ['run', 'root', `--image=${loadctlImage}`];
    await expect(space.kubectl(asRoot)).rejects.toThrow(/violates PodSecurity "restricted/);
    await space.expectAsBefore();
  });

  test('refuses blockOwnerDeletion to whom the owner is not theirs to change', async () => {
    const space = await namespaceForTest();
    await space.kubectl(['create', 'serviceaccount', 'maker']);
    await space.kubectl(['create', 'role', 'maker', '--verb=create,get', '--resource=configmaps']);
    await space.kubectl(['create', 'rolebinding', 'maker', '--role=maker', `--serviceaccount=${space.name}:maker`]);
    await space.kubectl(['create', 'configmap', 'owner']);
    const uid = await space.kubectl(['get', 'configmap', 'owner', '--output=jsonpath={.metadata.uid}']);
    const owned = (name: string, blockOwnerDeletion: boolean) => {
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion };
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ownerReferences: [owner] } });
      return space.kubectl(['create', `--as=system:serviceaccount:${space.name}:maker`, '--filename=-'], { input });
    };
    await owned('free', false);
    await expect(owned('blocking', true)).rejects.toThrow(/blockOwnerDeletion/);
  });

  test('carries pods to each other and to a Service across nodes', async () => {
    const space = await namespaceForTest();
    await space.apply(job('serving', 'while :; do echo hello | nc -l -p 8080; done'));
    await space.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'hello' },
      spec: { selector: { 'batch.kubernetes.io/job-name': 'serving' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await eventually(60, 'three pods run', async () => (await ofPods(space, '.status.podIP')).length === 3 || undefined);
    const [first] = await ofPods(space, '.metadata.name');
    const addresses = [
      ...(await ofPods(space, '.status.podIP')).map((ip) => `${ip} 8080`),
      `${await space.kubectl(['get', 'service', 'hello', '--output=jsonpath={.spec.clusterIP}'])} 80`,
    ];
    for (const address of addresses) {
      const greeting = () => space.kubectl(['exec', `${first}`, '--', 'sh', '-c', `nc -w 2 ${address} </dev/null`]).catch(() => '');
      await eventually(30, `an answer of ${address}`, async () => (await greeting()) === 'hello' || undefined);
    }
  });
});

describe.skipIf(!hasCluster)('a fault of the test cluster', () => {
  test('the API server is killed: pods run on, and it comes back with all it knew', async () => {
    const space = await namespaceForTest();
    await startCounting(space);
    const undo = await killApiServer();
    await expect(kubectl(['get', '--raw', '/readyz'])).rejects.toThrow();
    await expectCountingOn(2, space);
    await undo();
    expect(await ofPods(space, '.status.phase')).toEqual(['Running', 'Running', 'Running']);
  });

  test('a frozen API server takes connections and does not answer', async () => {
    const undo = await freeze(1, 'apiserver');
    await expect(kubectl(['get', '--raw', '/readyz', '--request-timeout=1s'])).rejects.toThrow(/timeout|deadline/i);
    await undo();
    expect(await kubectl(['get', '--raw', '/readyz'])).toBe('ok');
  });

  test('a kubelet is frozen: its node is NotReady, its pod runs on', async () => {
    const space = await namespaceForTest();
    await startCounting(space);
    const undo = await freeze(3, 'kubelet');
    await eventually(40, 'node 3 is not Ready', async () => ((await readyNodes()).includes('n3') ? undefined : true));
    await expectCountingOn(3, space);
    await undo();
    expect(await ofPods(space, '.status.phase')).toEqual(['Running', 'Running', 'Running']);
  });

  test('a node is cut off: it is NotReady, its pod runs on', async () => {
    const space = await namespaceForTest();
    await startCounting(space);
    const undo = await cutOff(2);
    await eventually(40, 'node 2 is not Ready', async () => ((await readyNodes()).includes('n2') ? undefined : true));
    await expectCountingOn(2, space);
    await undo();
    expect(await readyNodes()).toEqual(['n1', 'n2', 'n3']);
  });

  test("a node's power is cut: all in it is gone, and it comes back with its disk", async () => {
    const space = await namespaceForTest();
    await startCounting(space);
    const undo = await cutPower(3);
    await eventually(40, 'node 3 is not Ready', async () => ((await readyNodes()).includes('n3') ? undefined : true));
    await undo();
    expect(pidIn(3, 'kubelet')).toBeGreaterThan(1);
    await untilReady([1, 2, 3]);
    await space.apply(job('again', 'true'));
    await space.kubectl(['wait', '--for=condition=complete', 'job/again', '--timeout=60s'], { timeout: 70_000 });
    await space.kubectl(['delete', 'jobs', '--all', '--cascade=background']);
    await space.expectAsBefore();
  });
});
