import type { V1Pod } from '@kubernetes/client-node';
import { LoadctlError } from '../../core/errors.js';
import { podRefusalHint } from '../../kubernetes/failures.js';

/** What keeps a pod from starting. */
export interface PodProblem {
  readonly message: string;
  readonly hint: string;
  /** It does not go away by itself. */
  readonly isFinal: boolean;
}

const imageHint = 'Look at runners.kubernetes.image, at pullSecrets, and whether the nodes reach the registry.';

/** Reasons that a waiting container gives, and what would satisfy each; the kubelet tries some of them again. */
const waitingReasons: Readonly<Record<string, Pick<PodProblem, 'hint' | 'isFinal'>>> = {
  ErrImagePull: { hint: imageHint, isFinal: false },
  ImagePullBackOff: { hint: imageHint, isFinal: true },
  ErrImageNeverPull: { hint: imageHint, isFinal: true },
  InvalidImageName: { hint: 'Correct runners.kubernetes.image.', isFinal: true },
  CreateContainerConfigError: {
    hint: 'The image has to run as a numeric user other than root; patch.runner can name one (runAsUser).',
    isFinal: true,
  },
  CreateContainerError: { hint: 'The image needs loadctl on its PATH: `loadctl carry` is what its pods run.', isFinal: true },
  RunContainerError: { hint: 'The image needs loadctl on its PATH: `loadctl carry` is what its pods run.', isFinal: true },
};

/** What keeps this pod from starting; undefined where nothing does, or not yet. */
export function podProblem({ metadata, spec, status }: V1Pod): PodProblem | undefined {
  const name = metadata?.name ?? '?';
  const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled !== undefined)
    return {
      message: `Pod ${name} cannot be scheduled: ${unscheduled.message ?? unscheduled.reason ?? '?'}`,
      hint: 'Add nodes, or lower runners.count or runners.kubernetes.resources; a selector or a taint may also be in the way.',
      isFinal: false,
    };
  const state = status?.containerStatuses?.[0]?.state;
  const { reason = '', message = '' } = state?.waiting ?? {};
  const known = waitingReasons[reason];
  if (known !== undefined)
    return { message: `Pod ${name} does not start (${reason}, image ${spec?.containers[0]?.image}): ${message}`, ...known };
  const ended = howPodEnded({ metadata, spec, status } as V1Pod);
  if (ended === undefined) return undefined;
  const said = state?.terminated?.message;
  return {
    message: `Pod ${name} ended before it was heard of: ${ended}${said === undefined ? '' : ` (${said})`}.`,
    hint: 'The image needs loadctl on its PATH: `loadctl carry` is what its pods run.',
    isFinal: true,
  };
}

/** How a pod came to its end, in words that go into a sentence; undefined for one that has not. */
export function howPodEnded({ metadata, status }: V1Pod): string | undefined {
  const terminated = status?.containerStatuses?.[0]?.state?.terminated;
  if (terminated?.reason === 'OOMKilled') return 'out of memory: its pod was OOMKilled';
  const disrupted = status?.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (disrupted !== undefined) return `its pod was disrupted (${disrupted.reason ?? '?'}: ${disrupted.message ?? ''})`;
  if (status?.reason !== undefined) return `its pod was ended (${status.reason}: ${status.message ?? ''})`;
  if (metadata?.deletionTimestamp !== undefined) return 'its pod was deleted';
  if (terminated !== undefined) return `its pod ended with exit code ${terminated.exitCode}`;
  return undefined;
}

/** Why a Job has no pods, by its events; undefined where they tell nothing. */
export function refusalOfPods(messages: readonly string[], namespace: string): LoadctlError | undefined {
  const said = messages.at(-1);
  if (said === undefined) return undefined;
  return new LoadctlError('unavailable', `Kubernetes makes no pods in namespace \`${namespace}\`: ${said}`, {
    hint: podRefusalHint(said, namespace) ?? 'Look at what it says (kubectl describe job).',
  });
}
