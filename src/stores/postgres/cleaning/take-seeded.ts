import type { Clock } from '../../../core/os.js';
import type { ReceiptLine } from '../../../core/receipt.js';
import { type Family, findFamily } from '../catalog/family.js';
import { checkReading, type ForeignKey, foreignKeysTo, holdsBack, isReferenced } from '../catalog/foreign-keys.js';
import { checkPermissions, type Table } from '../catalog/tables.js';
import { holdsNoSuchValue, serverMessage } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { hashed, overPages } from '../pages/look.js';
import { isIn } from '../pages/piece.js';
import { describeRow, type SeededRows, sameExactKey, seededQuery, setName, wholeRow } from '../rows/seeded-rows.js';
import { countNumbers } from '../rows/shards.js';
import { noneOf, type Target } from '../selection/targets.js';
import { add, type Deleted } from './deletes.js';
import { type Doomed, deleteSql, doomedRows, mayGo } from './doomed.js';
import { entryFor } from './references.js';
import { takeOut } from './rings.js';
import { countPairs, countThere, firstChanged, holdsSame, isUnchanged, locatePairs, partsOf } from './set-rows.js';
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
  readonly doubt?: Doubt | undefined;
  /** In a dry run: what would be gone by then, so that it references nothing any more. */
  readonly goneBefore?: GoneBefore;
  /** Waits for those who hold rows of these tables, and says how many did; missing where nobody is waited for. */
  readonly wait?: (oids: readonly number[]) => Promise<number>;
  /** Told how many rows are out so far. */
  readonly progress?: (rows: number) => void;
}

/** Why rows have to stay, and what to do about it. */
export interface Doubt {
  readonly why: string;
  readonly command?: string;
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
  /** How many went by themselves while those who held them were waited for. */
  readonly vanished?: number;
}

/** Throws `unavailable` where the role may not take rows out of a seeded table, or not see who references them. */
export async function checkTaking(session: Session, table: Table): Promise<void> {
  await checkPermissions(session, table, ['SELECT', 'DELETE']);
  for (const key of await foreignKeysTo(session, table)) {
    await checkReading(session, table, key);
    if (!holdsBack(key)) await checkPermissions(session, table, ['UPDATE']);
  }
}

/**
 * Takes out the rows that certainly are the set's, whose every seeded column still holds its seeded value, and that no row of
 * others references; then counts what is there still, whatever it holds.
 */
export async function takeSeededRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  const isCertain = rows.own !== undefined || (taking.wasEmpty === true && rows.key !== undefined);
  if (!isCertain) return leaveUncertain(session, rows, taking);
  if (taking.doubt !== undefined) return leaveDoubtful(session, rows, taking.doubt);
  return takeRows(session, rows, taking).catch((error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
    // No row can hold all of what was to be seeded; one with such a key may be there all the same.
    return leaveDoubtful(session, rows, { why: `no row can hold what this set says now: ${serverMessage(error)}` });
  });
}

async function takeRows(session: Session, rows: SeededRows, taking: Taking): Promise<Taken> {
  const { dryRun, log, goneBefore, wait } = taking;
  const family = await findFamily(session, rows.table);
  const keys = await foreignKeysTo(session, rows.table);
  const doomedOf = (part: SeededRows, selection = `${isUnchanged(part, 't')}${isAlone(part)}`): Doomed => ({
    ...doomedRows(family, keys, selection, (key) => staysBefore(key, goneBefore)),
    isIndexed: false,
  });
  const shown = deleteSql(doomedOf(rows)).replace(/\{(\d+,\d+,\d+),[\d,]+\}/g, '{$1,…}');
  if (dryRun) {
    const left = await countPairs(session, rows, mayGo(doomedOf(rows, holdsSame(rows))));
    log(shown, left, 0);
    return { deleted: 0, left, lines: await whatStays(session, rows, { family, keys }, taking) };
  }
  const work = { ...taking, log: (_: string, gone: number, ms: number) => log(shown, gone, ms) };
  let deleted = await takeParts(session, rows, doomedOf, work);
  let left = await countThere(session, rows);
  let vanished = 0;
  // What somebody holds right now may go when he is done.
  if (left > 0 && ((await wait?.([...family.oids, ...keys.map(({ child }) => child.oid)])) ?? 0) > 0) {
    const before = deleted.rows;
    deleted = add(deleted, await takeParts(session, rows, doomedOf, { ...work, progress: (now) => taking.progress?.(before + now) }));
    const there = left;
    left = await countThere(session, rows);
    vanished = there - (deleted.rows - before) - left;
  }
  const lines = left === 0 ? [] : await whatStays(session, rows, { family, keys }, taking);
  const told = lines.reduce((sum, line) => sum + (line.count ?? 0), 0);
  const why =
    deleted.trouble ??
    'they remain although DELETE reported no error: a trigger, rule or row-level security policy keeps them, or another writer inserts them again';
  const untold = told < left ? [lineOf(session, rows, { kind: 'left', count: left - told, why })] : [];
  return { deleted: deleted.rows, left, lines: [...lines, ...untold, ...vanishedLines(session, rows, vanished)], vanished };
}

/** Who held rows may have given them another key before he let go, and they are there still. */
function vanishedLines(session: Session, rows: SeededRows, count: number): ReceiptLine[] {
  const why = 'gone by themselves while cleanup waited for who held them: deleted, or under another key now';
  const command = `look for them in ${rows.set.store}.${rows.table.inProfile}`;
  return count > 0 ? [lineOf(session, rows, { kind: 'unknown', count, why, command })] : [];
}

/** Of a key that need not be unique others may have written the same row meanwhile, and nothing tells the two apart: both stay. */
function isAlone(rows: SeededRows): string {
  if (rows.own !== undefined) return '';
  return ` AND NOT EXISTS (SELECT 1 FROM ${rows.table.quoted} AS x WHERE ${sameExactKey(rows, 'x', 't')} AND (x.tableoid, x.ctid) <> (t.tableoid, t.ctid))`;
}

async function takeParts(
  session: Session,
  rows: SeededRows,
  doomedOf: (part: SeededRows) => Doomed,
  { clock, log, progress }: Pick<Taking, 'clock' | 'log' | 'progress'>,
): Promise<Deleted> {
  let deleted: Deleted = { rows: 0 };
  for (let more = true; more; ) {
    const before = deleted.rows;
    let isTree = false;
    for (const part of partsOf(rows)) {
      const doomed = doomedOf(part);
      const out = deleted.rows;
      const means = { session, clock, log, progress: (now: number) => progress?.(out + now) };
      deleted = add(deleted, await takeOut(doomed, () => locatePairs(session, part, holdsSame(part)), means));
      isTree = doomed.own.length > 0;
    }
    // What only seeded rows of the same table referenced may go now; more than there are go where something writes them again.
    more = isTree && deleted.rows > before && deleted.rows < countNumbers(rows.numbers);
  }
  return deleted;
}

/** Which rows (alias o) that reference a row by a key are still there when it is to go. */
function staysBefore(key: ForeignKey, goneBefore: GoneBefore = { targets: [], seeded: [] }): string {
  const ofTable = ({ table }: { readonly table: Table }) => table.oid === key.table.oid;
  const gone = goneBefore.seeded.filter((set) => ofTable(set) && set.own !== undefined).map((set) => `NOT ${isUnchanged(set, 'o')}`);
  return [noneOf(goneBefore.targets.filter(ofTable), 'o'), ...gone].join(' AND ');
}

/** What makes seeded rows of a table certain. */
export const howToBeCertain = 'seed a column with {n} or {uuid} that is unique in its table, or list the table under cleanup.rows';

/** Rows that may as well be other people's are nobody's to delete, and nothing tells which of them are there. */
async function leaveUncertain(session: Session, rows: SeededRows, { clock }: Taking): Promise<Taken> {
  const isEqual = `EXISTS (SELECT 1 FROM ${seededQuery(rows)} AS s WHERE ${wholeRow(rows.compared, 't')} = ${wholeRow(rows.compared, 's')})`;
  let equal = 0;
  await overPages<{ rows: string }>({ session, clock }, await findFamily(session, rows.table), {
    sqlOf: (range) => `SELECT count(*) AS rows FROM ${range.part.from} AS t WHERE ${isIn(range)} AND ${isEqual}`,
    take: (found) => {
      equal += Number(found.rows);
    },
    settings: hashed,
  }).catch((error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
  });
  const why = `no unique key of theirs holds {n} or {uuid}, so they cannot be told apart from rows of others (${equal} now hold what was seeded)`;
  return { deleted: 0, left: null, lines: [lineOf(session, rows, { kind: 'unknown', count: null, why, command: howToBeCertain })] };
}

async function leaveDoubtful(session: Session, rows: SeededRows, doubt: Doubt): Promise<Taken> {
  const left = await countThere(session, rows);
  const lines = left === 0 ? [] : [lineOf(session, rows, { kind: 'left', count: left, ...doubt })];
  return { deleted: 0, left, lines };
}

/** A line of the receipt about a set's rows in this database. */
export function lineOf({ address }: Session, rows: SeededRows, line: Omit<ReceiptLine, 'store' | 'shard' | 'what'>): ReceiptLine {
  return { ...line, store: rows.set.store, shard: address.shard, what: setName(rows) };
}

/** A set's table, and who references it. */
interface Referenced {
  readonly family: Family;
  readonly keys: readonly ForeignKey[];
}

/** Why rows of a set stay: somebody changed them, or references them. */
async function whatStays(session: Session, rows: SeededRows, { family, keys }: Referenced, taking: Taking): Promise<ReceiptLine[]> {
  const lines = await changedRows(session, rows, taking.named);
  const before: string[] = [];
  for (const key of keys) {
    const isHeld = isReferenced(family, key, staysBefore(key, taking.goneBefore));
    const held = await countPairs(session, rows, [holdsSame(rows), isHeld, ...before.map((other) => `NOT ${other}`)].join(' AND '));
    before.push(isHeld);
    if (held === 0) continue;
    const why = `rows of ${rows.set.store}.${key.table.inProfile} reference ${held === 1 ? 'it' : 'them'}`;
    const command = `add to cleanup.rows: ${entryFor(rows.set.store, rows.set.name, key)}`;
    lines.push(lineOf(session, rows, { kind: 'left', count: held, why, command }));
  }
  return lines;
}

async function changedRows(session: Session, rows: SeededRows, named: string): Promise<ReceiptLine[]> {
  const changed = await countPairs(session, rows, `NOT (${holdsSame(rows)})`);
  if (changed === 0) return [];
  const first = await firstChanged(session, rows, 3);
  const shown = first.map((n) => describeRow(rows, n)).join(', ');
  const why = `changed since the seed: ${shown}${changed > first.length ? ', …' : ''}`;
  return [lineOf(session, rows, { kind: 'left', count: changed, why, command: `loadctl seed ${named} --reset` })];
}
