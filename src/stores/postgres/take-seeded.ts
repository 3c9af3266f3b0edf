import type { Clock } from '../../core/os.js';
import { add, type Deleted, type Doomed, deleteFound, deleteSql } from './deletes.js';
import { holdsNoSuchValue, serverMessage } from './errors.js';
import { type ForeignKey, foreignKeysTo, holdsBack, joinKeys } from './foreign-keys.js';
import { refuseUnseen } from './hindrances.js';
import { areCertain, describeRow, type SeededRows, sameKey, sameRow, seededQuery, wholeRow } from './seeded-rows.js';
import type { Session } from './session.js';
import { countNumbers, partOf } from './shards.js';
import type { StatementLog } from './statement-log.js';
import { checkPermissions, type Table } from './tables.js';
import { noneOf, type Target } from './targets.js';

/** How seeded rows are taken out. */
export interface Taking {
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly log: StatementLog;
  /** No row like these was there before they were written. */
  readonly wasEmpty?: boolean;
  /** In a dry run: what would be gone by then, so that it references nothing any more. */
  readonly goneBefore?: GoneBefore;
  /** Told how many rows are out so far. */
  readonly progress?: (rows: number) => void;
}

/** What a real cleanup takes out before. */
export interface GoneBefore {
  readonly targets: readonly Target[];
  readonly seeded: readonly SeededRows[];
}

/** What became of a seed step's rows. */
export interface Taken {
  readonly deleted: number;
  /** Rows that should have gone and did not. */
  readonly left: number;
  /** Which rows stay, and why. */
  readonly notes: readonly string[];
}

/** Throws `unavailable` where the role may not take rows out of a seeded table, or not see who references them. */
export async function checkTaking(session: Session, table: Table): Promise<void> {
  await checkPermissions(session, table, ['SELECT', 'DELETE']);
  const keys = await foreignKeysTo(session, table);
  for (const key of keys) {
    await checkPermissions(session, key.table, ['SELECT'], key.columns);
    if (!holdsBack(key)) await checkPermissions(session, table, ['UPDATE']);
  }
  await refuseUnseen(session, keys);
}

/** Takes out the rows whose every seeded column still holds its seeded value, and that no row of others references. */
export async function takeSeededRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  try {
    return await takeRows(session, rows, taking);
  } catch (error) {
    if (!holdsNoSuchValue(error)) throw error;
    const note = `${session.place.name}: nothing of the seed of ${rows.table.inProfile} can be there: ${serverMessage(error)}`;
    return { deleted: 0, left: 0, notes: [note] };
  }
}

async function takeRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  const { dryRun, clock, log, wasEmpty = false, goneBefore, progress } = taking;
  if (!wasEmpty && !areCertain(rows)) return leaveThem(session, rows);
  const keys = await foreignKeysTo(session, rows.table);
  const unused = keys.map((key) => `NOT EXISTS (${referencing(rows, key, goneBefore)})`);
  const doomedOf = (part: SeededRows): Doomed => ({
    table: rows.table,
    condition: [isUnchanged(part), ...unused].join(' AND '),
    passedOn: keys.some((key) => !holdsBack(key)),
    ...onlyAsMany(part),
  });
  const doomed = doomedOf(rows);
  if (dryRun) {
    const left = await count(session, doomed);
    log(shownSql(doomed), left, 0);
    return { deleted: 0, left, notes: await whatStays(session, rows, keys, goneBefore) };
  }
  // Of rows that look the same those of others cannot be told apart afterwards.
  const copies = rows.key ? 0 : await count(session, doomed);
  const means = { clock, log: (_: string, count: number, ms: number) => log(shownSql(doomed), count, ms) };
  const isTree = keys.some(({ table }) => table.oid === rows.table.oid);
  let deleted: Deleted = { rows: 0 };
  for (let more = true; more; ) {
    const before = deleted.rows;
    for (const part of partsOf(rows)) {
      const out = deleted.rows;
      deleted = add(deleted, await deleteFound(session, doomedOf(part), { ...means, progress: (now) => progress?.(out + now) }));
    }
    // What only seeded rows of the same table referenced may go now.
    more = isTree && deleted.rows > before;
  }
  const notes = await whatStays(session, rows, keys);
  const left = rows.key ? await count(session, doomed) : copies - deleted.rows;
  return { deleted: deleted.rows, left, notes: deleted.trouble ? [...notes, deleted.trouble] : notes };
}

/** Rows that may as well be other people's are nobody's to delete. */
async function leaveThem(session: Session, rows: SeededRows): Promise<Taken> {
  const left = await count(session, { table: rows.table, condition: isUnchanged(rows) });
  if (left === 0) return { deleted: 0, left, notes: [] };
  const note = `${session.place.name}: ${rowsOf(left, rows)} because nothing tells ${left === 1 ? 'it' : 'them'} from other people's: ${howToBeCertain}`;
  return { deleted: 0, left, notes: [note] };
}

/** What makes seeded rows of a table certain. */
export const howToBeCertain = 'seed a column with {uuid}, or one that is unique, or list the table under cleanup.rows';

/** The statement without all the numbers of a shard's rows. */
function shownSql(doomed: Doomed): string {
  return deleteSql(doomed).replace(/\{(\d+,\d+,\d+),[\d,]+\}/g, '{$1,…}');
}

/** Each transaction makes all rows of its part anew, to hold those against them that it deletes. */
const partRows = 50_000;

/** The rows in parts, where a key tells them apart. */
function partsOf(rows: SeededRows): SeededRows[] {
  if (!rows.key) return [rows];
  const parts: SeededRows[] = [];
  for (let from = 0; from < countNumbers(rows.numbers); from += partRows)
    parts.push({ ...rows, numbers: partOf(rows.numbers, from, partRows) });
  return parts;
}

function isUnchanged(rows: SeededRows, alias = 't'): string {
  const same = rows.key
    ? `${sameKey(rows.key, alias, 's')} AND ${sameRow(rows.compared, alias, 's')}`
    : `${wholeRow(rows.compared, alias)} = ${wholeRow(rows.compared, 's')}`;
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${same})`;
}

/** Where nothing tells rows apart, no more copies of a row go than were seeded. */
function onlyAsMany(rows: SeededRows): Pick<Doomed, 'first'> {
  if (rows.key) return {};
  const numbered = `SELECT y.tableoid AS part, y.ctid AS place, ${wholeRow(rows.compared, 'y')} AS row, row_number() OVER (PARTITION BY ${wholeRow(rows.compared, 'y')}) AS copy FROM ${rows.table.quoted} AS y`;
  const wanted = `SELECT ${wholeRow(rows.compared, 's')} AS row, count(*) AS copies FROM ${seededQuery(rows)} AS s GROUP BY 1`;
  return {
    first: `(t.tableoid, t.ctid) IN (SELECT z.part, z.place FROM (${numbered}) AS z JOIN (${wanted}) AS w ON w.row = z.row WHERE z.copy <= w.copies)`,
  };
}

function referencing(rows: SeededRows, key: ForeignKey, goneBefore: GoneBefore = { targets: [], seeded: [] }): string {
  const notItself = key.table.oid === rows.table.oid ? ' AND (r.tableoid, r.ctid) <> (t.tableoid, t.ctid)' : '';
  const ofTable = ({ table }: { readonly table: Table }) => table.oid === key.table.oid;
  const gone = goneBefore.seeded.filter(ofTable).map((step) => isUnchanged(step, 'r'));
  const others = [noneOf(goneBefore.targets.filter(ofTable), 'r'), ...gone.map((isGone) => `NOT ${isGone}`)].join(' AND ');
  return `SELECT 1 FROM ${key.table.quoted} AS r WHERE ${joinKeys(key, 'r', 't')}${notItself} AND ${others}`;
}

async function count(session: Session, { table, condition, first = 'true' }: Doomed): Promise<number> {
  const { rows } = await session.query<{ count: string }>(`SELECT count(*) FROM ${table.quoted} AS t WHERE ${condition} AND ${first}`);
  return Number(rows[0]?.count);
}

async function whatStays(session: Session, rows: SeededRows, keys: readonly ForeignKey[], goneBefore?: GoneBefore): Promise<string[]> {
  const notes = rows.key ? await changedRows(session, rows, rows.key) : [];
  for (const key of keys) {
    const referenced = await count(session, {
      table: rows.table,
      condition: `${isUnchanged(rows)} AND EXISTS (${referencing(rows, key, goneBefore)})`,
    });
    if (referenced > 0)
      notes.push(
        `${session.place.name}: ${rowsOf(referenced, rows)} because rows of ${key.table.inProfile} reference ${referenced === 1 ? 'it' : 'them'}`,
      );
  }
  return notes;
}

async function changedRows(session: Session, rows: SeededRows, key: readonly string[]): Promise<string[]> {
  const changed = `${rows.table.quoted} AS t JOIN ${seededQuery(rows)} AS s ON ${sameKey(key, 't', 's')} WHERE NOT (${sameRow(rows.compared, 't', 's')})`;
  const found = await session.query<{ n: string; total: string }>(
    `SELECT s.${rows.ordinal} AS n, count(*) OVER () AS total FROM ${changed} ORDER BY 1 LIMIT 10`,
  );
  const [first] = found.rows;
  if (!first) return [];
  const shown = found.rows.map(({ n }) => describeRow(rows, Number(n))).join(', ');
  return [
    `${session.place.name}: ${rowsOf(Number(first.total), rows)} because somebody changed ${Number(first.total) === 1 ? 'it' : 'them'}: ${shown}${Number(first.total) > 10 ? ', …' : ''}`,
  ];
}

function rowsOf(count: number, { table }: SeededRows): string {
  return count === 1 ? `1 seeded row of ${table.inProfile} stays,` : `${count} seeded rows of ${table.inProfile} stay,`;
}
