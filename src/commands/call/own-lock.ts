import { LoadctlError } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import { openCluster } from '../../kubernetes/client.js';
import { labels } from '../../kubernetes/conductor-job.js';
import { ownPod } from '../../kubernetes/own-pod.js';
import { refuseStaying } from '../../kubernetes/rights.js';
import { lockName, takeRunLock, unlockRun } from '../../kubernetes/run-lock.js';
import { placeOf } from '../../plan/hosts.js';
import type { LoadTarget } from '../../plan/target.js';
import type { Planned } from './profile.js';
import type { Call } from './types.js';

/**
 * Takes the lock of environment and target for a loadctl that is in a pod and conducts by itself, as that of any conductor; hands
 * back what lets go of it. Throws `refused` where another run has it, `unavailable` where others could not see that this one has.
 */
export async function takeOwnLock(call: Call, planned: Planned, run: RunId, { url }: LoadTarget): Promise<() => Promise<void>> {
  const { shell } = call;
  const { environment } = planned.plan;
  const { namespace } = planned.loaded.profile.runners.kubernetes ?? {};
  const cluster = await openCluster(namespace === undefined ? {} : { namespace }, shell);
  await refuseStaying(cluster, 'jobs', 'secrets');
  const { name, owner, labels: own } = await ownPod(cluster);
  const wanted = { [labels.role]: 'conductor', [labels.environment]: environment };
  const missing = Object.entries(wanted).filter(([label, value]) => own[label] !== value);
  if (missing.length > 0) throw unlabelled(name, missing);
  const target = placeOf(url).host;
  const { user, host } = shell.who;
  const lock = { lock: lockName(environment, target), environment, uid: owner.uid, run, by: `${user}@${host}`, target, owner };
  const taken = await takeRunLock(cluster, lock, shell.clock);
  return () => unlockRun(cluster, taken);
}

/** Who does not see it would take its lock for that of one that is gone. */
function unlabelled(pod: string, missing: readonly (readonly [string, string])[]): LoadctlError {
  const wanted = missing.map(([label, value]) => `${label}: ${value}`).join(', ');
  return new LoadctlError('unavailable', `Pod ${pod} conducts a run and lacks the labels that other runs see it by.`, {
    hint: `Add them to its template (and to its Job's): ${wanted}`,
  });
}
