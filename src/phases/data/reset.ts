import { LoadctlError } from '../../core/errors.js';
import { formatCount } from '../../core/quantities.js';
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
export async function resetSeeded(context: DataContext, confirm: (changed: readonly ChangedSeed[]) => Promise<void>): Promise<void> {
  const so: SoFar = { found: 0, removed: 0 };
  try {
    await removeChanged(context, confirm, so);
  } catch (error) {
    throw howFar(error, so, context);
  }
  context.emit({ type: 'noted', code: 'changed-seed-removed', removed: so.removed, kept: so.found - so.removed });
}

/** Changed rows and entries that were found, and how many of them went. */
interface SoFar {
  found: number;
  removed: number;
}

function removeChanged(context: DataContext, confirm: (changed: readonly ChangedSeed[]) => Promise<void>, so: SoFar): Promise<void> {
  return scope(async (defer) => {
    const removals = removalsOn(context.notes ?? notesInMemory(), context.before);
    const quiet = { ...context, removals, emit: () => undefined, isAheadOfSeed: () => true };
    const { cleanings, hazards } = await checkCleanings(await openCleanings(quiet, true, defer), { seeded: true });
    refuseHazards(hazards.filter(({ isFatal, reason }) => isFatal === true || reason !== undefined));
    const changed = await changedIn(cleanings);
    so.found = sumOf(changed.map(({ count }) => count));
    if (so.found === 0) return;
    await confirm(changed);
    refuseOthers(changed, await changedIn(cleanings));
    const removed = (count: number) => {
      so.removed += count;
    };
    await together(cleanings, (cleaning) => cleaning.takeChanged(removed));
  });
}

/** The error that ended it, with what is gone by then: of a connection that broke, more may be. */
function howFar(error: unknown, { found, removed }: SoFar, { signal }: DataContext): unknown {
  const why = signal.aborted && signal.reason instanceof LoadctlError ? signal.reason : error;
  if (!(why instanceof LoadctlError)) return why;
  const isInterrupted = why.reason === 'interrupted';
  if (removed === 0 && !isInterrupted) return why;
  const most = `${isInterrupted ? '' : 'at least '}${formatCount(removed)} of ${formatCount(found)} changed rows were removed`;
  const message = isInterrupted ? 'seed --reset was interrupted' : why.message;
  const hint = `${(isInterrupted ? undefined : why.hint) ?? ''} The same command goes on from there, and inserts what is missing.`.trim();
  if (removed === 0) return new LoadctlError(why.reason, `${message}; nothing was removed`, { hint: 'Run the command again.', cause: why });
  return new LoadctlError(why.reason, `${message}; ${most}`, { hint, lines: why.lines, cause: why });
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
