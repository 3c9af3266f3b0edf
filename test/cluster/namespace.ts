import { randomBytes } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { kubectl } from './cluster.js';
import { eventually } from './eventually.js';

/** How much Pod Security lets a pod do. */
export type Level = 'restricted' | 'baseline' | 'privileged';

/** A namespace of a test's own. */
export interface Namespace {
  readonly name: string;
  /** All that can be read of its objects, Events among them, as JSON. */
  contents(): Promise<string>;
  kubectl(args: readonly string[], options?: Parameters<typeof kubectl>[1]): Promise<string>;
  /** Applies manifests: objects, as they would be in YAML. */
  apply(...objects: readonly object[]): Promise<void>;
  /** All objects of all kinds but Events, as `kind/name`, in order. */
  objects(): Promise<string[]>;
  /** Waits until its objects are those it had when it was handed over; after 30 s it fails with the difference. */
  expectAsBefore(): Promise<void>;
}

/** Makes a namespace, which is gone when the test is over. */
export function namespaceForTest(level: Level = 'restricted'): Promise<Namespace> {
  return makeNamespace(level, [], onTestFinished);
}

/** Makes a namespace with these objects; `defer` takes what removes it. */
export async function makeNamespace(
  level: Level,
  given: readonly object[],
  defer: (remove: () => Promise<void>) => void,
): Promise<Namespace> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': level };
  await kubectl(['create', '--filename=-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }) });
  defer(async () => void (await kubectl(['delete', 'namespace', name, '--wait=false'])));
  const within: typeof kubectl = (args, options) => kubectl(['--namespace', name, ...args], options);
  const apply: Namespace['apply'] = async (...objects) =>
    void (await within(['apply', '--filename=-'], { input: objects.map((one) => JSON.stringify(one)).join('\n---\n') }));
  if (given.length > 0) await apply(...given);
  const before = await eventually(30, `controllers have filled the namespace ${name}`, async () => {
    const objects = await objectsOf(name);
    return ['configmap/kube-root-ca.crt', 'serviceaccount/default'].every((one) => objects.includes(one)) ? objects : undefined;
  });
  return {
    name,
    kubectl: within,
    apply,
    contents: async () => within(['get', `events,${await allKinds()}`, '--ignore-not-found', '--output=json']),
    objects: () => objectsOf(name),
    expectAsBefore: async () => {
      const isAsBefore = async () => (await objectsOf(name).catch(() => [])).join() === before.join() || undefined;
      await eventually(30, `${name} is as it was`, isAsBefore).catch(async () => expect(await objectsOf(name)).toEqual(before));
    },
  };
}

let kinds: Promise<string> | undefined;
function allKinds(): Promise<string> {
  kinds ??= listedKinds();
  return kinds;
}

async function objectsOf(namespace: string): Promise<string[]> {
  const said = await kubectl(['--namespace', namespace, 'get', await allKinds(), '--ignore-not-found', '--output=name']);
  return said.split('\n').filter(Boolean).sort();
}

/** Asked of the API server, so that none is forgotten. */
async function listedKinds(): Promise<string> {
  const said = await kubectl(['api-resources', '--namespaced', '--verbs=list', '--output=name']);
  return said
    .split('\n')
    .filter((kind) => kind !== '' && !/^events(\.|$)/.test(kind))
    .join(',');
}
