import { aborted } from '../../core/abort.js';
import { type ErrorData, LoadctlError } from '../../core/errors.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import { stopwatch } from '../../core/timer.js';
import type { ScriptFailure } from '../../k6/rest.js';
import { endText } from '../../reporters/sentences/end.js';
import type { Runner } from '../../runners/runner/types.js';
import type { FleetContext } from './fleet.js';
import { askWatched } from './runner-watch.js';

/** k6 keeps its own timeout, and its answer takes a moment. */
const answerMs: Milliseconds = 5000;
/** How long a runner that lives may take to take in what setup() returned. */
const handOverMs: Milliseconds = 30_000;
/** When the run is stopped, a setup() that is under way may come to its end: teardown() then has what it is to undo. */
const patienceMs: Milliseconds = 5000;

/** What became of setup(): its data, or that there is no load to be made without it. */
export interface SetUp {
  readonly data: unknown;
  /** How long it took; until it failed, where it threw, took too long or aborted the test. */
  readonly elapsedMs: Milliseconds;
  readonly failed: boolean;
}

/** Where there is no setup(). */
export const noSetUp: SetUp = { data: undefined, elapsedMs: 0, failed: false };

/**
 * setup() once: on the first runner; the others are handed its data. `holders` hears at each step who has it. How the script
 * failed is told as an event, not thrown. Throws `unavailable` where the runner is lost meanwhile.
 */
export async function setUpOnce(
  [first, ...others]: readonly Runner[],
  timeoutMs: Milliseconds,
  fleet: FleetContext,
  holders: (runners: readonly Runner[]) => void,
): Promise<SetUp> {
  if (first === undefined) return noSetUp;
  const took = stopwatch(fleet.clock);
  const result = await askForSetup(first, timeoutMs, fleet);
  if (result === undefined) return { ...noSetUp, failed: true };
  const about = { runner: first.id, elapsedMs: took() };
  if ('how' in result) {
    fleet.emit({ type: 'setup-failed', ...about, error: setupError(result, timeoutMs) });
    return { data: undefined, elapsedMs: about.elapsedMs, failed: true };
  }
  const { data } = result;
  holders([first]);
  if (data !== undefined) await Promise.all(others.map((runner) => handOver(data, runner, fleet)));
  holders([first, ...others]);
  fleet.emit({ type: 'setup-finished', ...about });
  return { data, elapsedMs: about.elapsedMs, failed: false };
}

async function handOver(data: unknown, runner: Runner, { killed, watchOf }: FleetContext): Promise<void> {
  const came = await askWatched(runner, { ...watchOf(runner), ceilingMs: handOverMs }, killed, () => runner.api.putSetup(data));
  if (came !== undefined && 'lost' in came) throw lostError(runner, `before it had what setup() returned (${endText(came.lost)})`);
}

function lostError({ id, host }: Runner, when: string): LoadctlError {
  return new LoadctlError('unavailable', `Runner ${id} on ${host} was lost ${when}.`, {
    hint: 'No load was made. Start again when its machine is well.',
  });
}

/** What setup() returned or how it failed; undefined where the run was stopped and it did not come to its end soon. */
async function askForSetup(
  runner: Runner,
  timeoutMs: Milliseconds,
  { clock, signal, killed, beside, watchOf }: FleetContext,
): Promise<{ readonly data: unknown } | ScriptFailure | undefined> {
  const enough = new AbortController();
  const endPatience = beside(async (over) => {
    await aborted(AbortSignal.any([signal, over]));
    await clock.sleep(patienceMs, AbortSignal.any([killed, over]));
    enough.abort();
  });
  const watch = { ...watchOf(runner), ceilingMs: timeoutMs + 2 * answerMs };
  const came = await askWatched(runner, watch, enough.signal, () => runner.api.runSetup(timeoutMs + answerMs));
  await endPatience();
  if (came === undefined || 'answer' in came) return came?.answer;
  throw lostError(runner, `while setup() ran (${endText(came.lost)})`);
}

function setupError({ how, said }: ScriptFailure, timeoutMs: Milliseconds): ErrorData {
  if (how === 'timed-out') {
    const hint = "Raise setupTimeout in the script's options (workload.options: {setupTimeout: 5m}), or have setup() do less.";
    return { code: 'setup-timeout', message: `setup() did not end within ${formatDuration(timeoutMs)}.`, hint };
  }
  const [message = '', ...lines] = said.split('\n').filter((line) => line.trim() !== '');
  const [code, what] = how === 'aborted' ? (['test-aborted', 'called test.abort()'] as const) : (['script-threw', 'threw'] as const);
  const text = `The script ${what} in setup(): ${message.trim()}`;
  return { code, message: text, hint: 'No load was made. Fix the script.', ...(lines.length === 0 ? {} : { lines }) };
}
