import type { Milliseconds } from '../../core/quantities.js';
import type { CleanedRows } from '../../core/receipt.js';
import type { PostgresStore } from '../../profile/sections/schema.js';
import { together } from '../kind/together.js';
import type { Cleaning, StoreContext, StoreReceipt, StoreTask, Swept } from '../kind/types.js';
import { type Deleted, type Doomed, deleteFound, deleteSql, type Means } from './deletes.js';
import { holdsBack, joinKeys } from './foreign-keys.js';
import { hidingTables, listTriggers, refuseUnseen } from './hindrances.js';
import { leavesOf } from './leaves.js';
import { sumUpOthers } from './others.js';
import { deleteInPasses } from './passes.js';
import { dataPlace } from './places.js';
import {
  bearsNone,
  checkReferences,
  childrenFirst,
  findReferences,
  looseChildren,
  type Reference,
  selfReferences,
  takesNoOthers,
} from './references.js';
import { countBeside } from './replicas.js';
import { findSeededRows, type SeededRows } from './seeded-rows.js';
import type { Session } from './session.js';
import { closeAll, openSessions } from './sessions.js';
import type { TableStep } from './shards.js';
import { statementLog } from './statement-log.js';
import { checkPermissions, checkWritable, type Table } from './tables.js';
import { checkTaking } from './take-seeded.js';
import { type SeededTallies, takeSteps } from './take-steps.js';
import { type CountMeans, countForNow, countTarget } from './target-counts.js';
import { findTargets, type Target } from './targets.js';

/** One database on its way: what was found in it, what went, what is left. */
interface Database {
  readonly session: Session;
  readonly journal: ReturnType<typeof statementLog>;
  readonly tallies: Map<Target, { deleted: number; left: number }>;
  readonly seededTallies: SeededTallies;
  readonly notes: Set<string>;
  /** Why rows of a target did not go, when they were last tried. */
  readonly troubles: Map<Target, string>;
  countable: boolean;
  /** How many deletes were begun: makes their steps' names unique. */
  deletes: number;
  targets: readonly Target[];
  references: readonly Reference[];
  seeded: readonly SeededRows[];
}

/** Connects to every database of the store. */
export async function openCleaning(config: PostgresStore, task: StoreTask, context: StoreContext): Promise<Cleaning> {
  const sessions = await openSessions(config, context);
  const databases = sessions.map(
    (session): Database => ({
      session,
      journal: statementLog(session),
      tallies: new Map(),
      seededTallies: new Map(),
      notes: new Set(),
      troubles: new Map(),
      countable: true,
      deletes: 0,
      targets: [],
      references: [],
      seeded: [],
    }),
  );
  return {
    async check(users) {
      await together(databases, (database) => checkDatabase(database, { config, task, users }, context));
    },
    async sweep() {
      const swept = await together(databases, (database) => sweepDatabase(database, task, context));
      return swept.reduce(addSwept, { deleted: 0, left: 0 });
    },
    async takeSeeded(dryRun) {
      await together(databases, (database) => takeSteps(database, dryRun, context));
    },
    others: (proof) =>
      countBeside(
        config,
        databases.map(({ session, targets, seeded }) => ({
          session,
          count: (beside) => sumUpOthers(beside, { targets, seeded, proof, clock: context.clock }),
        })),
        context,
      ),
    report: (dryRun) => databases.map((database) => reportOf(database, dryRun)).reduce(addReports),
    close: () => closeAll(sessions),
  };
}

/** What a cleanup is about to take out of a store. */
interface Wanted {
  readonly config: PostgresStore;
  readonly task: StoreTask;
  /** Seeded rows, too. */
  readonly users: boolean;
}

async function checkDatabase(database: Database, { config, task, users }: Wanted, { emit, clock }: StoreContext): Promise<void> {
  const { session, tallies } = database;
  await checkWritable(session);
  const targets = await findTargets(session, task);
  const seeded: SeededRows[] = [];
  for (const step of task.seed.filter((one): one is TableStep => 'table' in one))
    seeded.push(await findSeededRows(session, config, step, task.source(step)));
  for (const { table } of targets) await checkPermissions(session, table, ['SELECT', 'DELETE']);
  if (users) for (const { table } of seeded) await checkTaking(session, table);
  const references = await findReferences(session, targets);
  for (const { key, parent } of references) {
    await checkPermissions(session, key.table, ['SELECT'], key.columns);
    if (!holdsBack(key)) await checkPermissions(session, parent, ['UPDATE']);
  }
  await refuseUnseen(
    session,
    references.map(({ key }) => key),
  );
  const tables = [...new Map(targets.map(({ table }) => [table.oid, table])).values()];
  const cascades = await checkReferences(session, targets, references);
  for (const effect of [...cascades, ...(await listTriggers(session, tables))]) emit({ type: 'noted', code: 'side-effect', effect });
  noteHidden(database, await hidingTables(session, [...tables, ...(users ? seeded.map(({ table }) => table) : [])]));
  Object.assign(database, { targets: childrenFirst(targets, references), references, seeded });
  for (const target of database.targets) tallies.set(target, { deleted: 0, left: await countForNow(countMeans(database, clock), target) });
}

function noteHidden(database: Database, hidden: readonly Table[]): void {
  const { place } = database.session;
  for (const table of hidden) {
    database.countable = false;
    database.notes.add(
      `${place.name}: row-level security may hide rows of ${table.inProfile} from the role ${place.role}, so nobody can tell that none is left; clean up as a role with BYPASSRLS`,
    );
  }
}

async function sweepDatabase(database: Database, task: StoreTask, context: StoreContext): Promise<Swept> {
  const { targets, tallies } = database;
  let deleted = 0;
  for (const target of targets) {
    const { deleted: before = 0, left: known = 0 } = tallies.get(target) ?? {};
    // What was counted last is taken for granted where it was something; nothing may have become something.
    const left = known > 0 ? known : await countTarget(countMeans(database, context.clock), target);
    // Kept up to date all along: an interrupt ends the deletes anywhere, and the receipt says how far they were.
    const tell = (gone: number) => void tallies.set(target, { deleted: before + gone, left: Math.max(0, left - gone) });
    tell(0);
    if (left > 0) deleted += await deleteTarget(database, target, { left, pauseMs: task.pauseMs, tell }, context);
  }
  // What is left over is counted when all deletes are through, as a later one may have freed it; that nothing is, the next sweep.
  let left = 0;
  for (const [target, tally] of tallies) {
    const now = deleted === 0 || tally.left === 0 ? tally.left : await countForNow(countMeans(database, context.clock), target);
    tallies.set(target, { ...tally, left: now });
    left += now;
  }
  return { deleted, left };
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
  database: Database,
  target: Target,
  { left, pauseMs, tell }: Deleting,
  { clock, emit, signal }: StoreContext,
): Promise<number> {
  const { session, journal, troubles } = database;
  troubles.set(target, keptBack(session, target));
  const step = `delete ${session.place.name} ${target.table.inProfile} ${++database.deletes}`;
  const startedAt = clock.now();
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
  emit({ type: 'step-finished', step, elapsedMs: clock.now() - startedAt, result: 'deleted', rows: deleted });
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

function keptBack({ place }: Session, { table }: Target): string {
  return `${place.name}: rows of ${table.inProfile} are still there though deleting them gave no error: a trigger, a rule or row-level security keeps them from the role ${place.role}, rows that reference them are left, or somebody still writes them`;
}

/** A table that references itself goes leaf by leaf; rows that reference each other in a ring then go at once. */
function passes(target: Target, database: Pick<Database, 'targets' | 'references'>, orphans: readonly Target[]): Doomed[] {
  const doomed = doomedBy(target, database, orphans);
  const keys = selfReferences(target.table, database.references);
  if (keys.length === 0) return [doomed];
  const leaves = keys.map(
    (key) =>
      `NOT EXISTS (SELECT 1 FROM ${target.table.quoted} AS c WHERE ${joinKeys(key, 'c', 't')} AND (c.tableoid, c.ctid) <> (t.tableoid, t.ctid))`,
  );
  return [{ ...doomed, first: leaves.join(' AND ') }, doomed];
}

function doomedBy(
  target: Target,
  { targets, references }: Pick<Database, 'targets' | 'references'>,
  orphans: readonly Target[] = [],
): Doomed {
  const alone = takesNoOthers(target, targets, references);
  const condition = [target.predicate('t'), ...alone, ...bearsNone(orphans)].join(' AND ');
  return { table: target.table, condition, passedOn: alone.length > 0 };
}

/** Entries whose rows nobody would find any more without those of the target, and that have some left. */
async function wouldBeOrphans(database: Database, target: Target, clock: StoreContext['clock']): Promise<Target[]> {
  const orphans: Target[] = [];
  for (const child of looseChildren(target, database.targets))
    if ((await countForNow(countMeans(database, clock), child)) > 0) orphans.push(child);
  return orphans;
}

function countMeans({ session, journal }: Database, clock: StoreContext['clock']): CountMeans {
  return { session, clock, log: journal.log };
}

function reportOf(
  { session, targets, references, tallies, seededTallies, journal, notes, troubles, countable }: Database,
  dryRun: boolean,
): StoreReceipt {
  const unsolved = [...troubles].flatMap(([target, trouble]) => (tallies.get(target)?.left ? [trouble] : []));
  const rows = targets.map((target) => ({
    ...placeOf(session),
    table: target.table.inProfile,
    which: target.which,
    ...(tallies.get(target) ?? { deleted: 0, left: 0 }),
  }));
  const taken = [...seededTallies].map(([{ table }, tally]) => ({
    ...placeOf(session),
    table: table.inProfile,
    which: 'seeded and unchanged',
    ...tally,
  }));
  const planned = dryRun
    ? targets.map((target) => ({
        ...shardOf(session),
        sql: deleteSql(doomedBy(target, { targets, references })),
        rows: tallies.get(target)?.left ?? 0,
        ms: 0,
      }))
    : [];
  return {
    rows: [...rows, ...taken],
    keys: [],
    statements: [...planned, ...journal.statements()],
    notes: [...unsolved, ...notes],
    countable,
  };
}

function placeOf(session: Session): Pick<CleanedRows, 'store' | 'shard' | 'host' | 'database' | 'role'> {
  const { place } = session;
  return { ...shardOf(session), host: `${place.host}:${place.port}`, database: place.database, role: place.role };
}

function shardOf({ address }: Session): { store: string; shard: number | null } {
  return { store: address.store, shard: address.shard };
}

function addSwept(one: Swept, other: Swept): Swept {
  return { deleted: one.deleted + other.deleted, left: one.left + other.left };
}

function addReports(one: StoreReceipt, other: StoreReceipt): StoreReceipt {
  return {
    rows: [...one.rows, ...other.rows],
    keys: [...one.keys, ...other.keys],
    statements: [...one.statements, ...other.statements],
    notes: [...one.notes, ...other.notes],
    countable: one.countable && other.countable,
  };
}
