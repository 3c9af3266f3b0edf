import type { EpochMs, Share } from '../../core/quantities.js';
import type { Plan } from '../../plan/plan.js';
import { segmentShare } from '../../plan/segments.js';
import type { Runner } from '../../runners/runner/types.js';
import type { LoadEndAt } from '../watch/load-end.js';
import type { FleetContext, LostRunner } from './fleet.js';

/** What is done about runners that are lost while the load is on: the plan's `onLost` and `allowedLoss`. */
export interface Losses {
  /** Whether the others go on; then it is told, with how much of the load is lost by now. */
  readonly goOnWithout: (lost: Pick<LostRunner, 'end'> & { readonly runner: Pick<Runner, 'id'> }) => boolean;
}

/** A runner's share of the load is its segment, for the time that was left when it was lost. */
export function lossesOf(
  { plan }: { readonly plan: Pick<Plan, 'fleet' | 'runners'> },
  { clock, emit }: Pick<FleetContext, 'clock' | 'emit'>,
  load: { readonly releasedAt: EpochMs; readonly endAt: LoadEndAt },
): Losses {
  const { onLost, allowedLoss = 0 } = plan.fleet;
  let lostShare: Share = 0;
  return {
    goOnWithout: ({ runner, end }) => {
      if (onLost === 'abort') return false;
      const segment = plan.runners.find(({ id }) => id === runner.id)?.segment ?? '0:1';
      const elapsedMs = clock.now() - load.releasedAt;
      const totalMs = load.endAt(elapsedMs);
      const left = totalMs > 0 ? Math.max(0, 1 - elapsedMs / totalMs) : 1;
      lostShare += segmentShare(segment) * left;
      emit({ type: 'runner-lost', runner: runner.id, end, lostShare, allowed: lostShare <= allowedLoss });
      return true;
    },
  };
}
