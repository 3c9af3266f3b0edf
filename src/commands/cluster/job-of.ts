import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { ConductorJob } from '../../kubernetes/conductor-job.js';
import { lockName } from '../../kubernetes/run-lock.js';
import { expectedOf } from '../../phases/run/expected.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import { shapeOf } from '../../phases/run/test-shape.js';
import { withSecrets } from '../../plan/access.js';
import { placeOf } from '../../plan/hosts.js';
import { conductorBytes, conductorNodeOptions } from '../../plan/pods.js';
import type { LoadTarget } from '../../plan/target.js';
import type { Profile } from '../../profile/sections/schema.js';
import type { Planned } from '../call/profile.js';
import type { Call } from '../call/types.js';
import type { HandInTerms } from './hand-in-of.js';

/** What comes after the load: points of monitors. */
const afterMs: Milliseconds = 60 * 60_000;
/** Nobody knows how long rows take: a question, a seed and a cleanup get a day. */
const dataMs: Milliseconds = 24 * 60 * 60_000;
/** Under CI a job that was cancelled must not leave its load on. */
const ciPatienceMs: Milliseconds = 60_000;

/** The words of a profile whose runners are pods. */
export type ClusterWords = NonNullable<Profile['runners']['kubernetes']>;

/** The same, where a rule saw to it that they are there. */
export function clusterWords({ loaded }: Pick<Planned, 'loaded'>): ClusterWords {
  const words = loaded.profile.runners.kubernetes;
  if (words === undefined)
    throw new LoadctlError('invalid-profile', '`runners.kubernetes` is missing.', { hint: 'Name at least its image.' });
  return words;
}

/** The Job of the conductor of a planned test. */
export function jobOf(
  call: Call,
  planned: Planned,
  { run, command, target }: Pick<HandInTerms, 'run' | 'command'> & { readonly target: LoadTarget },
): Omit<ConductorJob, 'tokenSha256'> {
  const { environment } = planned.plan;
  const { user, host } = call.shell.who;
  const { image, pullSecrets, serviceAccount, variables, nodeSelector, tolerations, labels, annotations, conductor, patch } =
    clusterWords(planned);
  const place = placeOf(target.url).host;
  const memoryBytes = conductorBytes(conductor, planned.plan.fleet.count);
  const nodeOptions = conductorNodeOptions(memoryBytes);
  return {
    run,
    environment,
    command,
    by: `${user}@${host}`,
    target: place,
    ...(command === 'run' || command === 'test' ? { lock: lockName(environment, place) } : {}),
    image,
    pullSecrets,
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(variables === undefined ? {} : { variables: variables.secret }),
    resources: { cpu: conductor.cpu, memory: String(memoryBytes) },
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
    patch: patch.conductor,
    nodeSelector,
    tolerations,
    labels,
    annotations,
  };
}

/** How long a conductor's Job may take, from its start to the end of its keeping. */
export function deadlineOf(planned: Planned, known: KnownTest | undefined, touchesData: boolean): Milliseconds {
  const { plan, access } = planned;
  const loadMs =
    known === undefined ? 0 : plan.fleet.readyTimeout + expectedOf(plan, shapeOf(withSecrets(plan, access), known.inspection)).lifeMs;
  return loadMs + (touchesData ? dataMs : 0) + afterMs + clusterWords(planned).keepFor;
}

/** How long a conductor goes on where nobody follows it, and keeps what nobody collects. */
export function termsOf(
  call: Call,
  planned: Planned,
  { detach, ...what }: Pick<HandInTerms, 'run' | 'command' | 'options'> & { readonly detach: boolean },
): HandInTerms {
  const { onClientLost = call.style.ci && !detach ? { stopAfterMs: ciPatienceMs } : 'continue', keepFor: keepMs } = clusterWords(planned);
  // A cleanup that nobody follows leaves less behind when it goes on.
  const goesOn = onClientLost === 'continue' || detach || what.command === 'cleanup';
  return { ...what, keepMs, ...(goesOn ? {} : { stopUnfollowedMs: onClientLost.stopAfterMs }) };
}
