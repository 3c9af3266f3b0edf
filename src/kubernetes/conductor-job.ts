import type { V1Job, V1PodSpec, V1Toleration } from '@kubernetes/client-node';
import type { RunId } from '../core/ids.js';
import type { Milliseconds } from '../core/quantities.js';
import { noMesh, outlasting, patched, resourcesOf, restrictedContainer, staysWhereItIs } from './pod-spec.js';

/** The port of a conductor's door on the loopback of its pod. */
export const doorPort = 7440;

/** What loadctl's objects are found by. */
export const labels = {
  part: 'app.kubernetes.io/part-of',
  role: 'loadctl/role',
  run: 'loadctl/run',
  environment: 'loadctl/environment',
  command: 'loadctl/command',
  /** The name of the lock that its run needs. */
  lock: 'loadctl/lock',
} as const;

/** What people are told of a run by its conductor's Job. */
export const annotations = { by: 'loadctl/by', target: 'loadctl/target' } as const;

/** A conductor's Job, as far as it differs from run to run. */
export interface ConductorJob {
  readonly run: RunId;
  readonly environment: string;
  /** What it carries out: `test`. */
  readonly command: string;
  /** user@host. */
  readonly by: string;
  /** The host that is loaded. */
  readonly target: string;
  /** The name of the Secret that keeps a second load of the same kind out; missing where it makes none. */
  readonly lock?: string;
  readonly tokenSha256: string;
  readonly image: string;
  readonly pullSecrets: readonly string[];
  readonly serviceAccount?: string;
  /** The Secret whose keys are variables. */
  readonly variables?: string;
  readonly resources: { readonly cpu: number; readonly memory: string };
  /** What its Node is told (`NODE_OPTIONS`). */
  readonly nodeOptions?: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly V1Toleration[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** A JSON merge patch on its pod spec. */
  readonly patch: Readonly<Record<string, unknown>>;
}

/** How long a conductor gets to end the load, tear down and write when it is asked to end. */
const graceSeconds = 600;
/** A Job that is over is taken away so soon: what came of it was collected, or nothing was handed in. */
const ttlSeconds = 10;
/**
 * A Job whose loadctl dies before the hand-in ends so long after, also where its pod never starts: it has this much time from
 * the beginning, and more only while its loadctl asks for it ({@link extendJob}).
 */
export const unattendedMs: Milliseconds = 90_000;
const mounted = '/var/run/loadctl/variables';
/** nonroot, as images without a user of their own have it. */
const uid = 65_532;

/** The name of a conductor's Job. */
export function conductorName(run: RunId): string {
  return `loadctl-${run}`;
}

/** The Job of a conductor: one pod, restricted, that is neither started again nor moved. */
export function conductorJob(job: ConductorJob): V1Job {
  const found = {
    ...job.labels,
    [labels.part]: 'loadctl',
    [labels.role]: 'conductor',
    [labels.run]: job.run,
    [labels.environment]: job.environment,
    [labels.command]: job.command,
    ...(job.lock === undefined ? {} : { [labels.lock]: job.lock }),
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: conductorName(job.run),
      labels: found,
      annotations: { ...job.annotations, [annotations.by]: job.by, [annotations.target]: job.target },
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: unattendedMs / 1000,
      ttlSecondsAfterFinished: ttlSeconds,
      template: {
        metadata: {
          labels: { ...noMesh.labels, ...found },
          annotations: { ...staysWhereItIs, ...noMesh.annotations, ...job.annotations },
        },
        spec: patched(podSpec(job), job.patch),
      },
    },
  };
}

function podSpec(job: ConductorJob): V1PodSpec {
  const { variables, nodeOptions } = job;
  return {
    restartPolicy: 'Never',
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    ...(job.serviceAccount === undefined ? {} : { serviceAccountName: job.serviceAccount }),
    imagePullSecrets: job.pullSecrets.map((name) => ({ name })),
    nodeSelector: { ...job.nodeSelector },
    tolerations: [...outlasting, ...job.tolerations],
    securityContext: { runAsNonRoot: true, runAsUser: uid, runAsGroup: uid, fsGroup: uid, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [
      { name: 'work', emptyDir: {} },
      ...(variables === undefined ? [] : [{ name: 'variables', secret: { secretName: variables, defaultMode: 0o440 } }]),
    ],
    containers: [
      {
        name: 'conductor',
        image: job.image,
        command: ['loadctl', 'conduct', '--port', String(doorPort), ...(variables === undefined ? [] : ['--variables', mounted])],
        workingDir: '/work',
        env: [
          { name: 'LOADCTL_HAND_IN', value: job.tokenSha256 },
          { name: 'LOADCTL_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
          { name: 'HOME', value: '/work' },
          { name: 'TMPDIR', value: '/work/tmp' },
          ...(nodeOptions === undefined ? [] : [{ name: 'NODE_OPTIONS', value: nodeOptions }]),
        ],
        resources: resourcesOf(job.resources),
        securityContext: restrictedContainer,
        volumeMounts: [
          { name: 'work', mountPath: '/work' },
          { name: 'work', mountPath: '/work/tmp', subPath: 'tmp' },
          { name: 'work', mountPath: '/tmp', subPath: 'tmp' },
          ...(variables === undefined ? [] : [{ name: 'variables', mountPath: mounted, readOnly: true }]),
        ],
      },
    ],
  };
}
