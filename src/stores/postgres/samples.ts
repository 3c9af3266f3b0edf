import type { PostgresStore } from '../../profile/sections/schema.js';
import { together } from '../kind/together.js';
import type { RowSample, StoreContext, StoreTask } from '../kind/types.js';
import { describeRow, findSeededRows, sameExactKey, seededQuery, wholeRow } from './seeded-rows.js';
import type { Session } from './session.js';
import { closeAll, openSessions } from './sessions.js';
import { eachNumber, partOf, type TableSet } from './shards.js';

/** The first row of a set in every database of a store, and whether it is there. Only looks. */
export async function sampleRows(config: PostgresStore, task: StoreTask, set: TableSet, context: StoreContext): Promise<RowSample[]> {
  const sessions = await openSessions(config, context);
  try {
    const samples = await together(sessions, (session) => sampleRow(session, config, task, set));
    return samples.flat();
  } finally {
    await closeAll(sessions);
  }
}

async function sampleRow(session: Session, config: PostgresStore, task: StoreTask, set: TableSet): Promise<RowSample[]> {
  const rows = await findSeededRows(session, config, set, task.source(set));
  const first = partOf(rows.numbers, 0, 1);
  const [n] = eachNumber(first);
  if (n === undefined) return []; // fewer rows than shards
  const same = rows.own || rows.key ? sameExactKey(rows, 't', 's') : `${wholeRow(rows.compared, 't')} = ${wholeRow(rows.compared, 's')}`;
  const found = await session.query(
    `SELECT 1 FROM ${rows.table.quoted} AS t, ${seededQuery({ ...rows, numbers: first })} AS s WHERE ${same} LIMIT 1`,
  );
  const { store, shard } = session.address;
  return [{ store, shard, n, row: `${rows.table.inProfile} ${describeRow(rows, n)}`, there: found.rows.length > 0 }];
}
