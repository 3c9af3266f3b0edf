import { randomBytes } from 'node:crypto';
import type { V1Job } from '@kubernetes/client-node';
import { LoadctlError } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { DoorAway, type DoorClient, doorClient } from '../../door/client.js';
import { type DoorState, doorProtocol, sha256Of } from '../../door/protocol.js';
import { awaitPod } from '../../kubernetes/await-pod.js';
import type { Cluster } from '../../kubernetes/client.js';
import { type ConductorJob, conductorJob, doorPort, unattendedMs } from '../../kubernetes/conductor-job.js';
import { extendJob, removeConductor } from '../../kubernetes/conductors.js';
import { forwardTo } from '../../kubernetes/forward.js';
import { refuseStaying } from '../../kubernetes/rights.js';
import { lockRun, type TakenLock } from '../../kubernetes/run-lock.js';
import type { Call } from '../call/types.js';

/** A conductor that took its hand-in. */
export interface Started {
  readonly job: V1Job;
  readonly door: DoorClient;
}

/** What a conductor is started with. */
export interface Starting {
  readonly job: Omit<ConductorJob, 'tokenSha256'>;
  /** From its start to the end of its keeping, at most. */
  readonly deadlineMs: Milliseconds;
  readonly handIn: (lock: TakenLock | undefined) => Promise<Buffer>;
  /** The version of k6 that looked at the script, where it makes load. */
  readonly k6Version?: string;
  readonly readyMs: Milliseconds;
  readonly signal: AbortSignal;
}

const retryMs = 200;

/**
 * Makes a conductor's Job, takes the lock of the run, waits for the pod and hands in. What goes wrong, or a signal, takes the Job
 * away again; where this process dies, the conductor ends by itself. Throws `unavailable` with why not, `refused` for a second
 * run of the same kind.
 */
export async function startConductor(call: Call, cluster: Cluster, starting: Starting): Promise<Started> {
  const token = randomBytes(32).toString('hex');
  const { namespace } = cluster;
  await refuseStaying(cluster, 'jobs');
  const body = conductorJob({ ...starting.job, tokenSha256: sha256Of(token) });
  const job = await cluster.ask('create the conductor’s Job', ({ batch }) => batch.createNamespacedJob({ namespace, body }));
  try {
    const lock = starting.job.lock === undefined ? undefined : await lockRun(cluster, job, call.shell.clock);
    const handIn = await starting.handIn(lock);
    const door = await openedDoor(call, cluster, job, starting);
    await extendJob(cluster, job, starting.deadlineMs);
    await reached(call, starting, () => door.handIn(handIn, token));
    return { job, door };
  } catch (error) {
    await removeConductor(cluster, job).catch(() => undefined); // the first error counts; the Job ends by itself
    throw error;
  }
}

async function openedDoor(call: Call, cluster: Cluster, job: V1Job, starting: Starting): Promise<DoorClient> {
  const { clock } = call.shell;
  const { readyMs, signal } = starting;
  const pod = await awaitPod(cluster, job, { clock, limitMs: readyMs, signal, waits: keptFrom(cluster, job, clock) });
  const door = doorTo(call, cluster, pod);
  refuseAnother(await reached(call, starting, () => door.state()), call.version, starting.k6Version);
  return door;
}

/** A Job that waits for a node, or for its image, does not end as long as this process asks. */
function keptFrom(cluster: Cluster, job: V1Job, clock: Clock): () => Promise<void> {
  const begun = clock.elapsed();
  let until = unattendedMs;
  return async () => {
    const age = clock.elapsed() - begun;
    if (until - age > unattendedMs / 2) return;
    until = age + unattendedMs;
    await extendJob(cluster, job, until);
  };
}

/** The door of a conductor's pod. */
export function doorTo({ shell }: Pick<Call, 'shell'>, cluster: Cluster, pod: string): DoorClient {
  return doorClient(() => forwardTo(cluster, pod, doorPort, shell), shell.clock);
}

/** A process that has just begun does not listen yet. */
async function reached<T>({ shell: { clock } }: Call, { readyMs, signal }: Starting, work: () => Promise<T>): Promise<T> {
  const deadline = clock.elapsed() + readyMs;
  for (;;) {
    if (signal.aborted) throw new LoadctlError('interrupted', 'Interrupted before anything was handed in; nothing was run.');
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DoorAway)) throw error;
      if (clock.elapsed() > deadline) throw outOfReach(error, readyMs);
      await clock.sleep(retryMs, signal);
    }
  }
}

function outOfReach(error: DoorAway, readyMs: Milliseconds): LoadctlError {
  return new LoadctlError('unavailable', `The conductor’s pod runs, and is not reached within ${readyMs / 1000} s: ${error.message}`, {
    hint: 'You need the right `create pods/portforward`. This has to work: kubectl port-forward',
    cause: error,
  });
}

/**
 * Refuses a conductor by its first answer, before anything is handed in: another loadctl, or a k6 that may judge otherwise, would
 * not be what was planned. Throws `unavailable`.
 */
export function refuseAnother(
  { protocol, loadctl, k6 }: Pick<DoorState, 'protocol' | 'loadctl' | 'k6'>,
  version: string,
  k6Here: string | undefined,
): void {
  const image = (what: string, hint: string) => new LoadctlError('unavailable', `The image (runners.kubernetes.image) ${what}.`, { hint });
  if (protocol !== doorProtocol)
    throw image(`has loadctl ${loadctl}, which speaks another protocol than ${version} here`, `Use the image of loadctl ${version}.`);
  if (k6Here === undefined) return;
  if (k6 === null) throw image('has no k6', 'Put k6 2.0 or newer on its PATH.');
  if (minorOf(k6) !== minorOf(k6Here))
    throw image(`has k6 ${k6}, and the script was looked at by k6 ${k6Here} here`, 'Use the same k6 in the image and here (runners.k6).');
}

function minorOf(version: string): string {
  return version.replace(/^v/, '').split('.').slice(0, 2).join('.');
}
