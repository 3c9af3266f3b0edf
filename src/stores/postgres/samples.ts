import type { PostgresStore } from '../../profile/sections/schema.js';
import { together } from '../kind/together.js';
import type { RowSample, StoreContext, StoreTask } from '../kind/types.js';
import { describeRow, findSeededRows, sameKey, seededQuery, wholeRow } from './seeded-rows.js';
import type { Session } from './session.js';
import { closeAll, openSessions } from './sessions.js';
import { eachNumber, partOf, type TableStep } from './shards.js';

/** The first row of a seed step in every database of a store, and whether it is there. Only looks. */
export async function sampleRows(config: PostgresStore, task: StoreTask, step: TableStep, context: StoreContext): Promise<RowSample[]> {
  const sessions = await openSessions(config, context);
  try {
    const samples = await together(sessions, (session) => sampleRow(session, config, task, step));
    return samples.flat();
  } finally {
    await closeAll(sessions);
  }
}

async function sampleRow(session: Session, config: PostgresStore, task: StoreTask, step: TableStep): Promise<RowSample[]> {
  const rows = await findSeededRows(session, config, step, task.source(step));
  const first = partOf(rows.numbers, 0, 1);
  const [n] = eachNumber(first);
  if (n === undefined) return []; // fewer rows than shards
  const same = rows.key ? sameKey(rows.key, 't', 's') : `${wholeRow(rows.compared, 't')} = ${wholeRow(rows.compared, 's')}`;
  const found = await session.query(
    `SELECT 1 FROM ${rows.table.quoted} AS t, ${seededQuery({ ...rows, numbers: first })} AS s WHERE ${same} LIMIT 1`,
  );
  const { store, shard } = session.address;
  return [{ store, shard, n, row: `${rows.table.inProfile} ${describeRow(rows, n)}`, there: found.rows.length > 0 }];
}
