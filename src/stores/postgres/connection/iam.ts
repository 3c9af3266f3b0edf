import { unlessAborted } from '../../../core/abort.js';
import { errorMessage, LoadctlError } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import { within } from '../../../core/timer.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { type Place, sqlState } from './errors.js';

/** Who logs in to which region's RDS: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html */
export type Iam = NonNullable<PostgresStore['auth']>['iam'];

/** An instance that asks its metadata service answers within a second or two, a credential process of the user's may take longer. */
const credentialsMs: Milliseconds = 10_000;

/** The URL of one connection that is to be made now: its password is a token of its own, good for 15 minutes. */
export async function urlWithToken(url: string, iam: Iam, place: Place, clock: Pick<Clock, 'sleep'>): Promise<string> {
  const login = new URL(url);
  login.password = encodeURIComponent(await makeToken(iam, place, clock));
  return login.toString();
}

/** Signs with whatever AWS credentials the SDK finds, as every AWS tool does. Throws `unavailable` where there are none. */
async function makeToken({ region, user }: Iam, place: Place, clock: Pick<Clock, 'sleep'>): Promise<string> {
  const { Signer } = await import('@aws-sdk/rds-signer');
  const signer = new Signer({ hostname: place.host, port: place.port, username: user, region });
  try {
    // The search for credentials does not listen to a signal.
    const token = await within(clock, credentialsMs, (late) => unlessAborted(signer.getAuthToken(), late));
    if (token === undefined) throw new Error(`nothing answered within ${credentialsMs / 1000} s`);
    return token;
  } catch (cause) {
    throw new LoadctlError('unavailable', `${place.name}: no AWS credentials to make an IAM token with: ${errorMessage(cause)}`, {
      hint: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, so that `aws sts get-caller-identity` works.',
      cause,
    });
  }
}

/** The error for a token that the server did not take; anything else comes back as it is. */
export function refusedToken(error: unknown, { region, user }: Iam, { name, host, port }: Place): unknown {
  const state = sqlState(error);
  if (state !== '28000' && state !== '28P01') return error;
  return new LoadctlError(
    'unavailable',
    `${name}: ${host}:${port} did not take the IAM token of ${user} for ${region}: ${errorMessage(error)}`,
    {
      hint: `Allow the AWS identity to connect (rds-db:connect on dbuser/${user}), and the role to use tokens: GRANT rds_iam TO ${user};`,
      cause: error,
    },
  );
}
