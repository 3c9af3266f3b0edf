import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { ReceiptLine } from '../../core/receipt.js';
import { together } from '../../stores/kind/together.js';
import { addSwept, type CheckedCleaning, type Late, nothingSwept, type SweptFrom } from '../../stores/kind/types.js';
import type { DataContext } from './lock.js';

/** What came of sweeping. */
export interface Swept {
  /** Two counts in a row, `settle` apart, found nothing. */
  readonly quiet: boolean;
  /** What came while the cleanup ran, and was taken out as well. */
  readonly late: readonly SweptFrom[];
  /** Who was still at work when the last count began. */
  readonly open: readonly ReceiptLine[];
}

const defaultSettleMs = 500;
const mostSweeps = 30;
/** So often those are waited for who hold what is left: on a busy table somebody always does. */
const mostStuck = 3;

/**
 * Sweeps until a count finds nothing that all see who were at work when there was nothing before:
 *
 *     sweep … → nothing is left → who is at work there? → wait for exactly those → `settle` → sweep: nothing again
 *
 * Gives up when sweeps neither delete nor change anything, whoever held what is left: something swallows the deletes.
 */
export async function sweepUntilQuiet(context: DataContext, cleanings: readonly CheckedCleaning[]): Promise<Swept> {
  const { profile, world, signal } = context;
  const late: SweptFrom[] = [];
  let open: readonly ReceiptLine[] = [];
  let [isZero, stuck, before] = [false, 0, Number.POSITIVE_INFINITY];
  for (let sweep = 1; sweep <= mostSweeps; sweep++) {
    const { deleted, left, from } = (await together(cleanings, (cleaning) => cleaning.sweep())).reduce(addSwept, nothingSwept);
    if (sweep > 1) late.push(...from);
    if (isZero && left + deleted === 0) return { quiet: true, late, open };
    isZero = left === 0;
    const isStuck = left > 0 && deleted === 0 && left >= before;
    stuck = isStuck ? stuck + 1 : 0;
    before = left;
    if (isZero || isStuck) {
      const found = await waitForOthers(cleanings, isStuck);
      open = found.lines;
      if (isStuck && (found.seen === 0 || open.length > 0 || stuck === mostStuck)) return { quiet: false, late: [], open };
    }
    await world.clock.sleep(settleOf(profile), signal);
  }
  return { quiet: false, late, open };
}

async function waitForOthers(cleanings: readonly CheckedCleaning[], isLeft: boolean): Promise<Late> {
  const found = await together(cleanings, async (cleaning) => (await cleaning.late?.(isLeft)) ?? { seen: 0, lines: [] });
  return { seen: found.reduce((sum, { seen }) => sum + seen, 0), lines: found.flatMap(({ lines }) => lines) };
}

/** Why nobody can say that nothing is left although nothing was: somebody goes on writing. */
export function whyNotQuiet({ profile, named }: DataContext, { quiet, late, open }: Swept, seeded: boolean): ReceiptLine[] {
  if (open.length > 0) return [...open];
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
    why: `more kept coming while cleanup removed what was there, to the last of ${mostSweeps} looks: something still writes`,
    command: `stop what writes them, or give it time (cleanup.settle, now ${formatDuration(settleOf(profile))}); then loadctl cleanup ${named ?? `--env ${profile.environment}`}${seeded ? ' --seeded' : ''}`,
  }));
}

function settleOf({ cleanup }: DataContext['profile']): Milliseconds {
  return cleanup?.settle ?? defaultSettleMs;
}
