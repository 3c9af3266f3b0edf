import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';

/** A call that failed: what it was for, and where it went. */
export interface FailedCall {
  readonly doing: string;
  readonly namespace: string;
  readonly server: string;
}

/** What an API server answered in place of what was asked for (its `Status`). */
interface Refused {
  readonly code: number;
  readonly message: string;
}

/** The HTTP status that the API server refused a call with, by the error of that call; undefined where it did not answer. */
export function refusedWith(error: unknown): number | undefined {
  return error instanceof LoadctlError ? refusalIn(error.cause)?.code : undefined;
}

/** Why a call failed, and what would satisfy it. */
export function failureOf(error: unknown, call: FailedCall): LoadctlError {
  const refused = refusalIn(error);
  if (refused === undefined) return outOfReach(error, call);
  const known = refusals.find(({ code, pattern }) => code === refused.code && pattern.test(refused.message));
  return new LoadctlError('unavailable', `Kubernetes refused to ${call.doing} in namespace \`${call.namespace}\`: ${refused.message}`, {
    hint: known?.hint(refused.message, call) ?? `The API server answered ${refused.code}: look at what it says.`,
    cause: error,
  });
}

/** What pods and Jobs are refused with, in the API server's own words, and what would satisfy each. */
export function podRefusalHint(message: string, namespace: string): string | undefined {
  return refusals.find(({ code, pattern }) => code === 403 && pattern.test(message))?.hint(message, { namespace });
}

/** A verb on a kind of object in a namespace. */
export interface Right {
  readonly verb: string;
  /** With its subresource: `pods/portforward`. */
  readonly resource: string;
}

/** What would satisfy missing rights. */
export function grantHint(rights: readonly Right[], { namespace }: Pick<FailedCall, 'namespace'>): string {
  const named = rights.map(({ verb, resource }) => `\`${verb} ${resource}\``).join(' and ');
  const what = rights.length === 1 ? 'right' : 'rights';
  return `Grant the ${what} ${named} in namespace ${namespace} (a Role, and a RoleBinding to that user or service account).`;
}

interface Refusal {
  readonly code: number;
  readonly pattern: RegExp;
  readonly hint: (message: string, call: Pick<FailedCall, 'namespace'>) => string;
}

const refusals: readonly Refusal[] = [
  {
    code: 403,
    pattern: /exceeded quota/,
    hint: (_, { namespace }) =>
      `Raise the quota (kubectl describe quota -n ${namespace}), or lower runners.count or runners.kubernetes.resources.`,
  },
  {
    code: 403,
    pattern: /failed quota/,
    hint: () => 'The quota requires limits that loadctl does not set: add a LimitRange with defaults (a limit on CPU throttles runners).',
  },
  {
    code: 403,
    pattern: /violates PodSecurity/,
    hint: () =>
      'loadctl’s own pods are restricted: remove from runners.kubernetes.patch what this names, or lower the level of the namespace.',
  },
  {
    code: 403,
    pattern: /(?:maximum|minimum) (?:cpu|memory) usage per|limit to request ratio/,
    hint: (_, { namespace }) => `Fit runners.kubernetes.resources into the LimitRange (kubectl describe limits -n ${namespace}).`,
  },
  {
    code: 403,
    pattern: /must be less than or equal to (?:cpu|memory) limit/,
    hint: (_, { namespace }) =>
      `A LimitRange sets a default limit below what is asked for (kubectl describe limits -n ${namespace}): raise it, or lower runners.kubernetes.resources or conductor.`,
  },
  {
    code: 403,
    pattern: /service account|serviceaccount .* not found/i,
    hint: (_, { namespace }) =>
      `Create that service account (kubectl create serviceaccount … -n ${namespace}), or change runners.kubernetes.serviceAccount.`,
  },
  { code: 403, pattern: /cannot (\w+) resource "([^"]+)"/, hint: missingRight },
  {
    code: 404,
    pattern: /namespaces? "/,
    hint: (_, { namespace }) => `Create it (kubectl create namespace ${namespace}), or change runners.kubernetes.namespace.`,
  },
  { code: 401, pattern: /(?:)/, hint: () => 'Log in to the cluster again. This has to work: kubectl get pods' },
  { code: 422, pattern: /(?:)/, hint: () => 'Remove from runners.kubernetes what this names.' },
];

function missingRight(message: string, call: Pick<FailedCall, 'namespace'>): string {
  const [, verb = '', resource = ''] = /cannot (\w+) resource "([^"]+)"/.exec(message) ?? [];
  return grantHint([{ verb, resource }], call);
}

/** Errors of node-fetch, and of the sockets below it. */
function outOfReach(error: unknown, { doing, server }: FailedCall): LoadctlError {
  const late = error instanceof Error && error.name === 'AbortError';
  const why = late ? 'no answer within 10 s' : (errorCode(error) ?? errorMessage(error));
  return new LoadctlError('unavailable', `The API server ${server} cannot be reached to ${doing} (${why}).`, {
    hint: 'Look at the network and at the cluster. This has to work: kubectl get pods',
    cause: error,
  });
}

/** The library throws an ApiException whose body is a `Status`, as an object or as text. */
function refusalIn(error: unknown): Refused | undefined {
  if (!isRecord(error) || typeof error.code !== 'number') return undefined;
  const status = statusIn(error.body);
  return { code: error.code, message: typeof status.message === 'string' ? status.message : String(error.code) };
}

function statusIn(body: unknown): Record<string, unknown> {
  if (isRecord(body)) return body;
  try {
    const parsed: unknown = JSON.parse(String(body));
    return isRecord(parsed) ? parsed : {};
  } catch {
    return typeof body === 'string' && body !== '' ? { message: body } : {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
