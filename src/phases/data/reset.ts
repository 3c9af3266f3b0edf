import { LoadctlError } from '../../core/errors.js';
import type { ChangedSeed } from '../../core/receipt.js';
import { scope } from '../../core/scope.js';
import { notesInMemory, removalsOn } from '../../stores/kind/removals.js';
import { together } from '../../stores/kind/together.js';
import { type CheckedCleaning, refuseHazards } from '../../stores/kind/types.js';
import { checkCleanings, openCleanings } from './cleanings.js';
import type { DataContext } from './lock.js';

/**
 * Takes out seeded rows and entries that were changed since, so that the next seed can put them in as they were. Only those that
 * certainly are of a set, and that nothing references. `confirm` is shown what was found, and throws where it is not to go.
 */
export function resetSeeded(context: DataContext, confirm: (changed: readonly ChangedSeed[]) => Promise<void>): Promise<void> {
  return scope(async (defer) => {
    const removals = removalsOn(context.notes ?? notesInMemory(), context.before);
    const quiet = { ...context, removals, emit: () => undefined, isAheadOfSeed: () => true };
    const { cleanings, hazards } = await checkCleanings(await openCleanings(quiet, true, defer), { seeded: true });
    refuseHazards(hazards.filter(({ isFatal, reason }) => isFatal === true || reason !== undefined));
    const changed = await changedIn(cleanings);
    const found = sumOf(changed.map(({ count }) => count));
    if (found > 0) await confirm(changed);
    if (found > 0) refuseOthers(changed, await changedIn(cleanings));
    const removed = found === 0 ? 0 : sumOf(await together(cleanings, (cleaning) => cleaning.takeChanged()));
    context.emit({ type: 'noted', code: 'changed-seed-removed', removed, kept: found - removed });
  });
}

async function changedIn(cleanings: readonly CheckedCleaning[]): Promise<ChangedSeed[]> {
  return (await together(cleanings, (cleaning) => cleaning.changed())).flat();
}

/** Nobody agreed to what came while he read and typed. */
function refuseOthers(shown: readonly ChangedSeed[], now: readonly ChangedSeed[]): void {
  if (JSON.stringify(shown) === JSON.stringify(now)) return;
  throw new LoadctlError('refused', 'seeded rows were changed while their number was typed; nothing was removed', {
    hint: 'Stop what changes them, and run the command again.',
  });
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
