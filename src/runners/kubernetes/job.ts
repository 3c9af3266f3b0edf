import type { V1Job, V1OwnerReference, V1PodSpec, V1Secret } from '@kubernetes/client-node';
import type { Milliseconds } from '../../core/quantities.js';
import { noMesh, outlasting, patched, resourcesOf, restrictedContainer, staysWhereItIs } from '../../kubernetes/pod-spec.js';
import type { PodRequest } from '../../plan/pods.js';
import type { Profile } from '../../profile/sections/schema.js';
import { carrierVariables } from './carrier/dial.js';

/** The words of a profile about pods. */
export type PodWords = NonNullable<Profile['runners']['kubernetes']>;

/** What a fleet's objects are made of. */
export interface JobPlan {
  /** The name of the Job and of its Secret; pods are found by it. */
  readonly name: string;
  readonly count: number;
  readonly words: PodWords;
  /** What they go with: the conductor's Job, or its pod. */
  readonly owner: V1OwnerReference;
  /** host:port at which the conductor is dialled. */
  readonly conductor: string;
  /** What a pod asks for where the words do not say. */
  readonly requests: PodRequest;
  readonly deadlineMs: Milliseconds;
}

/** What the pods of a fleet are found by. */
export const fleetLabel = 'loadctl/fleet';
const container = 'k6';
const keyFolder = '/var/run/loadctl';
const keyName = 'key';
/** k6 has this long to write its numbers once its pod is asked to end. */
const graceSeconds = 60;
const mebi = 1_048_576;

/**
 * The kernel keeps signals from the first process of a pod until it listens to them, and Node takes a moment until it does: a pod
 * that was to end in that moment stayed for its whole grace. A shell listens much sooner, hands on that it is to end, and
 * ends with the carrier's status.
 */
export const carrierCommand: readonly string[] = [
  'sh',
  '-c',
  "trap 'exit 143' TERM; loadctl carry & c=$!; trap 't=1; kill -TERM $c 2>/dev/null' TERM; t=1; " +
    // A wait that a signal cut short says nothing; one for a carrier whose end is known already is 127.
    'while [ -n "$t" ]; do t=; wait $c; r=$?; [ $r = 127 ] || s=$r; done; exit ${s:-$r}',
];

/** The Secret that holds the key of a run; it goes with its owner. */
export function keySecret({ name, owner }: Pick<JobPlan, 'name' | 'owner'>, key: Buffer): V1Secret {
  return {
    metadata: { name, labels: labelsOf(name), ownerReferences: [owner] },
    immutable: true,
    stringData: { [keyName]: key.toString('hex') },
  };
}

/** The Indexed Job of a fleet's pods: each index is tried once, and one that fails takes none of the others along. */
export function runnersJob(plan: JobPlan): V1Job {
  const { name, count, words, owner, deadlineMs } = plan;
  return {
    metadata: { name, labels: { ...words.labels, ...labelsOf(name) }, ownerReferences: [owner] },
    spec: {
      completionMode: 'Indexed',
      completions: count,
      parallelism: count,
      backoffLimitPerIndex: 0,
      maxFailedIndexes: count,
      activeDeadlineSeconds: Math.ceil(deadlineMs / 1000),
      template: {
        metadata: {
          labels: { ...noMesh.labels, ...words.labels, ...labelsOf(name) },
          annotations: { ...staysWhereItIs, ...noMesh.annotations, ...words.annotations },
        },
        spec: patched(podSpec(plan), words.patch.runner),
      },
    },
  };
}

const labelsOf = (name: string) => ({ 'app.kubernetes.io/name': 'loadctl', 'app.kubernetes.io/component': 'runner', [fleetLabel]: name });

function podSpec({ name, words, requests, conductor }: JobPlan): V1PodSpec {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    ...(words.pullSecrets.length === 0 ? {} : { imagePullSecrets: words.pullSecrets.map((secret) => ({ name: secret })) }),
    ...(Object.keys(words.nodeSelector).length === 0 ? {} : { nodeSelector: words.nodeSelector }),
    tolerations: [...outlasting, ...words.tolerations],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: words.spread,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { [fleetLabel]: name } },
      },
    ],
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: container,
        image: words.image,
        command: [...carrierCommand],
        env: [
          { name: carrierVariables.conductor, value: conductor },
          { name: carrierVariables.keyFile, value: `${keyFolder}/${keyName}` },
          { name: 'HOME', value: '/tmp' },
          { name: 'TMPDIR', value: '/tmp' },
        ],
        resources: resourcesOf({
          cpu: words.resources.cpu ?? requests.cpus,
          memory: words.resources.memory ?? `${requests.memoryBytes / mebi}Mi`,
        }),
        securityContext: restrictedContainer,
        volumeMounts: [
          { name: 'key', mountPath: keyFolder, readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'key', secret: { secretName: name } },
      { name: 'tmp', emptyDir: {} },
    ],
  };
}
