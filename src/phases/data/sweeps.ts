import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { ReceiptLine } from '../../core/receipt.js';
import { together } from '../../stores/kind/together.js';
import { addSwept, type Cleaning, nothingSwept, type SweptFrom } from '../../stores/kind/types.js';
import type { DataContext } from './lock.js';

/** What came of sweeping. */
export interface Swept {
  /** Two counts in a row, `settle` apart, found nothing. */
  readonly quiet: boolean;
  /** What came while the cleanup ran, and was taken out as well. */
  readonly late: readonly SweptFrom[];
}

const defaultSettleMs = 500;
const mostSweeps = 30;

/** Sweeps until two counts find nothing. Gives up when a sweep neither deletes nor changes anything: something swallows the deletes. */
export async function sweepUntilQuiet({ profile, world, signal }: DataContext, cleanings: readonly Cleaning[]): Promise<Swept> {
  const late: SweptFrom[] = [];
  let zeros = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let sweep = 1; sweep <= mostSweeps; sweep++) {
    const { deleted, left, from } = (await together(cleanings, (cleaning) => cleaning.sweep())).reduce(addSwept, nothingSwept);
    if (sweep > 1) late.push(...from);
    zeros = left === 0 && deleted === 0 ? zeros + 1 : left === 0 ? 1 : 0;
    if (zeros === 2) return { quiet: true, late };
    if (left > 0 && deleted === 0 && left >= before) return { quiet: false, late };
    before = left;
    await world.clock.sleep(settleOf(profile), signal);
  }
  return { quiet: false, late };
}

/** Why nobody can say that nothing is left although nothing was: somebody goes on writing. */
export function whyNotQuiet({ profile, named }: DataContext, { quiet, late }: Swept): ReceiptLine[] {
  if (quiet || late.length === 0) return [];
  const sums = new Map<string, SweptFrom>();
  for (const one of late) {
    const key = JSON.stringify([one.store, one.shard, one.what]);
    sums.set(key, { ...one, deleted: one.deleted + (sums.get(key)?.deleted ?? 0) });
  }
  return [...sums.values()].map(({ deleted, ...place }) => ({
    kind: 'unknown',
    ...place,
    count: deleted,
    why: `rows kept coming while cleanup removed them, to the last of ${mostSweeps} looks: something still writes`,
    command: `stop what writes them, or give it time (cleanup.settle, now ${formatDuration(settleOf(profile))}); then loadctl cleanup ${named ?? `--env ${profile.environment}`}`,
  }));
}

function settleOf({ cleanup }: DataContext['profile']): Milliseconds {
  return cleanup?.settle ?? defaultSettleMs;
}
