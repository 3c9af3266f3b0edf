import { LoadctlError } from '../../../core/errors.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { notesInMemory, removalsOn } from '../../kind/removals.js';
import type { CleaningCheck, ReachedTable, StoreContext, StoreTask } from '../../kind/types.js';
import { findFamily } from '../catalog/family.js';
import { findHindrances, listTriggers } from '../catalog/hindrances.js';
import { lookAround } from '../catalog/surroundings.js';
import { checkWritable, findTable, type Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { findSeededRows, type SeededRows } from '../rows/seeded-rows.js';
import { findTargets, type Target } from '../selection/targets.js';
import type { CleanedDatabase, FormerRows } from './cleaned-database.js';
import { doubtsOf, noteHidden, standingAgainst, unrecorded } from './obstacles.js';
import { childrenFirst, withParents } from './order.js';
import { statementLog } from './statement-log.js';
import type { Doubt } from './what-stays.js';

/** What is asked of one store, and by whom. */
export interface Asked {
  readonly config: PostgresStore;
  readonly task: StoreTask;
  readonly context: StoreContext;
}

/** A database in which everything was looked at that a cleanup touches. */
export interface LookedAt extends CleaningCheck {
  readonly database: CleanedDatabase;
}

/** Looks at everything that a cleanup touches in one database, and changes nothing; `takes`: seeded rows are to go, too. */
export async function lookAtDatabase(session: Session, asked: Asked, takes: boolean): Promise<LookedAt> {
  const { config, task, context } = asked;
  await checkWritable(session);
  const targets = await findTargets(session, config, task);
  const seeded: SeededRows[] = [];
  for (const set of task.tables) seeded.push(await findSeededRows(session, config, set, task.source(set)));
  const former = await findFormer(session, asked);
  const tables = uniqueTables(takes ? [...targets, ...seeded] : targets);
  const around = await lookAround(session, tables);
  const hindrances = await findHindrances(session, [...around.values()]);
  const listed = { targets, around, beside: await findBeside(session, task) };
  const { hazards, notes } = await standingAgainst({ session, clock: context.clock, signal: context.signal }, { ...listed, hindrances });
  for (const effect of [...notes, ...(await listTriggers(session, tables))]) context.emit({ type: 'noted', code: 'side-effect', effect });
  const doubts = takes ? await doubtsOf(session, task, { seeded, hindrances }) : new Map<SeededRows, Doubt>();
  const { removals = removalsOn(notesInMemory(), undefined) } = context;
  const database: CleanedDatabase = {
    ...nothingYet(session),
    targets: childrenFirst(listed),
    blocked: withParents(new Map([...unrecorded(targets), ...hazards]), listed),
    around,
    seeded,
    former,
    doubts,
    removals,
    prints: removals.counts ? printsOf(task, seeded, former) : new Map(),
  };
  await noteHidden(database, tables);
  // What the role may not do with seeded rows stands against a test as much as what it may not do with entries.
  const ofSets = [...hindrances].flatMap(([oid, hazard]) =>
    hazard.reason !== undefined && seeded.some(({ table }) => table.oid === oid) ? [hazard] : [],
  );
  return { database, hazards: [...new Set([...hazards.values(), ...ofSets])], tables: await reached(session, [...targets, ...seeded]) };
}

function printsOf(task: StoreTask, seeded: readonly SeededRows[], former: readonly FormerRows[]): Map<SeededRows, string> {
  const prints = new Map(seeded.map((rows) => [rows, task.fingerprint(rows.set)]));
  for (const { rows, sets } of former) prints.set(rows, task.fingerprint(rows.set, sets));
  return prints;
}

function nothingYet(session: Session) {
  return {
    session,
    journal: statementLog(session),
    snapshot: undefined,
    tallies: new Map(),
    seededTallies: new Map(),
    setLines: new Map(),
    vanished: new Map(),
    troubles: new Map(),
    dear: new Set<Target>(),
    failed: new Set<Target>(),
    lines: [],
    deletes: 0,
  };
}

/** A table that this role does not even see is listed as if it were not there. */
async function findBeside(session: Session, { beside }: StoreTask): Promise<ReadonlySet<number>> {
  const oids = new Set<number>();
  for (const { table, schema } of beside) {
    const found = await findTable(session, table, schema).catch((error: unknown) => {
      if (error instanceof LoadctlError && error.reason !== 'interrupted') return undefined;
      throw error;
    });
    for (const oid of found === undefined ? [] : (await findFamily(session, found)).oids) oids.add(oid);
  }
  return oids;
}

/** Of what was seeded before and is not in the profile any more a table may be gone, too. */
export async function findFormer(session: Session, { config, task }: Pick<Asked, 'config' | 'task'>): Promise<FormerRows[]> {
  const former: FormerRows[] = [];
  for (const { set, source, sets, again } of task.former) {
    if (!('table' in set)) continue;
    const rows = await findSeededRows(session, config, set, source).catch((error: unknown) => {
      if (error instanceof LoadctlError && error.reason !== 'interrupted') return undefined;
      throw error;
    });
    if (rows?.own !== undefined) former.push({ rows, sets, again });
  }
  return former;
}

function uniqueTables(parts: readonly { readonly table: Table }[]): Table[] {
  return [...new Map(parts.map(({ table }) => [table.oid, table])).values()];
}

type Reaching = Target | SeededRows;

/**
 * Names each table, and all that belongs to it, so that it is the same from whichever store it is reached: by its server's start,
 * its database and its oid.
 */
export async function reached(session: Session, parts: readonly Reaching[]): Promise<ReachedTable[]> {
  const { rows } = await session.query<{ root: number; id: string }>(
    `WITH RECURSIVE family AS (
       SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid UNION SELECT f.root, i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
     SELECT root, concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), (SELECT d.oid FROM pg_database d WHERE datname = current_database()), oid) AS id FROM family`,
    [[...new Set(parts.map(({ table }) => table.oid))]],
  );
  return parts.flatMap((part) =>
    rows
      .filter(({ root }) => root === part.table.oid)
      .map(({ id }) => ({ id, store: 'set' in part ? part.set.store : part.entry.store, table: part.table.inProfile })),
  );
}
