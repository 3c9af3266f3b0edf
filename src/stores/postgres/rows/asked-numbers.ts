import { LoadctlError } from '../../../core/errors.js';
import type { Pieces } from '../../../profile/templates/pieces.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { numbersSql, piecesSql } from './made-rows.js';
import { allRows, partOf, type RowNumbers, type ShardRule } from './shards.js';

interface Asked {
  readonly mine: string | null;
  readonly least: string | null;
  readonly most: string | null;
}

/**
 * The rows on a shard by a rule in SQL. Postgres reckons it here and nowhere else: in a transaction that may only read, as
 * the one statement that the extended protocol takes, so an expression that is more than one does nothing.
 */
export async function askForNumbers(
  session: Session,
  { shard, shards, sql }: Pick<ShardRule, 'shard' | 'shards'> & { readonly sql: string },
  { rows, key, type }: { readonly rows: number; readonly key: Pieces; readonly type: string },
): Promise<RowNumbers> {
  const list: number[] = [];
  let [least, most, nowhere] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const each = `SELECT g.n, (SELECT (${sql}\n)::bigint FROM (SELECT ${piecesSql(key, 'g.n')}::${type} AS key) AS row_of_key) AS shard`;
    const all = `SELECT string_agg(n::text, ',' ORDER BY n) FILTER (WHERE shard = $1) AS mine, min(shard) AS least, max(shard) AS most,
      count(*) FILTER (WHERE shard IS NULL) AS nowhere FROM (${each} FROM ${numbersSql(partOf(allRows(rows), from, rowsAtOnce))}) AS placed`;
    const asked = await askReadOnly(session, all, shard).catch((error: unknown) => Promise.reject(wrongRule(session, error)));
    for (const n of asked.mine?.split(',') ?? []) list.push(Number(n));
    if (asked.least !== null) least = Math.min(least, Number(asked.least));
    if (asked.most !== null) most = Math.max(most, Number(asked.most));
    nowhere += Number(asked.nowhere);
  }
  if (nowhere === 0 && least >= 0 && most < shards) return { kind: 'list', list };
  throw new LoadctlError(
    'invalid-profile',
    `shardBy.sql gives ${nowhere > 0 ? 'no shard number for some rows' : `${least} to ${most}`}, and the shards are 0 to ${shards - 1}`,
    { hint: `Make it return the number of the shard, such as \`abs(hashtext(key)) % ${shards}\`.` },
  );
}

/** Many databases allow a statement five seconds. */
const rowsAtOnce = 200_000;

function wrongRule({ place }: Session, error: unknown): unknown {
  if (sqlState(error) === undefined) return error;
  return new LoadctlError('invalid-profile', `${place.name}: shardBy.sql failed: ${serverMessage(error)}`, {
    hint: 'Write one expression of `key`, such as `abs(hashtext(key)) % 4`.',
    cause: error,
  });
}

async function askReadOnly(session: Session, sql: string, shard: number): Promise<Asked & { readonly nowhere: string }> {
  await session.query('BEGIN READ ONLY');
  try {
    const { rows } = await session.query<Asked & { nowhere: string }>(sql, [shard]);
    return rows[0] ?? { mine: null, least: null, most: null, nowhere: '1' };
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}
