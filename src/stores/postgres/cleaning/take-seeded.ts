import type { Clock } from '../../../core/os.js';
import type { ReceiptLine } from '../../../core/receipt.js';
import { type ForeignKey, foreignKeysTo, holdsBack, joinKeys } from '../catalog/foreign-keys.js';
import { checkPermissions, type Table } from '../catalog/tables.js';
import { holdsNoSuchValue, serverMessage } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { describeRow, exactKey, type SeededRows, sameExactKey, sameRow, seededQuery, setName, wholeRow } from '../rows/seeded-rows.js';
import { countNumbers, partOf } from '../rows/shards.js';
import { noneOf, type Target } from '../selection/targets.js';
import { add, type Deleted, type Doomed, deleteFound, deleteSql } from './deletes.js';
import { entryFor } from './references.js';
import type { StatementLog } from './statement-log.js';

/** How seeded rows are taken out. */
export interface Taking {
  /** How a command names the profile. */
  readonly named: string;
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly log: StatementLog;
  /** No row like these was there before they were written. */
  readonly wasEmpty?: boolean;
  /** Why they have to stay, whoever's they are. */
  readonly doubt?: string | undefined;
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

/** What became of a set's rows. */
export interface Taken {
  readonly deleted: number;
  /** All that are there still, whatever they hold; null where nothing tells which those are. In a dry run those that would go. */
  readonly left: number | null;
  /** Which rows stay, and why. */
  readonly lines: readonly ReceiptLine[];
}

/** Throws `unavailable` where the role may not take rows out of a seeded table, or not see who references them. */
export async function checkTaking(session: Session, table: Table): Promise<void> {
  await checkPermissions(session, table, ['SELECT', 'DELETE']);
  for (const key of await foreignKeysTo(session, table)) {
    await checkPermissions(session, key.table, ['SELECT'], key.columns);
    if (!holdsBack(key)) await checkPermissions(session, table, ['UPDATE']);
  }
}

/**
 * Takes out the rows that certainly are the set's, whose every seeded column still holds its seeded value, and that no row of
 * others references; then counts what is there still, whatever it holds.
 */
export async function takeSeededRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  const isCertain = rows.own !== undefined || (taking.wasEmpty === true && rows.key !== undefined);
  if (!isCertain) return leaveUncertain(session, rows);
  if (taking.doubt !== undefined) return leaveDoubtful(session, rows, taking.doubt);
  return takeRows(session, rows, taking).catch((error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
    // No row can hold all of what was to be seeded; one with such a key may be there all the same.
    return leaveDoubtful(session, rows, `no row can hold what this set says now: ${serverMessage(error)}`);
  });
}

async function takeRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  const { dryRun, clock, log, goneBefore, progress } = taking;
  const keys = await foreignKeysTo(session, rows.table);
  const unused = keys.map((key) => `NOT EXISTS (${referencing(rows, key, goneBefore)})`);
  const doomedOf = (part: SeededRows): Doomed => ({
    table: rows.table,
    condition: [isUnchanged(part, 't'), ...unused].join(' AND '),
    passedOn: keys.some((key) => !holdsBack(key)),
  });
  if (dryRun) {
    const left = await countRows(session, rows, (part) => doomedOf(part).condition);
    log(shownSql(doomedOf(rows)), left, 0);
    return { deleted: 0, left, lines: await whatStays(session, rows, keys, taking) };
  }
  const means = { clock, log: (_: string, gone: number, ms: number) => log(shownSql(doomedOf(rows)), gone, ms) };
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
  const left = await countThere(session, rows);
  const lines = left === 0 ? [] : await whatStays(session, rows, keys, taking);
  const told = lines.reduce((sum, line) => sum + (line.count ?? 0), 0);
  const why =
    deleted.trouble ??
    'they remain although DELETE reported no error: a trigger, rule or row-level security policy keeps them, or another writer inserts them again';
  const untold = told < left ? [lineOf(session, rows, { kind: 'left', count: left - told, why })] : [];
  return { deleted: deleted.rows, left, lines: [...lines, ...untold] };
}

/** What makes seeded rows of a table certain. */
export const howToBeCertain = 'seed a column with {n} or {uuid} that is unique in its table, or list the table under cleanup.rows';

/** Rows that may as well be other people's are nobody's to delete, and nothing tells which of them are there. */
async function leaveUncertain(session: Session, rows: SeededRows): Promise<Taken> {
  const isEqual = (part: SeededRows) =>
    `EXISTS (SELECT 1 FROM ${seededQuery(part)} AS s WHERE ${wholeRow(part.compared, 't')} = ${wholeRow(part.compared, 's')})`;
  const equal = await countRows(session, rows, isEqual).catch((error: unknown) => {
    if (holdsNoSuchValue(error)) return 0;
    throw error;
  });
  const why = `no unique key of theirs holds {n} or {uuid}, so they cannot be told apart from rows of others (${equal} now hold what was seeded)`;
  return { deleted: 0, left: null, lines: [lineOf(session, rows, { kind: 'unknown', count: null, why, command: howToBeCertain })] };
}

async function leaveDoubtful(session: Session, rows: SeededRows, why: string): Promise<Taken> {
  const left = await countThere(session, rows);
  const lines = left === 0 ? [] : [lineOf(session, rows, { kind: 'left', count: left, why })];
  return { deleted: 0, left, lines };
}

/** A line of the receipt about a set's rows in this database. */
export function lineOf({ address }: Session, rows: SeededRows, line: Omit<ReceiptLine, 'store' | 'shard' | 'what'>): ReceiptLine {
  return { ...line, store: rows.set.store, shard: address.shard, what: setName(rows) };
}

/** The statement without all the numbers of a shard's rows. */
function shownSql(doomed: Doomed): string {
  return deleteSql(doomed).replace(/\{(\d+,\d+,\d+),[\d,]+\}/g, '{$1,…}');
}

/** Each transaction makes all rows of its part anew, to hold those against them that it deletes. */
const partRows = 50_000;

/** A set's rows, some at a time. */
export function partsOf(rows: SeededRows): SeededRows[] {
  const parts: SeededRows[] = [];
  for (let from = 0; from < countNumbers(rows.numbers); from += partRows)
    parts.push({ ...rows, numbers: partOf(rows.numbers, from, partRows) });
  return parts;
}

/** Whether the row with this alias is one of the set's, whatever it holds. */
export function isThere(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows, exactKey(rows))} AS s WHERE ${sameExactKey(rows, alias, 's')})`;
}

/** Whether it is one and holds what was seeded. */
export function isUnchanged(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${sameExactKey(rows, alias, 's')} AND ${sameRow(rows.compared, alias, 's')})`;
}

/** Whether it is one and holds something else. */
export function isChanged(rows: SeededRows, alias: string): string {
  return `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${sameExactKey(rows, alias, 's')} AND NOT (${sameRow(rows.compared, alias, 's')}))`;
}

/** The rows (alias r) that reference the row with alias t by a key, and are not about to be gone before it. */
export function referencing(rows: SeededRows, key: ForeignKey, goneBefore: GoneBefore = { targets: [], seeded: [] }): string {
  const notItself = key.table.oid === rows.table.oid ? ' AND (r.tableoid, r.ctid) <> (t.tableoid, t.ctid)' : '';
  const ofTable = ({ table }: { readonly table: Table }) => table.oid === key.table.oid;
  const gone = goneBefore.seeded.filter((set) => ofTable(set) && set.own !== undefined).map((set) => isUnchanged(set, 'r'));
  const others = [noneOf(goneBefore.targets.filter(ofTable), 'r'), ...gone.map((isGone) => `NOT ${isGone}`)].join(' AND ');
  return `SELECT 1 FROM ${key.table.quoted} AS r WHERE ${joinKeys(key, 'r', 't')}${notItself} AND ${others}`;
}

/** How many of the set's rows are there, whatever they hold. */
export async function countThere(session: Session, rows: SeededRows): Promise<number> {
  return countRows(session, rows, (part) => isThere(part, 't')).catch((error: unknown) => {
    if (holdsNoSuchValue(error)) return 0;
    throw error;
  });
}

/** How many rows of a set's table meet a condition on alias t, which may be made of a part of the set. */
export async function countRows(session: Session, rows: SeededRows, condition: (part: SeededRows) => string): Promise<number> {
  let sum = 0;
  const parts = rows.own === undefined && rows.key === undefined ? [rows] : partsOf(rows);
  for (const part of parts) {
    const found = await session.query<{ count: string }>(`SELECT count(*) FROM ${rows.table.quoted} AS t WHERE ${condition(part)}`);
    sum += Number(found.rows[0]?.count);
  }
  return sum;
}

/** Why rows of a set stay: somebody changed them, or references them. */
async function whatStays(session: Session, rows: SeededRows, keys: readonly ForeignKey[], taking: Taking): Promise<ReceiptLine[]> {
  const lines = await changedRows(session, rows, taking.named);
  const before: string[] = [];
  for (const key of keys) {
    const isHeld = `EXISTS (${referencing(rows, key, taking.goneBefore)})`;
    const held = await countRows(session, rows, (part) =>
      [isUnchanged(part, 't'), isHeld, ...before.map((other) => `NOT ${other}`)].join(' AND '),
    );
    before.push(isHeld);
    if (held === 0) continue;
    const why = `rows of ${rows.set.store}.${key.table.inProfile} reference ${held === 1 ? 'it' : 'them'}`;
    const command = `add to cleanup.rows: ${entryFor(rows.set.store, rows.set.name, key)}`;
    lines.push(lineOf(session, rows, { kind: 'left', count: held, why, command }));
  }
  return lines;
}

async function changedRows(session: Session, rows: SeededRows, named: string): Promise<ReceiptLine[]> {
  const changed = await countRows(session, rows, (part) => isChanged(part, 't'));
  if (changed === 0) return [];
  const first = await firstChanged(session, rows, 3);
  const shown = first.map((n) => describeRow(rows, n)).join(', ');
  const why = `changed since the seed: ${shown}${changed > first.length ? ', …' : ''}`;
  return [lineOf(session, rows, { kind: 'left', count: changed, why, command: `loadctl seed ${named} --reset` })];
}

/** The numbers of the first rows that hold something else than what was seeded. */
export async function firstChanged(session: Session, rows: SeededRows, most: number): Promise<number[]> {
  const changed = `${rows.table.quoted} AS t JOIN ${seededQuery(rows)} AS s ON ${sameExactKey(rows, 't', 's')} WHERE NOT (${sameRow(rows.compared, 't', 's')})`;
  const found = await session.query<{ n: string }>(`SELECT s.${rows.ordinal} AS n FROM ${changed} ORDER BY 1 LIMIT ${most}`);
  return found.rows.map(({ n }) => Number(n));
}
