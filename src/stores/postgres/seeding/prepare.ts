import { LoadctlError } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import { type Hazard, refuseHazards, type StoreContext, type StoreTask } from '../../kind/types.js';
import { findFamily } from '../catalog/family.js';
import { foreignKeysTo } from '../catalog/foreign-keys.js';
import { listTriggers } from '../catalog/hindrances.js';
import { checkPermissions } from '../catalog/permissions.js';
import { checkWritable } from '../catalog/tables.js';
import { type Asked, findFormer } from '../cleaning/look.js';
import { lookAtNumbers, takenNumbers } from '../cleaning/number-ranges.js';
import { howToBeCertain } from '../cleaning/what-stays.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { findRows } from '../pages/look.js';
import { findSeededRows, type SeededRows, setName } from '../rows/seeded-rows.js';
import { findTargets } from '../selection/targets.js';
import type { Database, SetOnItsWay } from './database.js';
import { refuseRings } from './rings.js';

/** Finds the sets in a database, and refuses what cannot be seeded there, before anything is looked for. Only reads. */
export async function prepare(database: Database, asked: Asked): Promise<void> {
  const { session } = database;
  const { config, task, context } = asked;
  await checkWritable(session);
  const found: SeededRows[] = [];
  for (const set of task.tables) found.push(await findSeededRows(session, config, set, task.source(set)));
  for (const rows of found) {
    const names = rows.columns.map(({ name }) => name);
    await checkPermissions(session, rows.table, ['SELECT', 'INSERT'], names);
    await refuseWithoutKey(session, rows);
  }
  await refuseRings(session, found);
  const tables = [...new Map(found.map(({ table }) => [table.oid, table])).values()];
  for (const effect of await listTriggers(session, tables, 'INSERT')) context.emit({ type: 'noted', code: 'side-effect', effect });
  database.former = (await findFormer(session, { config, task })).map(({ rows }) => rows);
  await checkNumbers(session, found, asked);
  for (const rows of found) warnOfUncertain(session, rows, task, context);
  const sets: SetOnItsWay[] = [];
  for (const rows of found) {
    const isTree = (await foreignKeysTo(session, rows.table)).some(({ table }) => table.oid === rows.table.oid);
    const isWatched = await isWatchedTable(session, rows);
    const nothing = { absent: [], there: 0, written: [], transactions: [], firstPage: 0, unknown: [], left: undefined, elapsedMs: 0 };
    sets.push({ rows, isTree, isWatched, ...nothing });
  }
  database.sets = sets;
}

/** So many rows are held against each other without an index. */
const mostWithoutIndex = 5000;

/** Rows that nothing tells apart cannot be found again; and without an index each of them would be looked for in the whole table. */
async function refuseWithoutKey(session: Session, rows: SeededRows): Promise<void> {
  const { key, set, table, unique } = rows;
  const where = `${session.place.name}: ${setName(rows)}`;
  if (key === undefined)
    throw new LoadctlError('invalid-profile', `${where} seeds no unique key of its table, so its rows cannot be found again`, {
      hint: 'Seed a column with {n} or {uuid} that is unique in its table, or name a column that identifies the rows: `key: …`.',
    });
  const bare = (await unindexed(session, rows)).filter(({ isHeir }) => isHeir || !unique.includes(key));
  const rest = mostWithoutIndex - set.rows;
  for (const { name, from, isHeir } of bare) {
    const isLong = !isHeir && rest < 0;
    const more = isLong || (await session.query(`SELECT 1 FROM ${from} OFFSET ${Math.max(0, rest)} LIMIT 1`)).rows.length > 0;
    if (!more) continue;
    const there = isHeir ? ` in ${name}, which inherits from ${table.shown}` : '';
    throw new LoadctlError(
      'invalid-profile',
      `${where}: the key (${key.join(', ')}) has no index${there}, and there are more than ${formatCount(mostWithoutIndex)} rows to look through`,
      {
        hint: `Create it: CREATE INDEX CONCURRENTLY ON ${isHeir ? name : table.quoted} (${key.map((column) => JSON.stringify(column)).join(', ')});`,
      },
    );
  }
}

/** A table of a family in which no index begins with a column of the key. */
interface Unindexed {
  readonly name: string;
  readonly from: string;
  readonly isHeir: boolean;
}

/** An index of the whole is one of its partitions; what inherits from a table has its own, or none. Heirs that the role may not read by themselves are left out. */
async function unindexed(session: Session, { table, key = [] }: SeededRows): Promise<Unindexed[]> {
  const { rows } = await session.query<Unindexed>(
    `WITH RECURSIVE family AS (
       SELECT $1::oid AS oid UNION
       SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid JOIN pg_class c ON c.oid = f.oid WHERE c.relkind <> 'p')
     SELECT n.name, CASE WHEN f.oid = $1 THEN n.name ELSE 'ONLY ' || n.name END AS from, f.oid <> $1 AS "isHeir"
       FROM family f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace s ON s.oid = c.relnamespace
       CROSS JOIN LATERAL (SELECT format('%I.%I', s.nspname, c.relname) AS name) AS n
      WHERE (f.oid = $1 OR has_schema_privilege(s.oid, 'USAGE') AND has_table_privilege(f.oid, 'SELECT'))
        AND NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                         WHERE i.indrelid = f.oid AND i.indisvalid AND i.indpred IS NULL AND a.attname = ANY ($2))`,
    [table.oid, key],
  );
  return rows;
}

/**
 * Numbers are the test's own only where nobody has them and no sequence comes to them (112); a sequence that stays apart is
 * told, as rows that were written past it do not move it.
 */
async function checkNumbers(session: Session, sets: readonly SeededRows[], { config, task, context }: Asked): Promise<void> {
  const hazards: Hazard[] = [];
  for (const rows of sets) {
    const look = await lookAtNumbers(session, rows);
    const taken = await takenNumbers({ session, clock: context.clock }, task, rows);
    hazards.push(...look.hazards, ...(taken === undefined ? [] : [taken]));
    for (const { sequence, next } of look.apart)
      context.emit({ type: 'noted', code: 'sequence-stays', place: dataPlace(session), set: rows.set.name, sequence, next: String(next) });
  }
  // Only what is found by a set may be numbers that others have.
  const isBySet = task.rows.some((entry) => 'in' in entry || ('via' in entry && 'set' in entry.via));
  for (const target of isBySet ? await findTargets(session, config, task) : []) {
    if (target.unrecorded === undefined) continue;
    const { clock, signal } = context;
    const found = await findRows({ session, clock, signal }, await findFamily(session, target.table), target.predicate('t'));
    if (found.length > 0)
      hazards.push({
        message: `${session.place.name}: ${target.table.inProfile} has rows already whose ${target.which}; ${target.unrecorded}`,
        hint: 'Remove what the test left there yourself, or clean up where the set was seeded; else give the set unused numbers (`{n+900000000}`).',
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

async function isWatchedTable(session: Session, { table }: SeededRows): Promise<boolean> {
  const { rows } = await session.query<{ watched: boolean }>(
    `WITH family AS (SELECT $1::oid AS oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
     SELECT row_security_active($1::oid)
         OR EXISTS (SELECT 1 FROM pg_trigger t JOIN family f ON f.oid = t.tgrelid
                     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 4 > 0)
         OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = $1 AND r.ev_type = '3') AS watched`,
    [table.oid],
  );
  return rows[0]?.watched ?? true;
}
