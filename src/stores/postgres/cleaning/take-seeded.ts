import type { ReceiptLine } from '../../../core/receipt.js';
import { foreignKeysTo, neededToDelete } from '../catalog/foreign-keys.js';
import { checkAll } from '../catalog/permissions.js';
import { lookAroundOne } from '../catalog/surroundings.js';
import type { Table } from '../catalog/tables.js';
import { holdsNoSuchValue, serverMessage } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import type { Looking } from '../pages/look.js';
import { type SeededRows, sameExactKey } from '../rows/seeded-rows.js';
import { countNumbers } from '../rows/shards.js';
import { type Doomed, deleteSql, doomedRows, mayGo } from './doomed.js';
import type { Returning } from './ledger.js';
import { add, type Deleted, type Ledger } from './remove.js';
import { takeOut } from './rings.js';
import { countPairs, countThere, holdsSame, isUnchanged, locatePairs, partsOf } from './set-rows.js';
import type { StatementLog } from './statement-log.js';
import { type Doubt, type GoneBefore, leaveDoubtful, leaveUncertain, lineOf, staysBefore, type Taken, whatStays } from './what-stays.js';

/** How seeded rows are taken out. */
export interface Taking extends Looking {
  /** How a command names the profile. */
  readonly named: string;
  readonly dryRun: boolean;
  readonly log: StatementLog;
  /** No row like these was there before they were written. */
  readonly wasEmpty?: boolean;
  /** Why they have to stay, whoever's they are. */
  readonly doubt?: Doubt | undefined;
  /** In a dry run: what would be gone by then, so that it references nothing any more. */
  readonly goneBefore?: GoneBefore;
  /** Waits for those who hold rows of these tables, and says how many did; missing where nobody is waited for. */
  readonly wait?: (oids: readonly number[]) => Promise<number>;
  /** What rows hand back as they go, and how that is noted; missing where nobody has to know of it later. */
  readonly returning?: Partial<Returning>;
  /** Told how many rows are out so far. */
  readonly progress?: (rows: number) => void;
}

/** Throws `unavailable` where the role may not take rows out of a seeded table, or not see who references them. */
export async function checkTaking(session: Session, table: Table): Promise<void> {
  await checkAll(session, neededToDelete(table, await foreignKeysTo(session, table)));
}

/**
 * Takes out the rows that certainly are the set's, whose every seeded column still holds its seeded value, and that no row of
 * others references; then counts what is there still, whatever it holds.
 */
export async function takeSeededRows(rows: SeededRows, taking: Taking): Promise<Taken> {
  const isCertain = rows.own !== undefined || (taking.wasEmpty === true && rows.key !== undefined);
  if (!isCertain) return leaveUncertain(taking, rows);
  if (taking.doubt !== undefined) return leaveDoubtful(taking, rows, taking.doubt);
  return takeRows(rows, taking).catch((error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
    // No row can hold all of what was to be seeded; one with such a key may be there all the same.
    return leaveDoubtful(taking, rows, { why: `no row can hold what this set says now: ${serverMessage(error)}` });
  });
}

async function takeRows(rows: SeededRows, taking: Taking): Promise<Taken> {
  const { session, dryRun, log, goneBefore, wait, named, returning } = taking;
  const { family, keys } = await lookAroundOne(session, rows.table);
  const doomedOf = (part: SeededRows, selection = `${isUnchanged(part, 't')}${isAlone(part)}`): Doomed => ({
    ...doomedRows(family, keys, selection, (key) => staysBefore(key, goneBefore)),
    isIndexed: false,
    ...(returning?.sql === undefined ? {} : { returning: returning.sql }),
  });
  const shown = deleteSql(doomedOf(rows)).replace(/\{(\d+,\d+,\d+),[\d,]+\}/g, '{$1,…}');
  if (dryRun) {
    const left = await countPairs(taking, rows, mayGo(doomedOf(rows, holdsSame(rows))));
    log(shown, left, 0);
    return { deleted: 0, left, lines: await whatStays(taking, rows, { family, keys, named, goneBefore }) };
  }
  const work = { ...taking, ledger: returning?.ledger, log: (_: string, gone: number, ms: number) => log(shown, gone, ms) };
  let deleted = await takeParts(rows, doomedOf, work);
  let left = await countThere(taking, rows);
  let vanished = 0;
  // What somebody holds right now may go when he is done.
  if (left > 0 && ((await wait?.([...family.oids, ...keys.map(({ child }) => child.oid)])) ?? 0) > 0) {
    const before = deleted.rows;
    deleted = add(deleted, await takeParts(rows, doomedOf, { ...work, progress: (now) => taking.progress?.(before + now) }));
    const there = left;
    left = await countThere(taking, rows);
    vanished = there - (deleted.rows - before) - left;
  }
  const lines = left === 0 ? [] : await whatStays(taking, rows, { family, keys, named, goneBefore });
  const told = lines.reduce((sum, line) => sum + (line.count ?? 0), 0);
  const why =
    deleted.trouble ??
    'they remain although DELETE reported no error: a trigger, rule or row-level security policy keeps them, or another writer inserts them again';
  const untold = told < left ? [lineOf(session, rows, { kind: 'left', count: left - told, why })] : [];
  return { deleted: deleted.rows, left, lines: [...lines, ...untold], vanished };
}

/** Who held rows may have given them another key before he let go, and they are there still. */
export function vanishedLines(session: Session, rows: SeededRows, count: number): ReceiptLine[] {
  const why = 'changed by others while cleanup waited for them: deleted, or under another key now';
  const command = `look for them in ${rows.set.store}.${rows.table.inProfile}`;
  return count > 0 ? [lineOf(session, rows, { kind: 'unknown', count, why, command })] : [];
}

/** Of a key that need not be unique others may have written the same row meanwhile, and nothing tells the two apart: both stay. */
function isAlone(rows: SeededRows): string {
  if (rows.own !== undefined) return '';
  return ` AND NOT EXISTS (SELECT 1 FROM ${rows.table.quoted} AS x WHERE ${sameExactKey(rows, 'x', 't')} AND (x.tableoid, x.ctid) <> (t.tableoid, t.ctid))`;
}

async function takeParts(
  rows: SeededRows,
  doomedOf: (part: SeededRows) => Doomed,
  taking: Looking & Pick<Taking, 'log' | 'progress'> & { readonly ledger: Ledger | undefined },
): Promise<Deleted> {
  let deleted: Deleted = { rows: 0 };
  for (let more = true; more; ) {
    const before = deleted.rows;
    let isTree = false;
    for (const part of partsOf(rows)) {
      const doomed = doomedOf(part);
      const out = deleted.rows;
      const means = { ...taking, progress: (now: number) => taking.progress?.(out + now) };
      deleted = add(deleted, await takeOut(doomed, () => locatePairs(taking, part, holdsSame(part)), means));
      isTree = doomed.own.length > 0;
    }
    // What only seeded rows of the same table referenced may go now; more than there are go where something writes them again.
    more = isTree && deleted.rows > before && deleted.rows < countNumbers(rows.numbers);
  }
  return deleted;
}
