import type { V1PodSpec, V1ResourceRequirements, V1SecurityContext } from '@kubernetes/client-node';

/** What the Pod Security level `restricted` wants of a container, and a root file system that nobody writes to. */
export const restrictedContainer: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** No autoscaler moves a pod in the middle of a test. */
export const staysWhereItIs = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false', 'karpenter.sh/do-not-disrupt': 'true' };

/** A mesh's proxy beside k6 would be measured, too, and would keep the pod from ending. */
export const noMesh = {
  labels: { 'sidecar.istio.io/inject': 'false' },
  annotations: { 'linkerd.io/inject': 'disabled', 'sidecar.istio.io/inject': 'false' },
};

/** A node that goes silent for a while does not take a pod away: its link alone says whether it lives. */
export const outlasting = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
}));

/** What a pod asks its node for: a CPU limit would throttle it in the middle of a second; memory beyond the request is another's. */
export function resourcesOf({ cpu, memory }: { readonly cpu: number; readonly memory: string }): V1ResourceRequirements {
  return { requests: { cpu: String(cpu), memory }, limits: { memory } };
}

/** A pod spec with a JSON merge patch over it. */
export function patched(spec: V1PodSpec, patch: Readonly<Record<string, unknown>>): V1PodSpec {
  return merged(spec, patch) as V1PodSpec;
}

/** RFC 7386, section 2: null removes, lists are replaced. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
