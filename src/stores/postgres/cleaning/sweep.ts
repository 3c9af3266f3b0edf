import { stopwatch } from '../../../core/timer.js';
import { addSwept, nothingSwept, type StoreContext, type StoreTask, type Swept } from '../../kind/types.js';
import { findColumns } from '../catalog/columns.js';
import { type Family, findFamilies } from '../catalog/family.js';
import { isReferenced } from '../catalog/foreign-keys.js';
import { listTables } from '../catalog/tables.js';
import { dataPlace } from '../connection/places.js';
import { findRows, rowsOf } from '../pages/look.js';
import type { Piece } from '../pages/piece.js';
import type { Target } from '../selection/targets.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';
import type { Means } from './deletes.js';
import { type Doomed, deleteSql, doomedRows } from './doomed.js';
import { bearsNone, keepIds, looseChildren, orphansOf, returnedIds } from './loose-children.js';
import { findReferences } from './references.js';
import { takeOut } from './rings.js';

/** Counts what is there of these entries. */
export async function countTargets(database: CleanedDatabase, targets: readonly Target[], context: StoreContext): Promise<void> {
  for (const target of targets) {
    const { deleted = 0 } = database.tallies.get(target) ?? {};
    const family = familyOf(database, target);
    database.tallies.set(target, {
      deleted,
      left: rowsOf(await look(database, context, { family, target, selection: target.predicate('t') })),
    });
  }
}

/** Deletes what is there now of every entry that is not left alone, children first; what is left of it the next sweep counts. */
export async function sweepDatabase(database: CleanedDatabase, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { session, blocked, tallies } = database;
  const { rows } = await session.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot');
  database.snapshot = rows[0]?.snapshot;
  // A table may grow, get partitions, and be referenced by new ones, while it is cleaned up.
  const families = await findFamilies(
    session,
    database.targets.map(({ table }) => table),
  );
  await noteDetached(database, families);
  database.families = families;
  database.references = await findReferences(session, database.targets);
  await countTargets(
    database,
    [...blocked.keys()].filter((target) => !tallies.has(target)),
    context,
  );
  let swept = nothingSwept;
  for (const target of openTargets(database)) swept = addSwept(swept, await sweepTarget(database, target, task, context));
  return swept;
}

/** Rows in a part that was taken off its table meanwhile are not found any more, and are there. */
async function noteDetached({ session, targets, families, lines }: CleanedDatabase, now: CleanedDatabase['families']): Promise<void> {
  for (const { table, entry } of new Map(targets.map((target) => [target.table.oid, target])).values()) {
    const lost = families.get(table.oid)?.oids.filter((oid) => !now.get(table.oid)?.oids.includes(oid)) ?? [];
    for (const { shown, inProfile } of await listTables(session, 'c.oid = ANY($1)', [lost])) {
      const why = `${shown} was detached from it meanwhile, and may have rows of the test`;
      const command = `list ${entry.store}.${inProfile} under cleanup.rows, and clean up again`;
      lines.push({ kind: 'unknown', ...dataPlace(session), store: entry.store, what: table.inProfile, count: null, why, command });
    }
  }
}

async function sweepTarget(database: CleanedDatabase, target: Target, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { tallies, troubles } = database;
  const { deleted: before = 0 } = tallies.get(target) ?? {};
  const family = familyOf(database, target);
  let [found, gone] = [0, 0];
  // Kept up to date all along: an interrupt ends the deletes anywhere, and the receipt says how far they were.
  const tell = (now: number) => void tallies.set(target, { deleted: before + gone + now, left: Math.max(0, found - gone - now) });
  for (const selection of [target.predicate('t'), ...(await orphans(database, target))]) {
    const pieces = await look(database, context, { family, target, selection });
    found += rowsOf(pieces);
    tell(0);
    if (pieces.length > 0) gone += await deleteTarget(database, { family, target, selection, pieces, task, tell }, context);
    tell(0);
  }
  if (found > 0 && gone === 0 && !troubles.has(target)) await explain(database, target, family, context);
  const from = gone > 0 ? [{ ...dataPlace(database.session), store: target.entry.store, what: target.table.inProfile, deleted: gone }] : [];
  return { deleted: gone, left: Math.max(0, found - gone), from };
}

/** Rows that are looked for on behalf of an entry. */
interface Looked {
  readonly family: Family;
  readonly target: Target;
  readonly selection: string;
}

/** Rows of one target on their way. */
interface Deleting extends Looked {
  readonly pieces: readonly Piece[];
  readonly task: StoreTask;
  /** Is told how many are gone, as they go. */
  tell(gone: number): void;
}

async function deleteTarget(database: CleanedDatabase, deleting: Deleting, context: StoreContext): Promise<number> {
  const { session, journal, troubles, lost } = database;
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
  const children = looseChildren(target, database.targets);
  const keep = (returned: readonly string[]) => keepIds(lost, children, returned);
  const shown = deleteSql(doomedBy(target, database, family));
  const log: Means['log'] = (_, rows, ms) => journal.log(shown, rows, ms);
  const means: Means = { session, clock, log, signal, pauseMs: task.pauseMs, progress, keep };
  let first: readonly Piece[] | undefined = pieces;
  const find = async () => {
    const known = first ?? (await look(database, context, { family, target, selection }));
    first = undefined;
    return known;
  };
  const { rows, trouble } = await takeOut(doomedBy(target, database, family, selection), find, means);
  if (trouble) troubles.set(target, trouble);
  emit({ type: 'step-finished', step, elapsedMs: took(), result: 'deleted', rows });
  return rows;
}

/** What is to go of an entry, with nothing that would go along with it. */
export function doomedBy(target: Target, database: CleanedDatabase, family: Family, selection = target.predicate('t')): Doomed {
  const { targets, references, tallies } = database;
  const doomed = doomedRows(
    family,
    references.filter(({ parent }) => parent.oid === target.table.oid).map(({ key }) => key),
    selection,
  );
  // Nobody would find what is left of them without the row.
  const children = looseChildren(target, targets);
  const bearing = children.filter((child) => tallies.get(child.target)?.left !== 0);
  const returning = returnedIds(children);
  return {
    ...doomed,
    guards: [...doomed.guards, ...bearing.map(bearsNone)],
    isIndexed: doomed.isIndexed && bearing.length === 0,
    ...(returning === undefined ? {} : { returning }),
  };
}

/** Conditions for rows whose parents this cleanup has deleted. */
async function orphans({ session, lost }: CleanedDatabase, target: Target): Promise<string[]> {
  const ids = lost.get(target) ?? [];
  const { through } = target;
  if (ids.length === 0 || through === undefined) return [];
  const [column] = await findColumns(session, through.parent, through.key.parentColumns);
  return orphansOf(target, ids, column?.type ?? 'text');
}

/** Why none of the rows went although the server had nothing against it: others are in the way. */
async function explain(database: CleanedDatabase, target: Target, family: Family, context: StoreContext): Promise<void> {
  const { references, targets, troubles } = database;
  const keys = references.filter(({ parent }) => parent.oid === target.table.oid).map(({ key }) => key);
  for (const key of keys) {
    const held = await look(database, context, { family, target, selection: `${target.predicate('t')} AND ${isReferenced(family, key)}` });
    if (held.length > 0) return void troubles.set(target, `rows of ${key.table.inProfile} still reference them`);
  }
  const [child] = looseChildren(target, targets).filter((each) => database.tallies.get(each.target)?.left !== 0);
  if (child !== undefined) troubles.set(target, `rows of ${child.target.table.inProfile} are found through them, and stay`);
}

function familyOf({ families }: CleanedDatabase, { table }: Target): Family {
  const family = families.get(table.oid);
  if (family === undefined) throw new Error(`nobody looked at ${table.shown}`);
  return family;
}

async function look(database: CleanedDatabase, context: StoreContext, { family, target, selection }: Looked): Promise<Piece[]> {
  const { session, journal } = database;
  const { clock, signal } = context;
  const took = stopwatch(clock);
  const found = await findRows({ session, clock, signal }, family, selection);
  journal.log(`SELECT count(*) FROM ${family.table.quoted} AS t WHERE ${target.predicate('t')}`, 0, took());
  return found;
}
