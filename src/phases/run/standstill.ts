import type { Milliseconds } from '../../core/quantities.js';
import type { ProcessLook } from '../../runners/runner/types.js';

/** A tick that comes so late, while loadctl neither ran nor waited for a CPU, was not slow: loadctl itself was stopped, and who knows what with it. */
const lateMs: Milliseconds = 300;
/** CPU time is counted in hundredths of a second: less than this tells nothing. */
const tellingCpuMs: Milliseconds = 30;
const frozenStates = ['T', 't'];

/** Whether a process stands still: it was stopped, by a signal or a debugger. */
export function isFrozen({ processState }: ProcessLook): boolean {
  return frozenStates.includes(processState);
}

/** A look at a process, by elapsed(). */
export interface Look {
  readonly at: Milliseconds;
  readonly process: ProcessLook;
  /** How long loadctl itself ran, or waited for a CPU, until then; undefined where the system does not tell. */
  readonly scheduledMs?: Milliseconds | undefined;
}

/** What else is known at a look. */
export interface LookContext {
  readonly before: Look | undefined;
  /** When the runner last gave a sign of life. */
  readonly heardAt: Milliseconds;
  /** How long after the one before it this look was due; undefined where looks come as they may. */
  readonly dueAfterMs: Milliseconds | undefined;
}

/** How long a runner stood still in all, however short each time was: load of that time was not made. */
export interface Standstill {
  looked(look: Look, context: LookContext): void;
  ms(): Milliseconds;
}

/**
 * Adds up in what time a process was seen to be stopped. Where loadctl itself was stopped it could not look: there the process
 * counts as stopped, too, as far as it did not use the CPU time then that it uses else.
 */
export function standstill(): Standstill {
  let frozenMs = 0;
  let countedTo = Number.NEGATIVE_INFINITY;
  const onTime = { ms: 0, cpuMs: 0 };
  const late = { dueMs: 0, overMs: 0, cpuMs: 0 };
  const lateStill = () => {
    const usual = onTime.ms > 0 ? onTime.cpuMs / onTime.ms : 0;
    if (usual * late.overMs < tellingCpuMs) return 0;
    const ran = (late.cpuMs - usual * late.dueMs) / (usual * late.overMs);
    return ran < 0.3 ? late.overMs * (1 - Math.max(0, ran)) : 0;
  };
  return {
    looked: (look, { before, heardAt, dueAfterMs }) => {
      if (isFrozen(look.process)) {
        frozenMs += look.at - (dueAfterMs === undefined ? Math.max(heardAt, countedTo) : (before?.at ?? heardAt));
        countedTo = look.at;
        return;
      }
      if (before === undefined || dueAfterMs === undefined || isFrozen(before.process)) return;
      const [ms, cpuMs] = [look.at - before.at, look.process.processMs - before.process.processMs];
      const stoppedMs = ownStop(before, look, dueAfterMs);
      if (ms <= dueAfterMs + lateMs) {
        onTime.ms += ms;
        onTime.cpuMs += cpuMs;
      } else if (stoppedMs > lateMs) {
        late.dueMs += ms - stoppedMs;
        late.overMs += stoppedMs;
        late.cpuMs += cpuMs;
      }
    },
    ms: () => Math.round(frozenMs + lateStill()),
  };
}

/** How long loadctl itself was stopped between two looks: it came late, and not for want of a CPU. */
function ownStop(before: Look, now: Look, dueAfterMs: Milliseconds): Milliseconds {
  if (before.scheduledMs === undefined || now.scheduledMs === undefined) return 0;
  return now.at - before.at - dueAfterMs - (now.scheduledMs - before.scheduledMs);
}
