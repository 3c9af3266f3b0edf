import { type LastSign, lastSign } from '../../core/liveness.js';
import type { Clock } from '../../core/os.js';
import type { EndCause } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Runner, Vitals } from '../../runners/runner/types.js';

/** Without an answer for so long, its process is looked at: a busy one is slow to answer. */
const patienceMs: Milliseconds = 500;
/** It runs, waits for a CPU, or for a disk: U is the D of macOS. */
const workingStates = ['R', 'D', 'U'];
const frozenStates = ['T', 't'];

/** Whether one runner lives: the one place where its silence is counted. Anything is a sign of life, and busy is alive. */
export interface RunnerLife {
  /** It gave a sign of life. */
  hear(): void;
  /** Waits for the next tick, or until `signal` aborts; looks at its process where nothing else was heard of it. */
  tick(everyMs: Milliseconds, signal: AbortSignal): Promise<void>;
  /** How it was lost, where it gave no sign of life for so long. */
  lostFor(silentMs: Milliseconds): EndCause | undefined;
  /** How much of a CPU it used between the last two looks; undefined where it was not looked at. */
  busy(): number | undefined;
  /** Has its process looked at. */
  look(): Promise<void>;
}

/** What is told of a runner's life besides its answers. */
export interface LifeSigns {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  /** When its last push arrived, by elapsed(). */
  readonly pushedAt: () => Milliseconds | undefined;
}

/** Begins to count a runner's silence. */
export function runnerLife(runner: Pick<Runner, 'vitals'>, { clock, pushedAt }: LifeSigns): RunnerLife {
  const sign = lastSign(clock);
  const eyes = watchProcess(runner, clock, sign);
  const silentMs = () => Math.min(sign.silentMs(), clock.elapsed() - (pushedAt() ?? Number.NEGATIVE_INFINITY));
  let isLooking = false;
  const look = async () => {
    isLooking = true;
    await eyes.look();
    isLooking = false;
  };
  return {
    hear: sign.hear,
    look: eyes.look,
    busy: eyes.busy,
    tick: async (everyMs, signal) => {
      const ticking = sign.tick(everyMs, signal);
      if (silentMs() > patienceMs && !isLooking) await Promise.race([look(), ticking]);
      await ticking;
    },
    lostFor: (limitMs) => {
      if (silentMs() <= limitMs) return undefined;
      return eyes.isFrozen() ? 'frozen' : 'silent';
    },
  };
}

interface Seen {
  readonly at: Milliseconds;
  readonly vitals: Vitals;
}

/** Looks at a runner's process: CPU time that it used, and a state in which it works, are signs of life. */
function watchProcess(runner: Pick<Runner, 'vitals'>, clock: Pick<Clock, 'elapsed'>, sign: LastSign) {
  let before: Seen | undefined;
  let now: Seen | undefined;
  return {
    look: async () => {
      const vitals = await runner.vitals?.();
      if (vitals === undefined) return;
      [before, now] = [now, { at: clock.elapsed(), vitals }];
      const used = before !== undefined && vitals.processMs > before.vitals.processMs;
      if (used || workingStates.includes(vitals.processState)) sign.hear();
    },
    isFrozen: () => now !== undefined && frozenStates.includes(now.vitals.processState),
    busy: () => {
      if (before === undefined || now === undefined || now.at <= before.at) return undefined;
      return (now.vitals.processMs - before.vitals.processMs) / (now.at - before.at);
    },
  };
}
