import type { Clock } from '../../../core/os.js';
import { leavesOf } from '../catalog/leaves.js';
import type { Session } from '../connection/session.js';
import type { Target } from '../selection/targets.js';
import { countInPasses } from './passes.js';
import type { StatementLog } from './statement-log.js';

/** What counting needs besides a target. */
export interface CountMeans {
  readonly session: Session;
  readonly clock: Clock;
  readonly log: StatementLog;
}

/** As many pages are read in one statement: 32 MB. */
const pagesAtOnce = 4096;

/** Counts a target for the time being: in short transactions where the whole of a long table would be read. */
export async function countForNow(means: CountMeans, target: Target): Promise<number> {
  const { session, clock, log } = means;
  const leaves = (await leavesOf(session, target.table, { toRead: true })) ?? [];
  const isLong = leaves.reduce((sum, { pages }) => sum + pages, 0) > pagesAtOnce;
  const isReadInParts = leaves.every(({ mostPagesAtOnce }) => mostPagesAtOnce === undefined);
  const sql = countSql(target);
  if (!isLong || !isReadInParts || !(await readsWholeTable(session, sql))) return countTarget(means, target);
  const startedAt = clock.elapsed();
  const rows = await countInPasses(session, { table: target.table, condition: target.predicate('t') }, leaves, clock);
  log(sql, 0, clock.elapsed() - startedAt);
  return rows;
}

/** Counts a target in one statement, which sees all of it at one moment. */
export async function countTarget({ session, clock, log }: CountMeans, target: Target): Promise<number> {
  const sql = countSql(target);
  const startedAt = clock.elapsed();
  const { rows } = await session.query<{ count: string }>(sql);
  log(sql, 0, clock.elapsed() - startedAt);
  return Number(rows[0]?.count);
}

function countSql({ table, predicate }: Target): string {
  return `SELECT count(*) FROM ${table.quoted} AS t WHERE ${predicate('t')}`;
}

/** Whether the planner would go over all of the rows with alias t, or of one of its partitions, rather than use an index. */
async function readsWholeTable(session: Session, sql: string): Promise<boolean> {
  const { rows } = await session.query<{ 'QUERY PLAN': unknown }>(`EXPLAIN (FORMAT JSON) ${sql}`);
  return /"Node Type":"Seq Scan"[^{}]*"Alias":"t(_\d+)?"/.test(JSON.stringify(rows[0]?.['QUERY PLAN']));
}
