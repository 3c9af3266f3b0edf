import { errorMessage, LoadctlError } from '../../../core/errors.js';
import type { SeededStep } from '../../../core/events.js';
import { formatCount } from '../../../core/quantities.js';
import type { OtherRows, Proof } from '../../../core/receipt.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import {
  addConflicts,
  type Conflicts,
  type Hazard,
  noConflicts,
  refuseHazards,
  type Seeding,
  type StoreContext,
  type StoreTask,
} from '../../kind/types.js';
import { checkPermissions, checkTemporary, checkWritable } from '../catalog/tables.js';
import { type Asked, findFormer } from '../cleaning/look.js';
import { lookAtNumbers, takenNumbers } from '../cleaning/number-ranges.js';
import { howToBeCertain, takeSeededRows } from '../cleaning/take-seeded.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { closeAll, openSessions, openWorkSession } from '../connection/sessions.js';
import { sumUpOthers } from '../proof/others.js';
import { countBeside } from '../proof/replicas.js';
import { findSeededRows, type SeededRows, setName } from '../rows/seeded-rows.js';
import { countNumbers, partOf } from '../rows/shards.js';
import { findTargets, isCertain } from '../selection/targets.js';
import { isFree, mayCopyStraight } from './free-range.js';
import { copyTable, seedingFailure, stageTable, type TableOutcome } from './seed-table.js';

/**
 * One database on its way. Many rows that have nothing in common with what is there are copied `straight` into their tables
 * when all stores were checked, a part at a time: what is in stays in, and the next seed goes on from there. All else is
 * written in one transaction beforehand, which nobody sees before it is committed.
 */
interface Database {
  readonly session: Session;
  /** Further connections for a straight copy; open while it lasts. */
  readonly helpers: Session[];
  readonly done: SeededStep[];
  rows: readonly SeededRows[];
  /** As sets were seeded before, where the profile says something else now. */
  former: readonly SeededRows[];
  straight: boolean;
  /** Rows that were copied straight and are in. */
  written: number;
}

/** A straight copy is committed after so many rows. */
const partRows = 50_000;
/** So many connections copy at the same time: in all databases of a store together, and in one; one in each where there are more. */
const copiesAtOnce = { together: 4, inOne: 2 };

/** Connects to every database of the store. */
export async function openSeeding(config: PostgresStore, task: StoreTask, context: StoreContext): Promise<Seeding> {
  const sessions = await openSessions(config, context);
  const databases = sessions.map(
    (session): Database => ({ session, helpers: [], done: [], rows: [], former: [], straight: false, written: 0 }),
  );
  return {
    async check() {
      const found = await together(databases, (database) => checkDatabase(database, config, task, context));
      return {
        conflicts: found.reduce(addConflicts, noConflicts),
        isGradual: databases.some(({ straight }) => straight),
        others: (proof) => countOthers(databases, { config, task, context }, proof),
        commit: () => commitAll(databases, context),
        async rollBack() {
          await together(databases, (database) => takeBack(database, task, context));
          await closeAll(sessions);
        },
      };
    },
    close: () => closeAll([...sessions, ...databases.flatMap(({ helpers }) => helpers)]),
  };
}

function countOthers(databases: readonly Database[], { config, task, context }: Asked, proof: Proof): Promise<OtherRows[]> {
  const counts = databases.map(({ session, rows, former }) => ({
    session,
    count: async (beside: Session) => {
      const targets = (await findTargets(beside, config, task)).filter(isCertain);
      return sumUpOthers(beside, { targets, seeded: [...rows, ...former], proof, clock: context.clock });
    },
  }));
  return countBeside(config, counts, context);
}

async function commitAll(databases: readonly Database[], context: StoreContext): Promise<SeededStep[]> {
  const straight = databases.filter((database) => database.straight);
  const each = Math.min(copiesAtOnce.inOne, Math.floor(copiesAtOnce.together / databases.length));
  const helpers = Math.max(0, each - 1);
  const failed = new AbortController();
  const write = (database: Database) => writeStraight(database, helpers, context, failed);
  await together(straight, write, () => failed.abort()).catch((error: unknown) => Promise.reject(howFar(databases, error)));
  const open = databases.filter((database) => !database.straight);
  for (const { session } of open) session.seal();
  for (const { session } of open) await session.query('COMMIT');
  await together(databases, analyze);
  return databases.flatMap(({ done }) => done);
}

async function checkDatabase(database: Database, config: PostgresStore, task: StoreTask, context: StoreContext): Promise<Conflicts> {
  const { session } = database;
  await checkWritable(session);
  await checkTemporary(session);
  const rows: SeededRows[] = [];
  for (const set of task.tables) rows.push(await findSeededRows(session, config, set, task.source(set)));
  for (const { table, columns } of rows)
    await checkPermissions(
      session,
      table,
      ['SELECT', 'INSERT'],
      columns.map(({ name }) => name),
    );
  database.rows = rows;
  database.former = (await findFormer(session, { config, task })).map((each) => each.rows);
  await checkNumbers(session, rows, { config, task, context });
  for (const set of rows) warnOfUncertain(session, set, task, context);
  database.straight = await mayCopyStraight(session, rows);
  if (database.straight) return noConflicts;
  await session.query('BEGIN');
  let conflicts = noConflicts;
  for (const [index, table] of rows.entries()) {
    const work = tellStep(database, table, context, (progress) => seedInTransaction(session, table, index + 1, progress));
    const outcome = await work.catch((error: unknown) => {
      // A row that conflicts is not there for those that refer to it: the conflict is what is wrong.
      if (conflicts.count > 0 && error instanceof LoadctlError && error.reason === 'seeding-failed') return undefined;
      throw error;
    });
    if (outcome === undefined) return conflicts;
    conflicts = addConflicts(conflicts, outcome.conflicts);
  }
  // A foreign key that is checked late would fail the commit, when other stores are written already.
  if (conflicts.count === 0) await checkLateConstraints(session);
  return conflicts;
}

/**
 * Numbers are the test's own only where nobody has them and no sequence comes to them (112); a sequence that stays apart is
 * told, as rows that were written past it do not move it.
 */
async function checkNumbers(session: Session, sets: readonly SeededRows[], { config, task, context }: Asked): Promise<void> {
  const hazards: Hazard[] = [];
  for (const rows of sets) {
    const look = await lookAtNumbers(session, rows);
    const taken = await takenNumbers(session, task, rows);
    hazards.push(...look.hazards, ...(taken === undefined ? [] : [taken]));
    for (const { sequence, next } of look.apart)
      context.emit({ type: 'noted', code: 'sequence-stays', place: dataPlace(session), set: rows.set.name, sequence, next: String(next) });
  }
  // Only what is found by a set may be numbers that others have.
  const isBySet = task.rows.some((entry) => 'in' in entry || ('via' in entry && 'set' in entry.via));
  for (const target of isBySet ? await findTargets(session, config, task) : []) {
    if (target.unrecorded === undefined) continue;
    const found = await session.query(`SELECT 1 FROM ${target.table.quoted} AS t WHERE ${target.predicate('t')} LIMIT 1`);
    if (found.rows.length > 0)
      hazards.push({
        message: `${session.place.name}: ${target.table.inProfile} has rows already whose ${target.which}; ${target.unrecorded}`,
        hint: 'Give the set unused numbers (`{n+900000000}`).',
      });
  }
  refuseHazards(hazards);
}

/** Said once, not for every shard; not of sets whose rows cleanup takes out anyway. */
function warnOfUncertain({ address }: Session, rows: SeededRows, task: StoreTask, { emit }: StoreContext): void {
  const isListed = task.rows.some((entry) => entry.table === rows.set.table && entry.schema === rows.set.schema);
  if (rows.own !== undefined || (address.shard ?? 0) > 0 || isListed) return;
  emit({ type: 'warned', code: 'seeded-rows-uncertain', place: dataPlace({ address }), table: setName(rows), fix: howToBeCertain });
}

type Progress = (done: number) => void;

async function seedInTransaction(session: Session, rows: SeededRows, number: number, progress: Progress): Promise<TableOutcome> {
  // A value that its column cannot hold ends the look, and with it the transaction.
  await session.query('SAVEPOINT loadctl_look');
  const free = await isFree(session, rows);
  await session.query('ROLLBACK TO SAVEPOINT loadctl_look; RELEASE SAVEPOINT loadctl_look');
  return free ? copyTable(session, rows, rows.numbers, progress) : stageTable(session, rows, number, progress);
}

async function checkLateConstraints(session: Session): Promise<void> {
  try {
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
  } catch (error) {
    throw seedingFailure(error, `${session.place.name}: the database`);
  }
}

async function writeStraight(database: Database, helpers: number, context: StoreContext, failed: AbortController): Promise<void> {
  const { session, rows } = database;
  for (let more = 0; more < helpers; more++) database.helpers.push(await openWorkSession(session.address, context));
  for (const step of rows) await tellStep(database, step, context, (progress) => copyInParts(database, step, progress, failed));
}

/** Every connection takes the next part as soon as it is done with one, until all are taken or `failed` is aborted. */
async function copyInParts(database: Database, rows: SeededRows, progress: Progress, failed: AbortController): Promise<TableOutcome> {
  const all = countNumbers(rows.numbers);
  const copying = new Map<Session, number>();
  let taken = 0;
  let copied = 0;
  const tell = (session: Session, done: number) => {
    copying.set(session, done);
    progress([...copying.values()].reduce((sum, each) => sum + each, copied));
  };
  const copy = async (session: Session) => {
    while (taken < all && !failed.signal.aborted) {
      const part = partOf(rows.numbers, taken, partRows);
      taken += partRows;
      const { created } = await copyTable(session, rows, part, (done) => tell(session, done));
      copying.delete(session);
      copied += created;
      database.written += created;
    }
  };
  await together([database.session, ...database.helpers], copy, () => failed.abort());
  if (copied < all) throw new LoadctlError('interrupted', 'ended, as another database failed');
  return { rows: copied, created: copied, conflicts: noConflicts };
}

/** Tells of one step in one database, from its beginning to its end. */
async function tellStep(
  database: Database,
  rows: SeededRows,
  { emit, clock }: StoreContext,
  work: (progress: Progress) => Promise<TableOutcome>,
): Promise<TableOutcome> {
  const { session, done } = database;
  const step = `seed ${session.place.name} ${database.rows.indexOf(rows) + 1} ${rows.set.name}`;
  const total = countNumbers(rows.numbers);
  const startedAt = clock.elapsed();
  emit({ type: 'step-started', step, work: { kind: 'seed', what: rows.table.inProfile, ...dataPlace(session) } });
  try {
    const outcome = await work((count) => emit({ type: 'step-progressed', step, done: count, total, unit: 'rows' }));
    const { created, conflicts } = outcome;
    const elapsedMs = Math.round(clock.elapsed() - startedAt);
    const alreadyThere = Math.max(0, outcome.rows - created - conflicts.count);
    const rowsPerSecond = Math.round(outcome.rows / Math.max(elapsedMs / 1000, 0.001));
    const what = rows.table.inProfile;
    const { store } = rows.set;
    done.push({
      store,
      shard: session.address.shard,
      set: rows.set.name,
      what,
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
        result: 'seeded',
        created,
        alreadyThere,
        writtenAgain: 0,
        perSecond: rowsPerSecond,
        unit: 'rows',
      });
    return outcome;
  } catch (error) {
    emit({ type: 'step-failed', step, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** Where the work was ended from outside, what was copied by then stays, and is said. A part whose answer did not come may be in, too. */
function howFar(databases: readonly Database[], error: unknown): unknown {
  if (!(error instanceof LoadctlError) || error.reason === 'seeding-failed') return error;
  const written = databases.reduce((sum, database) => sum + database.written, 0);
  const all = databases.reduce((sum, { rows }) => sum + rows.reduce((rest, { numbers }) => rest + countNumbers(numbers), 0), 0);
  const message = error.reason === 'interrupted' ? 'seeding was interrupted' : error.message;
  return new LoadctlError(
    error.reason === 'interrupted' ? 'interrupted' : 'unavailable',
    `${message}; at least ${formatCount(written)} of ${formatCount(all)} rows are in`,
    {
      hint: `${error.reason === 'interrupted' || error.hint === undefined ? '' : `${error.hint} `}The same command resumes from there.`,
      lines: error.lines,
      cause: error,
    },
  );
}

/** Planners know nothing of rows that came a moment ago. */
const worthAnalyzing = 10_000;

/** Not being allowed to is no failure of the seed: autovacuum comes round. */
async function analyze({ session, rows, done }: Database): Promise<void> {
  const grown = rows.filter((_, index) => (done[index]?.created ?? 0) >= worthAnalyzing);
  for (const { table } of grown) await session.query(`ANALYZE ${table.quoted}`).catch(() => undefined);
}

/** A straight copy that the server refused halfway is taken back, row by row that nobody changed since. */
async function takeBack(
  { session, rows, straight, written }: Database,
  { named }: StoreTask,
  { clock, emit }: StoreContext,
): Promise<void> {
  if (!straight || written === 0) return;
  for (const set of [...rows].reverse()) {
    const taking = takeSeededRows(session, set, { named, dryRun: false, clock, log: () => undefined, wasEmpty: true });
    const why = await taking.then(({ left }) => (left === 0 ? undefined : `${formatCount(left ?? 0)} rows are left`), errorMessage);
    if (why === undefined) continue;
    emit({ type: 'warned', code: 'seed-not-taken-back', place: dataPlace(session), what: set.table.inProfile, why });
  }
}
