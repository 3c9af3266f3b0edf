import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { type ErrorData, LoadctlError } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { DoorClient } from '../../door/client.js';
import { collectRun, endKeeping } from '../../door/collect.js';
import { type Following, followDoor, insist } from '../../door/follow.js';
import { podOf } from '../../kubernetes/await-pod.js';
import type { Cluster } from '../../kubernetes/client.js';
import type { Call } from '../call/types.js';

/** A run that a conductor in a cluster carries out. */
export interface DistantRun {
  readonly cluster: Cluster;
  readonly job: V1Job;
  readonly door: DoorClient;
  readonly run: RunId;
}

/** Where events go, and when to leave. */
export interface Listener {
  /** Hears what the conductor told. */
  tell(event: LoggedEvent): void;
  /** The conductor is out of reach, and is tried again. */
  away(why: string): void;
  /** A file of the run directory arrived damaged, and is asked for again. */
  damaged(path: string): void;
  readonly signal: AbortSignal;
}

/** What came of following: the run is over, and its directory is here, where it has one; or whoever followed left. */
export type Followed = { readonly how: 'left' } | { readonly how: 'over'; readonly directory: string | undefined };

/**
 * Follows a run to its end, whatever connections do meanwhile, and brings its directory here. Throws `unavailable` where the
 * conductor is gone, and what ended the run where no event tells it.
 */
export async function followRun(call: Call, distant: DistantRun, listener: Listener): Promise<Followed> {
  const { door, run } = distant;
  const following = followingOf(call, distant, listener);
  let finished = false;
  const tell = (event: LoggedEvent) => {
    finished ||= event.type === 'command-finished';
    listener.tell(event);
  };
  if ((await followDoor(door, tell, following)) === 'left') return { how: 'left' };
  const state = await insist(following, () => door.state());
  if (state === undefined) return { how: 'left' };
  const { cwd } = call.shell;
  const directory = state.run === undefined ? undefined : await collectRun(door, { ...following, cwd, run, damaged: listener.damaged });
  if (state.run === undefined) await endEmpty(door, following);
  if (following.signal.aborted && directory === undefined) return { how: 'left' };
  if (state.error !== undefined) throw errorOf(state.error);
  if (!finished) throw new LoadctlError('unavailable', `The conductor of run ${run} is over, and never told how the run ended.`, noVerdict);
  return { how: 'over', directory };
}

const noVerdict = { hint: 'Look at what is in its directory: loadctl verify' };

/** How a run is followed: where its conductor is gone, that is known by its pod. */
export function followingOf(
  { shell }: Pick<Call, 'shell'>,
  distant: DistantRun,
  { away, signal }: Pick<Listener, 'away' | 'signal'>,
): Following {
  return {
    clock: shell.clock,
    signal,
    away: async (error, times) => {
      if (times === 1) away(error.message);
      await refuseGone(distant, times);
    },
  };
}

/** A run that never had a directory needs no copy of one. */
async function endEmpty(door: DoorClient, following: Following): Promise<void> {
  const list = await insist(following, () => door.files());
  if (list !== undefined) await endKeeping(door, list, following);
}

function errorOf({ code, message, hint, lines }: ErrorData): Error {
  if (code === 'bug' || code === 'pass') return new Error(message);
  return new LoadctlError(code, message, { ...(hint === undefined ? {} : { hint }), ...(lines === undefined ? {} : { lines }) });
}

/** A pod that is being ended answers until it has ended, unless its node is lost. */
const endingTries = 6;

/** An API server that does not answer says nothing of the conductor. */
async function refuseGone({ cluster, job, run }: DistantRun, times: number): Promise<void> {
  const pod = await podOf(cluster, job).catch(() => 'unknown' as const);
  if (pod === 'unknown') return;
  const isEnding = pod?.metadata?.deletionTimestamp !== undefined;
  const isThere = ['Pending', 'Running'].includes(pod?.status?.phase ?? '');
  if (isThere && !(isEnding && times >= endingTries)) return;
  throw new LoadctlError('unavailable', `The conductor of run ${run} is gone (${howGone(pod)}), and the run directory with it.`, {
    hint: 'The load is off. Remove what the test wrote (loadctl cleanup), and run again.',
  });
}

function howGone(pod: V1Pod | undefined): string {
  if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return 'its pod was deleted';
  const { reason, exitCode } = pod.status?.containerStatuses?.[0]?.state?.terminated ?? {};
  return pod.status?.reason ?? `${reason ?? 'ended'}, exit code ${exitCode ?? '?'}`;
}
