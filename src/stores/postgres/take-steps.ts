import type { StoreContext } from '../kind/types.js';
import { dataPlace } from './places.js';
import type { SeededRows } from './seeded-rows.js';
import type { Session } from './session.js';
import { countNumbers } from './shards.js';
import type { statementLog } from './statement-log.js';
import { type GoneBefore, type Taken, takeSeededRows } from './take-seeded.js';
import type { Target } from './targets.js';

/** How many rows of each seed step are out, and how many may still be there. */
export type SeededTallies = Map<SeededRows, { deleted: number; left: number }>;

/** A database whose seeded rows are taken out. */
interface DatabaseToTake {
  readonly session: Session;
  readonly journal: ReturnType<typeof statementLog>;
  /** Which rows stay, and why. */
  readonly notes: Set<string>;
  readonly targets: readonly Target[];
  readonly seeded: readonly SeededRows[];
  readonly seededTallies: SeededTallies;
}

/** The last step goes first, as it may refer to those before it. An interrupt leaves what is said of the others: all may be there. */
export async function takeSteps(database: DatabaseToTake, dryRun: boolean, context: StoreContext): Promise<void> {
  const { session, seeded, seededTallies } = database;
  const steps = [...seeded].reverse();
  for (const rows of steps) seededTallies.set(rows, { deleted: 0, left: countNumbers(rows.numbers) });
  for (const [index, rows] of steps.entries()) {
    const step = `take ${session.place.name} ${rows.table.inProfile} ${index + 1}`;
    if (!dryRun)
      context.emit({ type: 'step-started', step, work: { kind: 'take-out', what: rows.table.inProfile, ...dataPlace(session) } });
    const startedAt = context.clock.now();
    const { deleted } = await takeStep(
      database,
      rows,
      { dryRun, step, goneBefore: { targets: database.targets, seeded: steps.slice(0, index) } },
      context,
    );
    const elapsedMs = context.clock.now() - startedAt;
    if (!dryRun) context.emit({ type: 'step-finished', step, elapsedMs, result: 'deleted', rows: deleted });
  }
}

async function takeStep(
  { session, journal, notes, seededTallies }: DatabaseToTake,
  rows: SeededRows,
  { dryRun, step, goneBefore }: { readonly dryRun: boolean; readonly step: string; readonly goneBefore: GoneBefore },
  { clock, emit }: StoreContext,
): Promise<Taken> {
  const all = countNumbers(rows.numbers);
  const progress = (deleted: number) => {
    seededTallies.set(rows, { deleted, left: Math.max(0, all - deleted) });
    emit({ type: 'step-progressed', step, done: deleted, total: Math.max(all, deleted), unit: 'rows' });
  };
  const means = { dryRun, clock, log: journal.log, progress, ...(dryRun ? { goneBefore } : {}) };
  const taken = await takeSeededRows(session, rows, means);
  for (const note of taken.notes) notes.add(note);
  seededTallies.set(rows, { deleted: taken.deleted, left: taken.left });
  return taken;
}
