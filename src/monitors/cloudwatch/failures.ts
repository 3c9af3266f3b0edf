import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import { placeOf, placeText } from '../../plan/hosts.js';
import { cloudwatchUrl } from '../../plan/monitors.js';
import type { MonitorOf } from '../kind/types.js';

interface Failure {
  /** The names of errors, as AWS and its SDK have them. */
  readonly names: RegExp;
  readonly what: string;
  readonly hint: string;
}

const failures: readonly Failure[] = [
  {
    names: /^(CredentialsProviderError|ProviderError|TokenProviderError)$/,
    what: 'no AWS credentials to ask it with',
    hint: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, so that `aws sts get-caller-identity` works.',
  },
  {
    names:
      /^(UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature|ExpiredToken|IncompleteSignature|MissingAuthenticationToken)/,
    what: 'it does not accept the AWS credentials',
    hint: 'Renew or correct them, so that `aws sts get-caller-identity` works.',
  },
  {
    names: /^AccessDenied|^NotAuthorized/,
    what: 'the AWS identity may not ask it',
    hint: 'Allow it in IAM: cloudwatch:GetMetricData.',
  },
  {
    names: /^(Throttling|RequestLimitExceeded|TooManyRequests|LimitExceeded)/,
    what: 'too many questions in this account',
    hint: 'Ask less often (`every: 2m`), or have the quota of GetMetricData raised.',
  },
  {
    names: /^(TimeoutError|AbortError)$/,
    what: 'no answer in time',
    hint: 'Correct the region, or look whether a firewall or proxy keeps this machine out.',
  },
];

/** Translates what the SDK throws, by its name; a code is the system's own (ENOTFOUND). */
export function cloudFailure(error: unknown, monitor: MonitorOf<'cloudwatch'>): LoadctlError {
  if (error instanceof LoadctlError) return error;
  const place = placeText(placeOf(cloudwatchUrl(monitor)));
  const name = error instanceof Error ? error.name : '';
  const known = failures.find(({ names }) => names.test(name));
  const said = known === undefined || known.what === 'no answer in time' ? [] : [errorMessage(error)];
  const what = known?.what ?? errorCode(error) ?? errorMessage(error);
  return new LoadctlError('unavailable', `CloudWatch at ${place}: ${[what, ...said].join(': ')}`, {
    hint: known?.hint ?? 'Correct the region or the URL of the monitor, or fix the network.',
    cause: error,
  });
}

/** The error for a name of which CloudWatch knows nothing. */
export function noPoints(monitor: MonitorOf<'cloudwatch'>, name: string): LoadctlError {
  const word = monitor.instance === undefined ? 'cluster' : 'instance';
  const more = word === 'cluster' ? ' A node of a replication group is called NAME-001 or NAME-0001-001.' : '';
  return new LoadctlError('unavailable', `CloudWatch has no point of ${word} ${name} in ${monitor.region} in the last 15 minutes`, {
    hint: `Correct ${word} or region of the monitor, or wait until it has run for 5 minutes.${more}`,
  });
}
