import { lastSign } from '../../core/liveness.js';
import type { Clock } from '../../core/os.js';
import type { EndCause } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Runner } from '../../runners/runner/types.js';
import { isFrozen, type Look, type Standstill } from './standstill.js';

/** Without an answer for so long, and for more than a tick, its process is looked at: a busy one is slow to answer. */
const patienceMs: Milliseconds = 500;
/** It runs, waits for a CPU, or for a disk: U is the D of macOS. */
const workingStates = ['R', 'D', 'U'];

/** Whether one runner lives: the one place where its silence is counted. Anything is a sign of life, and busy is alive. */
export interface RunnerLife {
  /** It gave a sign of life. */
  hear(): void;
  /** Waits for the next tick, or until `signal` aborts; looks at its process where nothing else was heard of it, or a look takes no time. */
  tick(everyMs: Milliseconds, signal: AbortSignal): Promise<void>;
  /** How it was lost, where it gave no sign of life for so long. */
  lostFor(silentMs: Milliseconds): EndCause | undefined;
  /** Whether at the last look it worked or waited to, or had used more than this share of a CPU since the one before. */
  works(share: number): boolean;
  /** Has its process looked at. */
  look(): Promise<void>;
}

/** What is told of a runner's life besides its answers. */
export interface LifeSigns {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  /** When its last push arrived, by elapsed(). */
  readonly pushedAt: () => Milliseconds | undefined;
  /** How long loadctl itself ran, or waited for a CPU, so far; undefined where the system does not tell. */
  readonly scheduledMs?: () => Milliseconds | undefined;
  /** Where it adds up how long the runner stood still. */
  readonly standstill?: Standstill;
}

/** Begins to count a runner's silence. */
export function runnerLife(runner: Pick<Runner, 'vitals' | 'glance'>, signs: LifeSigns): RunnerLife {
  const { clock, pushedAt, standstill } = signs;
  const sign = lastSign(clock);
  const eyes = watchProcess(runner, signs);
  const silentMs = () => Math.min(sign.silentMs(), clock.elapsed() - (pushedAt() ?? Number.NEGATIVE_INFINITY));
  let isLooking = false;
  const look = async (dueAfterMs?: Milliseconds) => {
    isLooking = true;
    const heardAt = clock.elapsed() - silentMs();
    const seen = await eyes.look();
    isLooking = false;
    if (seen === undefined) return;
    standstill?.looked(seen.now, { before: seen.before, heardAt, dueAfterMs });
    if (isWorking(seen)) sign.hear();
  };
  return {
    hear: sign.hear,
    look: () => look(),
    works: eyes.works,
    tick: async (everyMs, signal) => {
      const ticking = sign.tick(everyMs, signal);
      const always = runner.glance !== undefined;
      const isSilent = silentMs() > Math.max(patienceMs, 1.5 * everyMs);
      if ((always || isSilent) && !isLooking) await Promise.race([look(always ? everyMs : undefined), ticking]);
      await ticking;
    },
    lostFor: (limitMs) => {
      if (silentMs() <= limitMs) return undefined;
      return eyes.isFrozen() ? 'frozen' : 'silent';
    },
  };
}

/** CPU time that it used, and a state in which it works, are signs of life. */
function isWorking({ now, before }: { readonly now: Look; readonly before: Look | undefined }): boolean {
  const used = before !== undefined && now.process.processMs > before.process.processMs;
  return used || workingStates.includes(now.process.processState);
}

/** Looks at a runner's process. */
function watchProcess(runner: Pick<Runner, 'vitals' | 'glance'>, { clock, scheduledMs }: LifeSigns) {
  let before: Look | undefined;
  let now: Look | undefined;
  return {
    look: async () => {
      const process = await (runner.glance ?? runner.vitals)?.();
      if (process === undefined) return undefined;
      const seen = { now: { at: clock.elapsed(), process, scheduledMs: scheduledMs?.() }, before: now };
      [before, now] = [now, seen.now];
      return seen;
    },
    isFrozen: () => now !== undefined && isFrozen(now.process),
    works: (share: number) => {
      if (now === undefined) return false;
      if (workingStates.includes(now.process.processState)) return true;
      return before !== undefined && now.process.processMs - before.process.processMs > share * (now.at - before.at);
    },
  };
}
