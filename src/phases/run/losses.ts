import type { EpochMs, Milliseconds, Share } from '../../core/quantities.js';
import { segmentShare } from '../../plan/segments.js';
import type { RunContext } from '../frame/context.js';
import type { FleetContext, LostRunner } from './fleet.js';

/** What is done about runners that are lost while the load is on: the plan's `onLost` and `allowedLoss`. */
export interface Losses {
  /** Whether the others go on; then it is told, with how much of the load is lost by now. */
  readonly goOnWithout: (lost: LostRunner) => boolean;
}

/** A runner's share of the load is its segment, for the time that was left when it was lost. */
export function lossesOf(
  { plan }: Pick<RunContext, 'plan'>,
  { clock, emit }: Pick<FleetContext, 'clock' | 'emit'>,
  load: { readonly releasedAt: EpochMs; readonly totalMs: Milliseconds },
): Losses {
  const { onLost, allowedLoss = 0 } = plan.fleet;
  let lostShare: Share = 0;
  return {
    goOnWithout: ({ runner, end }) => {
      if (onLost === 'abort') return false;
      const segment = plan.runners.find(({ id }) => id === runner.id)?.segment ?? '0:1';
      const left = load.totalMs > 0 ? Math.max(0, 1 - (clock.now() - load.releasedAt) / load.totalMs) : 1;
      lostShare += segmentShare(segment) * left;
      emit({ type: 'runner-lost', runner: runner.id, end, lostShare, allowed: lostShare <= allowedLoss });
      return true;
    },
  };
}
