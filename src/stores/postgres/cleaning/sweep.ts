import type { Milliseconds } from '../../../core/quantities.js';
import { stopwatch } from '../../../core/timer.js';
import { addSwept, nothingSwept, type StoreContext, type StoreTask, type Swept } from '../../kind/types.js';
import { joinKeys } from '../catalog/foreign-keys.js';
import { leavesOf } from '../catalog/leaves.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import type { Target } from '../selection/targets.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';
import { type Deleted, type Doomed, deleteFound, type Means } from './deletes.js';
import { deleteInPasses } from './passes.js';
import { bearsNone, looseChildren, selfReferences, takesNoOthers } from './references.js';
import { type CountMeans, countForNow, countTarget } from './target-counts.js';

/** Counts what is there of every entry, those too that are left alone. */
export async function countTargets(database: CleanedDatabase, { clock }: StoreContext): Promise<void> {
  for (const target of database.targets) {
    const { deleted = 0 } = database.tallies.get(target) ?? {};
    database.tallies.set(target, { deleted, left: await countForNow(countMeans(database, clock), target) });
  }
}

/** Deletes what is there now of every entry that is not left alone, and counts again. */
export async function sweepDatabase(database: CleanedDatabase, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { tallies } = database;
  if (tallies.size === 0) await countTargets(database, context);
  let swept = nothingSwept;
  for (const target of openTargets(database)) {
    const { deleted: before = 0, left: known } = tallies.get(target) ?? {};
    // What was counted last is taken for granted where it was something; nothing may have become something.
    const left = known || (await countTarget(countMeans(database, context.clock), target));
    // Kept up to date all along: an interrupt ends the deletes anywhere, and the receipt says how far they were.
    const tell = (gone: number) => void tallies.set(target, { deleted: before + gone, left: Math.max(0, left - gone) });
    tell(0);
    const deleted = left > 0 ? await deleteTarget(database, target, { left, pauseMs: task.pauseMs, tell }, context) : 0;
    const from = deleted > 0 ? [{ ...dataPlace(database.session), store: target.entry.store, what: target.table.inProfile, deleted }] : [];
    swept = addSwept(swept, { deleted, left: 0, from });
  }
  return { ...swept, left: await countAgain(database, swept.deleted > 0, context) };
}

/** What is left over is counted when all deletes are through, as a later one may have freed it; that nothing is, the next sweep. */
async function countAgain(database: CleanedDatabase, isChanged: boolean, { clock }: StoreContext): Promise<number> {
  let sum = 0;
  for (const target of openTargets(database)) {
    const { deleted = 0, left = 0 } = database.tallies.get(target) ?? {};
    const now = !isChanged || left === 0 ? (left ?? 0) : await countForNow(countMeans(database, clock), target);
    database.tallies.set(target, { deleted, left: now });
    sum += now;
  }
  return sum;
}

/** How the rows of one target are deleted. */
interface Deleting {
  /** How many there are, by the last count. */
  readonly left: number;
  readonly pauseMs: Milliseconds | undefined;
  /** Is told how many are gone, as they go. */
  tell(gone: number): void;
}

async function deleteTarget(
  database: CleanedDatabase,
  target: Target,
  { left, pauseMs, tell }: Deleting,
  { clock, emit, signal }: StoreContext,
): Promise<number> {
  const { session, journal, troubles } = database;
  troubles.delete(target);
  const step = `delete ${session.place.name} ${target.table.inProfile} ${++database.deletes}`;
  const took = stopwatch(clock);
  let deleted = 0;
  emit({ type: 'step-started', step, work: { kind: 'delete', what: target.table.inProfile, ...dataPlace(session) } });
  const progress = (rows: number) => {
    tell(rows);
    emit({ type: 'step-progressed', step, done: rows, total: Math.max(left, rows), unit: 'rows' });
  };
  for (const doomed of passes(target, database, await wouldBeOrphans(database, target, clock))) {
    // With rows that reference each other each pass takes the ones that nothing references any more.
    for (let more = true; more; ) {
      const before = deleted;
      const means = { clock, log: journal.log, signal, pauseMs, progress: (rows: number) => progress(before + rows) };
      const { rows, trouble } = await deleteDoomed(session, doomed, left, means);
      deleted += rows;
      if (trouble) troubles.set(target, trouble);
      more = doomed.first !== undefined && rows > 0;
    }
  }
  tell(deleted);
  emit({ type: 'step-finished', step, elapsedMs: took(), result: 'deleted', rows: deleted });
  return deleted;
}

/** So few rows are looked up, by an index where there is one. */
const fewRows = 5000;
/** A page holds some rows: fewer than one of them on two pages is few, too. */
const fewOnPages = 0.5;

/** Few rows are looked up once and taken out; many go in one pass over the table. */
async function deleteDoomed(session: Session, doomed: Doomed, left: number, means: Means): Promise<Deleted> {
  if (left <= fewRows || doomed.first !== undefined) return deleteFound(session, doomed, means);
  const leaves = await leavesOf(session, doomed.table);
  const pages = leaves?.reduce((sum, leaf) => sum + leaf.pages, 0) ?? 0;
  if (leaves === undefined || left < pages * fewOnPages) return deleteFound(session, doomed, means);
  return deleteInPasses(session, doomed, leaves, means);
}

/** A table that references itself goes leaf by leaf; rows that reference each other in a ring then go at once. */
function passes(target: Target, database: CleanedDatabase, orphans: readonly Target[]): Doomed[] {
  const doomed = doomedBy(target, database, orphans);
  const keys = selfReferences(target.table, database.references);
  if (keys.length === 0) return [doomed];
  const leaves = keys.map(
    (key) =>
      `NOT EXISTS (SELECT 1 FROM ${target.table.quoted} AS c WHERE ${joinKeys(key, 'c', 't')} AND (c.tableoid, c.ctid) <> (t.tableoid, t.ctid))`,
  );
  return [{ ...doomed, first: leaves.join(' AND ') }, doomed];
}

/** The rows of an entry, with nothing that would go along with them. */
export function doomedBy(target: Target, { targets, references }: CleanedDatabase, orphans: readonly Target[] = []): Doomed {
  const alone = takesNoOthers(target, targets, references);
  const condition = [target.predicate('t'), ...alone, ...bearsNone(orphans)].join(' AND ');
  return { table: target.table, condition, passedOn: alone.length > 0 };
}

/** Entries whose rows nobody would find any more without those of the target, and that have some left. */
async function wouldBeOrphans(database: CleanedDatabase, target: Target, clock: StoreContext['clock']): Promise<Target[]> {
  const orphans: Target[] = [];
  for (const child of looseChildren(target, database.targets))
    if ((await countForNow(countMeans(database, clock), child)) > 0) orphans.push(child);
  return orphans;
}

function countMeans({ session, journal }: CleanedDatabase, clock: StoreContext['clock']): CountMeans {
  return { session, clock, log: journal.log };
}
