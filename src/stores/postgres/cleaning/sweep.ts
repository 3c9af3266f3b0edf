import { addSwept, nothingSwept, type StoreContext, type StoreTask, type Swept } from '../../kind/types.js';
import { aroundOne } from '../catalog/surroundings.js';
import { dataPlace } from '../connection/places.js';
import { rowsOf } from '../pages/look.js';
import type { Target } from '../selection/targets.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';
import { deleteTarget, explain, lookFor, orphans } from './delete-entry.js';
import { lookAgain } from './midway.js';
import { forEntry } from './one-by-one.js';

/** Counts what is there of these entries. */
export async function countTargets(database: CleanedDatabase, targets: readonly Target[], context: StoreContext): Promise<void> {
  for (const target of targets) {
    const count = async () => {
      const { deleted = 0 } = database.tallies.get(target) ?? {};
      const { family } = aroundOne(database.around, target.table);
      const found = await lookFor(database, context, { family, target, selection: target.predicate('t') });
      database.tallies.set(target, { deleted, left: rowsOf(found) });
    };
    await forEntry(database, target, count, undefined);
  }
}

/** Deletes what is there now of every entry that is not left alone, children first; what is left of it the next sweep counts. */
export async function sweepDatabase(database: CleanedDatabase, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { session, blocked, tallies } = database;
  const { rows } = await session.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot');
  database.snapshot = rows[0]?.snapshot;
  await lookAgain(database);
  await countTargets(
    database,
    [...blocked.keys()].filter((target) => !tallies.has(target)),
    context,
  );
  let swept = nothingSwept;
  for (const target of openTargets(database)) {
    // Whatever is left of it, another sweep is to look at it.
    const unknown: Swept = { ...nothingSwept, left: 1 };
    swept = addSwept(swept, await forEntry(database, target, () => sweepTarget(database, target, task, context), unknown));
  }
  if (swept.left + swept.deleted === 0) await lookAgain(database);
  return swept;
}

async function* selectionsOf(database: CleanedDatabase, target: Target): AsyncIterable<string> {
  yield target.predicate('t');
  yield* orphans(database, target);
}

async function sweepTarget(database: CleanedDatabase, target: Target, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { tallies, troubles, around } = database;
  const { deleted: before = 0 } = tallies.get(target) ?? {};
  const { family } = aroundOne(around, target.table);
  let [found, gone] = [0, 0];
  // Kept up to date all along: an interrupt ends the deletes anywhere, and the receipt says how far they were.
  const tell = (now: number) => void tallies.set(target, { deleted: before + gone + now, left: Math.max(0, found - gone - now) });
  for await (const selection of selectionsOf(database, target)) {
    const pieces = await lookFor(database, context, { family, target, selection });
    found += rowsOf(pieces);
    tell(0);
    if (pieces.length > 0) gone += await deleteTarget(database, { family, target, selection, pieces, task, tell }, context);
    tell(0);
  }
  if (found > 0 && gone === 0 && !troubles.has(target)) await explain(database, target, family, context);
  const from = gone > 0 ? [{ ...dataPlace(database.session), store: target.entry.store, what: target.table.inProfile, deleted: gone }] : [];
  return { deleted: gone, left: Math.max(0, found - gone), from };
}
