import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { type ErrorData, LoadctlError } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { Receipt } from '../../core/receipt.js';
import type { DoorClient } from '../../door/client.js';
import { collectRun } from '../../door/collect.js';
import { type Following, followDoor, insist } from '../../door/follow.js';
import { type DoorState, doorProtocol } from '../../door/protocol.js';
import { podOf } from '../../kubernetes/await-pod.js';
import type { Cluster } from '../../kubernetes/client.js';
import { renewPage } from '../../phases/report/keep-page.js';
import { keepReceipt } from '../../runs/receipt-file.js';
import type { Call } from '../call/types.js';
import { answerQuestions } from './answer-questions.js';

/** A run that a conductor in a cluster carries out. */
export interface DistantRun {
  readonly cluster: Cluster;
  readonly job: V1Job;
  readonly door: DoorClient;
  readonly run: RunId;
  readonly environment: string;
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
  /** Leaves, where this loadctl did not begin it: Ctrl-C at a question does. Without it that counts as no. */
  readonly leave?: () => void;
}

/** What came of following: the run is over, and its directory is here, where it has one; or whoever followed left. */
export type Followed = { readonly how: 'left' } | { readonly how: 'over'; readonly directory: string | undefined };

/**
 * Follows a run to its end, whatever connections do meanwhile, and brings its directory here. Throws `unavailable` where the
 * conductor is gone, and what ended the run where no event tells it.
 */
export async function followRun(call: Call, distant: DistantRun, listener: Listener): Promise<Followed> {
  const { door, run, environment } = distant;
  const following = followingOf(call, distant, listener);
  const first = await insist(following, () => door.state());
  if (first === undefined) return { how: 'left' };
  refuseOtherDoor(first, distant, call.version);
  const answer = await answerQuestions(call, { door, following, leave: listener.leave });
  const heard: Heard = { finished: false };
  const tell = (event: LoggedEvent) => {
    heard.finished ||= event.type === 'command-finished';
    if (event.type === 'receipt-made') heard.receipt = event.receipt;
    // A prompt that is over ends its line before anything is told.
    answer(event);
    listener.tell(event);
  };
  if ((await followDoor(door, tell, following)) === 'left') return { how: 'left' };
  const state = await insist(following, () => door.state());
  if (state === undefined) return { how: 'left' };
  const { cwd } = call.shell;
  const directory = await collectRun(door, { ...following, cwd, run, environment, damaged: listener.damaged });
  if (following.signal.aborted && directory === undefined) return { how: 'left' };
  if (state.error !== undefined) throw errorOf(state.error);
  if (directory === undefined) await keepLooseReceipt(cwd, environment, heard);
  if (!heard.finished)
    throw new LoadctlError('unavailable', `The conductor of run ${run} is over, and never told how the run ended.`, noVerdict);
  return { how: 'over', directory };
}

/** Refuses a conductor whose questions and files another loadctl understands. To end its run, `stop` does all the same. */
export function refuseOtherDoor(
  { protocol, loadctl }: Pick<DoorState, 'protocol' | 'loadctl'>,
  { run, environment }: Pick<DistantRun, 'run' | 'environment'>,
  version: string,
): void {
  if (protocol === doorProtocol) return;
  throw new LoadctlError(
    'unavailable',
    `Run ${run} is conducted by loadctl ${loadctl}, which speaks another protocol than ${version} here.`,
    {
      hint: `Use loadctl ${loadctl}: attach ${run} --env ${environment}. To end the run: loadctl stop ${run} --env ${environment}.`,
    },
  );
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

/** What a conductor told that matters when it is over. */
interface Heard {
  finished: boolean;
  receipt?: Receipt;
}

/** Where a cleanup has no run directory of its own, its receipt is where one of a cleanup from here would be. */
async function keepLooseReceipt(cwd: string, environment: string, { receipt }: Heard): Promise<void> {
  if (receipt === undefined || receipt.dryRun) return;
  const directory = await keepReceipt(cwd, environment, receipt);
  if (directory !== undefined) await renewPage(directory);
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
  throw new LoadctlError('unavailable', `The conductor of run ${run} was lost (${howGone(pod)}), and the run directory with it.`, {
    hint: 'The load is off. Remove what the test wrote (loadctl cleanup), and run again.',
  });
}

function howGone(pod: V1Pod | undefined): string {
  if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return 'its pod was deleted';
  const { reason, exitCode } = pod.status?.containerStatuses?.[0]?.state?.terminated ?? {};
  return pod.status?.reason ?? `${reason ?? 'ended'}, exit code ${exitCode ?? '?'}`;
}
