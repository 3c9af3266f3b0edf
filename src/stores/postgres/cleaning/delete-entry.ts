import { stopwatch } from '../../../core/timer.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { findColumns } from '../catalog/columns.js';
import type { Family } from '../catalog/family.js';
import { isReferenced } from '../catalog/foreign-keys.js';
import { aroundOne } from '../catalog/surroundings.js';
import { dataPlace } from '../connection/places.js';
import { findRows, rowsOf } from '../pages/look.js';
import type { Piece } from '../pages/piece.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { type Doomed, deleteSql, doomedRows } from './doomed.js';
import { entryReturning } from './ledger.js';
import { bearsNone, looseChildren, looseEntry, orphansOf } from './loose-children.js';
import type { Means } from './remove.js';
import { takeOut } from './rings.js';

/** Rows that are looked for on behalf of an entry. */
export interface Looked {
  readonly family: Family;
  readonly target: Target;
  readonly selection: string;
}

/** Rows of one target on their way. */
export interface Deleting extends Looked {
  readonly pieces: readonly Piece[];
  readonly task: StoreTask;
  /** Is told how many are gone, as they go. */
  tell(gone: number): void;
}

/** Deletes what was found of an entry; what may not go now is a trouble of it. */
export async function deleteTarget(database: CleanedDatabase, deleting: Deleting, context: StoreContext): Promise<number> {
  const { session, journal, troubles, dear } = database;
  const { clock, emit, signal } = context;
  const { family, target, selection, pieces, task, tell } = deleting;
  troubles.delete(target);
  const step = `delete ${session.place.name} ${target.table.inProfile} ${++database.deletes}`;
  const took = stopwatch(clock);
  emit({ type: 'step-started', step, work: { kind: 'delete', what: target.table.inProfile, ...dataPlace(session) } });
  const progress = (rows: number) => {
    tell(rows);
    emit({ type: 'step-progressed', step, done: rows, total: Math.max(rowsOf(pieces), rows), unit: 'rows' });
  };
  const { ledger } = entryReturning(database, target) ?? {};
  const shown = deleteSql(doomedBy(target, database, family));
  const log: Means['log'] = (_, rows, ms) => journal.log(shown, rows, ms);
  const means: Means = { session, clock, log, signal, pauseMs: task.pauseMs, progress, ledger, isDear: dear.has(target) };
  let first: readonly Piece[] | undefined = pieces;
  const find = async () => {
    const known = first ?? (await lookFor(database, context, { family, target, selection }));
    first = undefined;
    return known;
  };
  const { rows, trouble, isDear } = await takeOut(doomedBy(target, database, family, selection), find, means);
  if (trouble) troubles.set(target, trouble);
  if (isDear) dear.add(target);
  emit({ type: 'step-finished', step, elapsedMs: took(), result: 'deleted', rows });
  return rows;
}

/** What is to go of an entry, with nothing that would go along with it. */
export function doomedBy(target: Target, database: CleanedDatabase, family: Family, selection = target.predicate('t')): Doomed {
  const { targets, around, tallies } = database;
  const doomed = doomedRows(family, aroundOne(around, target.table).keys, selection);
  // Nobody would find what is left of them without the row.
  const children = looseChildren(target, targets);
  const isGone = (child: Target) => aroundOne(around, child.table).family.quoted === undefined;
  const bearing = children.filter((child) => tallies.get(child.target)?.left !== 0 && !isGone(child.target));
  const returning = entryReturning(database, target)?.sql;
  return {
    ...doomed,
    guards: [...doomed.guards, ...bearing.map(bearsNone)],
    isIndexed: doomed.isIndexed && bearing.length === 0,
    ...(returning === undefined ? {} : { returning }),
  };
}

/** So many ids are looked for at once. */
const idsAtOnce = 5000;

/** Conditions for rows whose parents a cleanup has deleted, this one or one before it that was cut off. */
export async function* orphans({ session, removals }: CleanedDatabase, target: Target): AsyncIterable<string> {
  const { through } = target;
  if (through === undefined || through.key.name !== '') return;
  const [column] = await findColumns(session, through.parent, through.key.parentColumns);
  for await (const ids of removals.lost(looseEntry(session, target), idsAtOnce)) yield orphansOf(through, ids, column?.type ?? 'text');
}

/** Why none of the rows went although the server had nothing against it: others are in the way. */
export async function explain(database: CleanedDatabase, target: Target, family: Family, context: StoreContext): Promise<void> {
  const { around, targets, troubles } = database;
  for (const key of aroundOne(around, target.table).keys) {
    const held = await lookFor(database, context, {
      family,
      target,
      selection: `${target.predicate('t')} AND ${isReferenced(family, key)}`,
    });
    if (held.length > 0) return void troubles.set(target, `rows of ${key.table.inProfile} still reference them`);
  }
  const [child] = looseChildren(target, targets).filter((each) => database.tallies.get(each.target)?.left !== 0);
  if (child !== undefined) troubles.set(target, `rows of ${child.target.table.inProfile} are found through them, and stay`);
}

/** Finds rows of an entry, and notes how long that took. */
export async function lookFor(database: CleanedDatabase, context: StoreContext, { family, target, selection }: Looked): Promise<Piece[]> {
  const { session, journal } = database;
  const { clock, signal } = context;
  const took = stopwatch(clock);
  const found = await findRows({ session, clock, signal }, family, selection);
  journal.log(`SELECT count(*) FROM ${family.table.quoted} AS t WHERE ${target.predicate('t')}`, 0, took());
  return found;
}
