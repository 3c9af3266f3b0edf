import { LoadctlError } from '../../../core/errors.js';
import type { ReceiptLine } from '../../../core/receipt.js';
import type { FormerEntries, StoreTask } from '../../kind/types.js';
import { findFamily } from '../catalog/family.js';
import { findRows, rowsOf } from '../pages/look.js';
import { findTargets, noneOf, type Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import type { Asked } from './look.js';

/** Rows that an entry found when its set was seeded, and does not find as the set is now: they were written, and stay. */
export async function formerEntryLines(database: CleanedDatabase, asked: Asked): Promise<ReceiptLine[]> {
  const lines: ReceiptLine[] = [];
  const { formerEntries, named } = asked.task;
  for (const former of formerEntries) {
    for (const entry of former.task.rows) {
      const target = await findTarget(database, asked, { ...former.task, rows: [entry] });
      const count = target === undefined ? 0 : await countBeside(database, target, asked);
      if (target !== undefined && count > 0) lines.push(lineOf(database, target, { former, count, named }));
    }
  }
  return lines;
}

/** Of what was seeded before a table or a column may be gone, and with it the rows. */
async function findTarget({ session }: CleanedDatabase, { config }: Asked, task: StoreTask): Promise<Target | undefined> {
  const found = await findTargets(session, config, task).catch((error: unknown) => {
    if (error instanceof LoadctlError && error.reason !== 'interrupted') return [];
    throw error;
  });
  return found[0];
}

async function countBeside(
  { session, targets }: CleanedDatabase,
  { table, predicate }: Target,
  { context: { clock, signal } }: Asked,
): Promise<number> {
  const now = targets.filter((each) => each.table.oid === table.oid);
  const family = await findFamily(session, table);
  return rowsOf(await findRows({ session, clock, signal }, family, `${predicate('t')} AND ${noneOf(now, 't')}`));
}

function lineOf(
  { session }: CleanedDatabase,
  { entry, table, which, doubt }: Target,
  { former, count, named }: { readonly former: FormerEntries; readonly count: number; readonly named: string },
): ReceiptLine {
  return {
    kind: doubt === undefined ? 'left' : 'unknown',
    store: entry.store,
    shard: session.address.shard,
    what: `${entry.store}.${table.inProfile}`,
    count,
    why: `${which} as it was: ${former.why}`,
    command: `loadctl cleanup ${named} ${former.again}`,
  };
}
