import type { CheckedCleaning } from '../../stores/kind/types.js';
import { step, tellerOf } from '../frame/step.js';
import type { DataContext } from './lock.js';
import { type Swept, sweepUntilQuiet } from './sweeps.js';

/** So often what was seeded is tried again, as an application goes on to reference it. */
const mostTries = 10;

/**
 * Takes out what was seeded. A trigger that runs as a row goes, or a writer who still knew the row, may have written by then what
 * only that row leads to, or what keeps it back: all is swept again, and what stayed of the sets is tried again, until nothing goes
 * any more. Hands back what came of the last sweeps; undefined where none was needed, or `sweeps` says that there are to be none.
 */
export function takeSeeded(
  context: DataContext,
  cleanings: readonly CheckedCleaning[],
  { dryRun, sweeps }: { readonly dryRun: boolean; readonly sweeps: boolean },
): Promise<Swept | undefined> {
  const work = async () => {
    const { deleted } = sumsOf(cleanings);
    for (const cleaning of cleanings) await cleaning.takeSeeded(dryRun);
    const taken = sumsOf(cleanings);
    if (!sweeps || (taken.deleted === deleted && !taken.isLeft)) return undefined;
    return sweepAndTake(context, cleanings);
  };
  return step(tellerOf(context), { kind: 'take-out-seeded' }, work, () => ({ result: 'taken-out', dryRun }));
}

/** Ends with sweeps, after which no seeded row was taken any more: they are the proof. */
async function sweepAndTake(context: DataContext, cleanings: readonly CheckedCleaning[]): Promise<Swept> {
  for (let tries = 1; ; tries++) {
    const before = sumsOf(cleanings).deleted;
    const swept = await sweepUntilQuiet(context, cleanings);
    const { deleted } = sumsOf(cleanings);
    if (!swept.quiet || deleted === before || tries === mostTries) return swept;
    for (const cleaning of cleanings) await cleaning.takeLeft?.();
    if (sumsOf(cleanings).deleted === deleted) return swept;
  }
}

/** How many rows and keys are out, and whether any is known to be there still. */
function sumsOf(cleanings: readonly CheckedCleaning[]): { readonly deleted: number; readonly isLeft: boolean } {
  const all = cleanings.map((cleaning) => cleaning.report(false)).flatMap(({ rows, keys }) => [...rows, ...keys]);
  return { deleted: all.reduce((sum, { deleted }) => sum + deleted, 0), isLeft: all.some(({ left }) => (left ?? 0) > 0) };
}
