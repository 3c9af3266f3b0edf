import { createHash } from 'node:crypto';
import type { V1Job, V1OwnerReference } from '@kubernetes/client-node';
import { LoadctlError } from '../core/errors.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Cluster } from './client.js';
import { annotations, labels } from './conductor-job.js';
import { removeConductor } from './conductors.js';
import { refusedWith } from './failures.js';
import { type Asker, lockCandidates } from './lock-candidates.js';

/** A lock that was taken, told apart from a later one of the same name. */
export interface TakenLock {
  readonly name: string;
  readonly uid: string;
}

/** How long a lock of the dead is waited for: until the cluster has collected it, and until a conductor that is ending has ended its load. */
const patienceMs: Milliseconds = 15_000;
const pollMs: Milliseconds = 250;
const settleMs: Milliseconds = 1000;

/** The name of the lock for an environment on a target: the same wherever it is asked from. */
export function lockName(environment: string, target: string): string {
  return `loadctl-lock-${createHash('sha256').update(`${environment}\n${target}`).digest('hex').slice(0, 20)}`;
}

/** What a lock is taken for. */
export interface LockWanted extends Asker {
  readonly run: string;
  /** user@host. */
  readonly by: string;
  /** The host that is loaded. */
  readonly target: string;
  /** The lock goes with it at the latest. */
  readonly owner: V1OwnerReference;
}

/** Takes the lock for the run of a conductor's Job, which owns it. Throws as {@link takeRunLock} does. */
export function lockRun(cluster: Cluster, { metadata }: V1Job, clock: Clock): Promise<TakenLock> {
  const { name = '', uid = '', labels: found = {}, annotations: said = {} } = metadata ?? {};
  const wanted = {
    lock: found[labels.lock] ?? '',
    environment: found[labels.environment] ?? '',
    uid,
    run: found[labels.run] ?? '',
    by: said[annotations.by] ?? '',
    target: said[annotations.target] ?? '',
    owner: { apiVersion: 'batch/v1', kind: 'Job', name, uid },
  };
  return takeRunLock(cluster, wanted, clock);
}

/**
 * Takes a lock. One whose conductor has ended without letting go is freed by removing that conductor's Job; nothing else is ever
 * taken from anybody. Throws `refused` where another run has it, or has not ended its load yet.
 */
export async function takeRunLock(cluster: Cluster, wanted: LockWanted, clock: Clock): Promise<TakenLock> {
  const deadline = clock.elapsed() + patienceMs;
  for (let freed = false; ; ) {
    const taken = await take(cluster, wanted);
    if (taken !== undefined) return afterOthers(cluster, wanted, { taken, clock, deadline });
    const others = await lockCandidates(cluster, wanted);
    const dead = others.filter(({ course }) => course === 'over');
    freed ||= dead.length > 0;
    const isHeld = others.some(({ course }) => course === 'alive') && !freed;
    if (isHeld || clock.elapsed() > deadline) throw await heldBy(cluster, wanted, clock);
    for (const { job: one } of dead) if (one !== undefined) await removeConductor(cluster, one);
    await clock.sleep(pollMs);
  }
}

/** Makes the Secret; undefined where there is one already. */
async function take(cluster: Cluster, { lock, run, by, target, owner }: LockWanted): Promise<TakenLock | undefined> {
  const { namespace } = cluster;
  const body = {
    metadata: {
      name: lock,
      labels: { [labels.part]: 'loadctl', [labels.role]: 'lock', [labels.run]: run },
      annotations: { [annotations.by]: by, [annotations.target]: target },
      ownerReferences: [owner],
    },
  };
  try {
    const { metadata } = await cluster.ask('create the lock of the run', ({ core }) => core.createNamespacedSecret({ namespace, body }));
    return { name: lock, uid: metadata?.uid ?? '' };
  } catch (error) {
    if (refusedWith(error) === 409) return undefined;
    throw error;
  }
}

interface Taking {
  readonly taken: TakenLock;
  readonly clock: Clock;
  readonly deadline: Milliseconds;
}

/** A Job that was deleted has lost its lock at once, while its conductor still ends the load. A lock that is of no use is let go of. */
async function afterOthers(cluster: Cluster, wanted: LockWanted, { taken, clock, deadline }: Taking): Promise<TakenLock> {
  try {
    for (;;) {
      const others = await lockCandidates(cluster, wanted);
      if (!others.some(({ course }) => course === 'ending')) return taken;
      if (clock.elapsed() > deadline) throw await heldBy(cluster, wanted, clock);
      await clock.sleep(pollMs);
    }
  } catch (error) {
    await unlockRun(cluster, taken).catch(() => undefined); // it goes with its owner at the latest
    throw error;
  }
}

/** Lets go of a lock; one that is gone, or another's by now, is left alone. */
export async function unlockRun(cluster: Cluster, { name, uid }: TakenLock): Promise<void> {
  const { namespace } = cluster;
  try {
    await cluster.ask('delete the lock of the run', ({ core }) =>
      core.deleteNamespacedSecret({ namespace, name, body: { preconditions: { uid } } }),
    );
  } catch (error) {
    if (![404, 409].includes(refusedWith(error) ?? 0)) throw error;
  }
}

/**
 * Who has it is in the newest Job of that lock: older ones have let go, and wait to be collected. Those that came at the same
 * moment, and did not get it either, are gone a moment later. Secrets need not be read.
 */
async function heldBy(cluster: Cluster, wanted: LockWanted, clock: Clock): Promise<LoadctlError> {
  await clock.sleep(settleMs);
  const others = await lockCandidates(cluster, wanted);
  const { environment, target, lock } = wanted;
  const holder = others.find(({ course }) => course === 'alive') ?? others[0];
  const message = `Another run of ${environment} loads ${target || 'the same target'}`;
  if (holder === undefined)
    return new LoadctlError('refused', `${message}, and no Job of it is there.`, {
      hint: `Look at the lock: kubectl get secret ${lock} -o yaml. If no run has it, delete it.`,
    });
  const { run, name, by } = holder;
  if (run === undefined)
    return new LoadctlError('refused', `${message}: Job ${name}, which was not started by loadctl.`, {
      hint: `Wait until it is over, or end it: kubectl delete job ${name} -n ${cluster.namespace}`,
    });
  return new LoadctlError('refused', `${message}: run ${run}${by === undefined ? '' : `, by ${by}`}.`, {
    hint: `Wait until it is over, or end it: loadctl stop ${run} --env ${environment}`,
  });
}
