import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import type { RowSample, StoreContext, StoreTask, WantedSamples } from '../../kind/types.js';
import { addressesOf } from '../connection/places.js';
import { openSession, type Session } from '../connection/session.js';
import { describeRow, findSeededRows, type SeededRows, sameExactKey, seededQuery, wholeRow } from './seeded-rows.js';
import { countNumbers, eachNumber, partOf } from './shards.js';

/** Rows of a set in every database of a store, and whether they are there. Only looks. */
export async function sampleRows(
  config: PostgresStore,
  task: StoreTask,
  { set, which }: WantedSamples,
  context: StoreContext,
): Promise<RowSample[]> {
  const samples = await together(addressesOf(context.store, config), async (address) => {
    const session = await openSession(address, context);
    try {
      const rows = await findSeededRows(session, config, set, task.source(set));
      // Nothing that outlives the transaction: no lock was taken, and a pooler between would hand it to others.
      await session.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'`);
      const last = countNumbers(rows.numbers) - 1;
      const found: RowSample[] = [];
      // Fewer rows than shards leave one without any.
      for (const at of last < 0 ? [] : new Set([0, which === 'ends' ? last : 0])) found.push(...(await sampleRow(session, rows, at)));
      return found;
    } finally {
      await session.close();
    }
  });
  return samples.flat();
}

async function sampleRow(session: Session, rows: SeededRows, at: number): Promise<RowSample[]> {
  const one = partOf(rows.numbers, at, 1);
  const [n] = eachNumber(one);
  if (n === undefined) return [];
  const same = rows.own || rows.key ? sameExactKey(rows, 't', 's') : `${wholeRow(rows.compared, 't')} = ${wholeRow(rows.compared, 's')}`;
  const found = await session.query(
    `SELECT 1 FROM ${rows.table.quoted} AS t, ${seededQuery({ ...rows, numbers: one })} AS s WHERE ${same} LIMIT 1`,
  );
  const { store, shard } = session.address;
  return [{ store, shard, n, row: `${rows.table.inProfile} ${describeRow(rows, n)}`, there: found.rows.length > 0 }];
}
