import { LoadctlError } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import type { Milliseconds } from '../../core/quantities.js';
import { scope } from '../../core/scope.js';
import { callAfter } from '../../core/timer.js';
import { DoorAway, type DoorClient } from '../../door/client.js';
import { insist } from '../../door/follow.js';
import type { DoorState } from '../../door/protocol.js';
import { podOf } from '../../kubernetes/await-pod.js';
import type { Call, Outcome } from '../call/types.js';
import { findDistantRun, findEnvironment } from './find-run.js';
import { followingOf, followRun } from './follow-run.js';
import { doorTo } from './start-conductor.js';
import { openView } from './view.js';

const pollMs: Milliseconds = 500;
/** Ending a load takes 3 s at most; teardown and merging may follow. */
const patienceMs: Milliseconds = 90_000;

/** Shows a run that a conductor carries out, to its end, and brings its directory here; a signal leaves. */
export async function attachInCluster(call: Call): Promise<Outcome> {
  const distant = await findDistantRun(call);
  const { run, environment } = distant;
  return scope(async (defer) => {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    defer(call.shell.onInterrupt(leave));
    const view = await openView(call, { run, environment }, defer);
    const { how } = await followRun(call, distant, { ...view, signal: leaving.signal, leave });
    return { reasons: [], data: { run, ended: how === 'over' }, text: how === 'left' ? `Left; run ${run} goes on.\n` : '' };
  });
}

/** Ends a run that a conductor carries out, and waits until it has ended. */
export async function stopInCluster(call: Call): Promise<Outcome> {
  const distant = await findDistantRun(call);
  const { run, environment, door } = distant;
  const late = new AbortController();
  const { clock, who, stderr } = call.shell;
  const following = followingOf(call, distant, {
    away: (why) => stderr.write(`The conductor is out of reach (${why}); retrying.\n`),
    signal: late.signal,
  });
  return scope(async (defer) => {
    defer(callAfter(clock, patienceMs, () => late.abort()));
    const state = async () => (await insist(following, () => door.state()))?.state;
    if ((await state()) === 'over') throw notRunning(run);
    await insist(following, () => door.stop({ by: who }));
    while ((await state()) !== 'over' && !late.signal.aborted) await clock.sleep(pollMs, late.signal);
    if (late.signal.aborted) throw notEnded(run);
    const text = `Run ${run} has ended. Bring its directory here: loadctl attach ${run} --env ${environment}\n`;
    return { reasons: [], data: { run, stopped: true }, text };
  });
}

/** Lists the conductors of an environment: what goes on, and what waits to be collected. */
export async function listInCluster(call: Call): Promise<Outcome> {
  const { cluster, environment, conductors } = await findEnvironment(call);
  const runs = await Promise.all(
    conductors.map(async ({ run, by, command, job }) => {
      const pod = await podOf(cluster, job);
      const door = pod?.metadata?.name === undefined ? undefined : doorTo(call, cluster, pod.metadata.name);
      return { run, environment, command, by, state: door === undefined ? 'gone' : await stateOf(door) };
    }),
  );
  const lines = runs.map(({ run, command, by, state }) => `  ${run}  ${command.padEnd(7)}  ${state.padEnd(7)}  by ${by}`);
  const text = lines.length === 0 ? `No runs of ${environment} in namespace ${cluster.namespace}.` : lines.join('\n');
  return { reasons: [], data: { runs }, text: `${text}\n` };
}

async function stateOf(door: DoorClient): Promise<DoorState['state'] | 'gone'> {
  try {
    return (await door.state()).state;
  } catch (error) {
    if (error instanceof DoorAway) return 'gone';
    throw error;
  }
}

function notEnded(run: RunId): LoadctlError {
  return new LoadctlError('unavailable', `Run ${run} was asked to end and has not within ${patienceMs / 1000} s.`, {
    hint: `Delete its Job: kubectl delete job loadctl-${run}. Its load ends with it within 5 s; teardown() does not run.`,
  });
}

function notRunning(run: RunId): LoadctlError {
  return new LoadctlError('unavailable', `Run ${run} is not running.`, { hint: 'loadctl runs --env ENV shows which are.' });
}
