import type { ChangedSeed, ReceiptLine } from '../../../core/receipt.js';
import { stopwatch } from '../../../core/timer.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { lookAroundOne } from '../catalog/surroundings.js';
import { dataPlace } from '../connection/places.js';
import type { Looking } from '../pages/look.js';
import { differencesOf } from '../rows/differences.js';
import { type SeededRows, setName } from '../rows/seeded-rows.js';
import { takingOrder } from '../rows/set-order.js';
import { countNumbers } from '../rows/shards.js';
import { coversSet } from '../selection/targets.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';
import { doomedRows } from './doomed.js';
import { setReturning } from './ledger.js';
import { forSet } from './one-by-one.js';
import { takeOut } from './rings.js';
import { countPairs, countThere, firstChanged, holdsSame, isChanged, locatePairs, partsOf } from './set-rows.js';
import { takeSeededRows, vanishedLines } from './take-seeded.js';
import { lineOf } from './what-stays.js';
import { waitForWriters } from './writers.js';

/** What taking sets out needs to know. */
interface TakingSets {
  readonly task: StoreTask;
  readonly context: StoreContext;
  readonly dryRun: boolean;
}

/** A set goes before those that its rows reference. An interrupt leaves what is said of the others: all may be there. */
export async function takeSets(database: CleanedDatabase, taking: TakingSets): Promise<void> {
  const { session, seeded, seededTallies, lines } = database;
  const sets = (await takingOrder(session, seeded)).filter((rows) => !isCovered(database, rows, taking.task));
  for (const rows of sets) seededTallies.set(rows, { deleted: 0, left: rows.own === undefined ? null : countNumbers(rows.numbers) });
  for (const [index, rows] of sets.entries()) await forSet(database, rows, () => takeSet(database, rows, sets.slice(0, index), taking));
  lines.push(...(await formerLines(database, taking.task, taking.context)));
}

/** Tries again those sets of which rows are left: what referenced them may be gone by now. */
export async function takeLeftSets(database: CleanedDatabase, taking: TakingSets): Promise<void> {
  const { session, seeded, seededTallies } = database;
  for (const rows of await takingOrder(session, seeded))
    if ((seededTallies.get(rows)?.left ?? 0) > 0) await forSet(database, rows, () => takeSet(database, rows, [], taking));
}

async function takeSet(
  database: CleanedDatabase,
  rows: SeededRows,
  before: readonly SeededRows[],
  { task, context, dryRun }: TakingSets,
): Promise<void> {
  const { session, journal, seededTallies, setLines, doubts, targets } = database;
  const { clock, signal, emit } = context;
  const { deleted: gone = 0 } = seededTallies.get(rows) ?? {};
  const step = `take ${session.place.name} ${rows.set.name}${setLines.has(rows) ? ` ${++database.deletes}` : ''}`;
  const tell: StoreContext['emit'] = dryRun ? () => undefined : emit;
  tell({ type: 'step-started', step, work: { kind: 'take-out', what: rows.table.inProfile, ...dataPlace(session) } });
  const took = stopwatch(clock);
  const all = countNumbers(rows.numbers);
  const progress = (now: number) => {
    const deleted = gone + now;
    seededTallies.set(rows, { deleted, left: Math.max(0, all - deleted) });
    tell({ type: 'step-progressed', step, done: deleted, total: Math.max(all, deleted), unit: 'rows' });
  };
  const taken = await takeSeededRows(rows, {
    session,
    clock,
    signal,
    named: task.named,
    dryRun,
    log: journal.log,
    returning: setReturning(database, rows),
    progress,
    doubt: doubts.get(rows),
    wait: async (oids) => {
      const watched = { session, tables: [{ oids, store: rows.set.store, what: rows.table.inProfile }], task };
      return (await waitForWriters(watched, context, true)).seen;
    },
    ...(dryRun ? { goneBefore: { targets, seeded: before } } : {}),
  });
  seededTallies.set(rows, { deleted: gone + taken.deleted, left: taken.left });
  const vanished = (database.vanished.get(rows) ?? 0) + (taken.vanished ?? 0);
  database.vanished.set(rows, vanished);
  setLines.set(rows, [...taken.lines, ...vanishedLines(session, rows, vanished)]);
  tell({ type: 'step-finished', step, elapsedMs: took(), result: 'deleted', rows: taken.deleted });
}

/** What stays for the next test, set by set: told of a cleanup that leaves it. */
export async function keepSets(database: CleanedDatabase, task: StoreTask, { clock, signal }: StoreContext): Promise<void> {
  const { session, lines } = database;
  const looking = { session, clock, signal };
  const keep = (rows: SeededRows, count: () => Promise<number | null>) =>
    forSet(database, rows, async () => {
      const kept = await count();
      if (kept !== 0) lines.push(lineOf(session, rows, { kind: 'kept', count: kept }));
    });
  for (const rows of database.seeded)
    if (!isCovered(database, rows, task)) await keep(rows, async () => (rows.own === undefined ? null : countThere(looking, rows)));
  for (const { rows } of database.former) await keep(rows, () => countUnknown(looking, database, rows));
}

/** Whether an entry takes a set's rows out, whatever else they hold. */
function isCovered(database: CleanedDatabase, rows: SeededRows, { prefix }: StoreTask): boolean {
  return openTargets(database).some((target) => coversSet(target, rows, prefix));
}

/** Rows of sets as they were seeded before, which the profile does not know any more: what it takes to take them out. */
async function formerLines(database: CleanedDatabase, { named }: StoreTask, { clock, signal }: StoreContext): Promise<ReceiptLine[]> {
  const { session, former } = database;
  const lines: ReceiptLine[] = [];
  for (const { rows, again } of former) {
    const count = await countUnknown({ session, clock, signal }, database, rows);
    const why = `seeded before (${rows.set.rows} rows); no longer in the profile`;
    if (count > 0) lines.push(lineOf(session, rows, { kind: 'left', count, why, command: `loadctl cleanup ${named} --seeded ${again}` }));
  }
  return lines;
}

/** How many rows of a former set are there that no set of the profile has. */
function countUnknown(looking: Looking, { seeded }: CleanedDatabase, rows: SeededRows): Promise<number> {
  const now = seeded.flatMap(({ table, own }) => (table.oid === rows.table.oid && own !== undefined ? [`NOT ${own.owns('t')}`] : []));
  return countThere(looking, rows, ['true', ...now].join(' AND '));
}

const shownChanges = 10;

/** The rows that certainly are of a set, and hold something else than was seeded. */
export async function changedSets({ session, seeded, doubts }: CleanedDatabase, { clock, signal }: StoreContext): Promise<ChangedSeed[]> {
  const looking = { session, clock, signal };
  const changed: ChangedSeed[] = [];
  for (const rows of seeded) {
    if (rows.own === undefined || doubts.has(rows)) continue;
    const count = await countPairs(looking, rows, `NOT (${holdsSame(rows)})`);
    if (count === 0) continue;
    const examples = await differencesOf(session, rows, await firstChanged(looking, rows, shownChanges));
    changed.push({
      store: rows.set.store,
      shard: session.address.shard,
      what: setName(rows),
      count,
      examples: examples.map(({ text }) => text),
    });
  }
  return changed;
}

/** Takes those out that nothing references; `removed` is told how many went, transaction by transaction. */
export async function takeChangedSets(
  database: CleanedDatabase,
  { clock, signal }: StoreContext,
  removed: (count: number) => void,
): Promise<void> {
  const { session, seeded, doubts, journal } = database;
  const looking = { session, clock, signal };
  for (const rows of await takingOrder(session, seeded)) {
    if (rows.own === undefined || doubts.has(rows)) continue;
    const { family, keys } = await lookAroundOne(session, rows.table);
    const { sql, ledger } = setReturning(database, rows);
    const returned = sql === undefined ? {} : { returning: sql };
    for (const part of partsOf(rows)) {
      const doomed = { ...doomedRows(family, keys, isChanged(part, 't')), isIndexed: false, ...returned };
      const find = () => locatePairs(looking, part, `NOT (${holdsSame(part)})`);
      let told = 0;
      const progress = (gone: number) => {
        removed(gone - told);
        told = gone;
      };
      progress((await takeOut(doomed, find, { ...looking, log: journal.log, ledger, progress })).rows);
    }
  }
}
