import type { PostgresStore } from '../../profile/schema.js';
import { together } from '../together.js';
import {
  addConflicts,
  type Conflicts,
  noConflicts,
  type OtherRows,
  type SeededStep,
  type Seeding,
  type StoreContext,
  type StoreTask,
} from '../types.js';
import { countOthers } from './others.js';
import { seedingFailure, seedTable } from './seed-table.js';
import { findSeededRows, type SeededRows } from './seeded-rows.js';
import type { Session } from './session.js';
import { closeAll, openSessions } from './sessions.js';
import type { TableStep } from './shards.js';
import { checkPermissions, checkTemporary, checkWritable } from './tables.js';
import { findTargets } from './targets.js';

interface Database {
  readonly session: Session;
  readonly done: SeededStep[];
  rows: readonly SeededRows[];
}

/** Opens a transaction in every database of the store; all stay open until commit or close. */
export async function openSeeding(config: PostgresStore, task: StoreTask, context: StoreContext): Promise<Seeding> {
  const sessions = await openSessions(config, context);
  const databases: Database[] = sessions.map((session) => ({ session, done: [], rows: [] }));
  const steps = task.seed.filter((step): step is TableStep => 'table' in step);
  return {
    async check() {
      const found = await together(databases, (database) => checkDatabase(database, config, steps, context));
      return found.reduce(addConflicts, noConflicts);
    },
    async others() {
      const counts = await together(databases, ({ session, rows }) => others(session, rows, task));
      return counts.flat();
    },
    async commit() {
      for (const { session } of databases) session.seal();
      for (const { session } of databases) await session.query('COMMIT');
      return databases.flatMap(({ done }) => done);
    },
    rollBack: () => closeAll(sessions),
    close: () => closeAll(sessions),
  };
}

async function checkDatabase(
  database: Database,
  config: PostgresStore,
  steps: readonly TableStep[],
  context: StoreContext,
): Promise<Conflicts> {
  const { session } = database;
  await checkWritable(session);
  await checkTemporary(session);
  const rows: SeededRows[] = [];
  for (const step of steps) rows.push(await findSeededRows(session, config, step));
  for (const { table, columns } of rows)
    await checkPermissions(
      session,
      table,
      ['SELECT', 'INSERT'],
      columns.map(({ name }) => name),
    );
  database.rows = rows;
  await session.query('BEGIN');
  let conflicts = noConflicts;
  for (const [index, table] of rows.entries()) conflicts = addConflicts(conflicts, await seedOne(database, table, index + 1, context));
  // A foreign key that is checked late would fail the commit, when other stores are written already.
  if (conflicts.count === 0) await checkLateConstraints(session);
  return conflicts;
}

async function checkLateConstraints(session: Session): Promise<void> {
  try {
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
  } catch (error) {
    throw seedingFailure(error, `${session.place.name}: the database`);
  }
}

async function seedOne({ session, done }: Database, rows: SeededRows, number: number, { emit, store }: StoreContext): Promise<Conflicts> {
  const step = `seed ${session.place.name} ${number} ${rows.table.inProfile}`;
  const startedAt = performance.now();
  emit({ type: 'step-started', step, title: `${rows.table.inProfile} in ${session.place.name}` });
  try {
    const progress = (count: number) => emit({ type: 'step-progressed', step, done: count, total: rows.step.rows, unit: 'rows' });
    const { staged, created, conflicts } = await seedTable(session, rows, number, progress);
    const elapsedMs = Math.round(performance.now() - startedAt);
    const alreadyThere = Math.max(0, staged - created - conflicts.count);
    const rowsPerSecond = Math.round(staged / Math.max(elapsedMs / 1000, 0.001));
    done.push({
      store,
      shard: session.address.shard,
      what: rows.table.inProfile,
      created,
      alreadyThere,
      conflicts: conflicts.count,
      elapsedMs,
      rowsPerSecond,
    });
    if (conflicts.count > 0)
      emit({ type: 'step-failed', step, message: `${conflicts.count} ${conflicts.count === 1 ? 'conflict' : 'conflicts'}` });
    else
      emit({
        type: 'step-finished',
        step,
        elapsedMs,
        detail: `${created} created, ${alreadyThere} already there, ${rowsPerSecond} rows/s`,
      });
    return conflicts;
  } catch (error) {
    emit({ type: 'step-failed', step, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

async function others(session: Session, rows: readonly SeededRows[], task: StoreTask): Promise<OtherRows[]> {
  return countOthers(session, await findTargets(session, task), rows);
}
