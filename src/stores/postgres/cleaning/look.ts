import { LoadctlError } from '../../../core/errors.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { CleaningCheck, Hazard, ReachedTable, StoreContext, StoreTask } from '../../kind/types.js';
import { findFamilies, findFamily } from '../catalog/family.js';
import { checkReading, foreignKeysTo, holdsBack } from '../catalog/foreign-keys.js';
import { farAway, hidingTables, listTriggers, unseenReferences } from '../catalog/hindrances.js';
import { lookAtSequences } from '../catalog/sequences.js';
import { checkPermissions, checkWritable, findTable, type Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import { findSeededRows, type SeededRows } from '../rows/seeded-rows.js';
import { findTargets, type Target } from '../selection/targets.js';
import type { CleanedDatabase, FormerRows } from './cleaned-database.js';
import { lookAtNumbers, unrecordedNumbers } from './number-ranges.js';
import {
  childrenFirst,
  findReferences,
  type Listed,
  lookAtReferences,
  type Reference,
  type ReferenceLook,
  withParents,
} from './references.js';
import { checkTaking, type Doubt } from './take-seeded.js';

/** What is asked of one store, and by whom. */
export interface Asked {
  readonly config: PostgresStore;
  readonly task: StoreTask;
  readonly context: StoreContext;
}

/** Looks at everything that a cleanup touches in one database, and changes nothing; what it finds is kept in the database's own record. */
export async function lookAtDatabase(database: CleanedDatabase, asked: Asked, seeded: boolean): Promise<CleaningCheck> {
  const { session } = database;
  const { task, context } = asked;
  await checkWritable(session);
  const targets = await findTargets(session, asked.config, task);
  await findSets(database, asked, seeded);
  database.families = await findFamilies(
    session,
    targets.map(({ table }) => table),
  );
  const references = await findReferences(session, targets);
  const listed: Listed = { targets, families: database.families, references, beside: await findBeside(session, task) };
  await checkRole(session, targets, references);
  const { hazards, notes } = await structureOf(session, listed, context);
  const tables = uniqueTables(seeded ? [...targets, ...database.seeded] : targets);
  for (const effect of [...notes, ...(await listTriggers(session, tables))]) context.emit({ type: 'noted', code: 'side-effect', effect });
  database.targets = childrenFirst(listed);
  database.references = references;
  database.blocked = withParents(new Map([...unrecorded(targets), ...hazards]), listed);
  // Of rows that are found through others nothing is found where these are hidden.
  const throughs = targets.flatMap(({ through }) => (through === undefined ? [] : [{ table: through.parent }]));
  await noteHidden(database, uniqueTables([...tables.map((table) => ({ table })), ...throughs]));
  return { hazards: [...new Set(hazards.values())], tables: await reached(session, [...targets, ...database.seeded]) };
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

async function findSets(database: CleanedDatabase, { config, task }: Asked, seeded: boolean): Promise<void> {
  const { session } = database;
  const sets: SeededRows[] = [];
  for (const set of task.tables) sets.push(await findSeededRows(session, config, set, task.source(set)));
  database.seeded = sets;
  database.former = await findFormer(session, { config, task });
  if (!seeded) return;
  const doubts = new Map<SeededRows, Doubt>();
  for (const rows of sets) {
    await checkTaking(session, rows.table);
    const [near] = rows.own?.isBare ? (await lookAtNumbers(session, rows)).hazards : [];
    const keys = await foreignKeysTo(session, rows.table);
    const unseen = await unseenReferences(session, rows.table, keys);
    const far = farAway(session, await findFamily(session, rows.table), keys);
    const hazard = far ?? near;
    const why = hazard === undefined ? unrecordedNumbers(task, rows) : undefined;
    if (why !== undefined) doubts.set(rows, { why, command: 'clean up where the set was seeded, or remove them yourself' });
    else if (hazard !== undefined || unseen !== undefined) doubts.set(rows, doubtOf(hazard ?? unseen));
  }
  database.doubts = doubts;
}

function doubtOf(hazard: Hazard | undefined): Doubt {
  return { why: hazard?.message ?? '', ...(hazard === undefined ? {} : { command: hazard.hint }) };
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

async function checkRole(session: Session, targets: readonly Target[], references: readonly Reference[]): Promise<void> {
  for (const { table } of targets) await checkPermissions(session, table, ['SELECT', 'DELETE']);
  for (const { key, parent } of references) {
    await checkReading(session, parent, key);
    if (!holdsBack(key)) await checkPermissions(session, parent, ['UPDATE']);
  }
}

/** What the schema itself holds against entries. */
async function structureOf(
  session: Session,
  listed: Listed,
  { clock }: StoreContext,
): Promise<Pick<ReferenceLook, 'notes'> & { readonly hazards: ReadonlyMap<Target, Hazard> }> {
  const { targets, families, references } = listed;
  const look = await lookAtReferences(session, listed, clock);
  const hazards = new Map<Target, Hazard>();
  for (const target of targets) {
    const { table, numbers, doubt } = target;
    const keys = references.filter(({ parent }) => parent.oid === table.oid).map(({ key }) => key);
    const near = numbers === undefined ? [] : (await lookAtSequences(session, numbers)).hazards;
    const uncertain =
      doubt === undefined ? undefined : { message: `${session.place.name}: ${doubt}`, hint: 'Name a column: `column: …, in: SET.COLUMN`.' };
    const far = farAway(session, families.get(table.oid), keys);
    const hazard = far ?? uncertain ?? near[0] ?? look.hazards.get(table.oid) ?? (await unseenReferences(session, table, keys));
    if (hazard !== undefined) hazards.set(target, hazard);
  }
  return { hazards, notes: look.notes };
}

function unrecorded(targets: readonly Target[]): [Target, Hazard][] {
  return targets.flatMap((target): [Target, Hazard][] => {
    const { unrecorded: why } = target;
    return why === undefined
      ? []
      : [
          [
            target,
            { message: why, hint: 'Clean up where the set was seeded; what nobody looked at then, remove yourself, and seed again.' },
          ],
        ];
  });
}

async function noteHidden({ session, lines }: CleanedDatabase, tables: readonly Table[]): Promise<void> {
  const { place, address } = session;
  for (const table of await hidingTables(session, tables)) {
    const why = `row-level security may hide rows of it from the role ${place.role}, so whether any is left is unknown`;
    lines.push({
      kind: 'unknown',
      store: address.store,
      shard: address.shard,
      what: table.inProfile,
      count: null,
      why,
      command: 'clean up as a role with BYPASSRLS',
    });
  }
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
