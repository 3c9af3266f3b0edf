import { LoadctlError } from '../../../core/errors.js';
import type { Pieces } from '../../../profile/templates/pieces.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { numbersSql, piecesSql } from './made-rows.js';
import { allRows, type RowNumbers, type ShardRule } from './shards.js';

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
  const each = `SELECT g.n, (SELECT (${sql}\n)::bigint FROM (SELECT ${piecesSql(key, 'g.n')}::${type} AS key) AS row_of_key) AS shard`;
  const all = `SELECT string_agg(n::text, ',' ORDER BY n) FILTER (WHERE shard = $1) AS mine, min(shard) AS least, max(shard) AS most,
    count(*) FILTER (WHERE shard IS NULL) AS nowhere FROM (${each} FROM ${numbersSql(allRows(rows))}) AS placed`;
  const { mine, least, most, nowhere } = await askReadOnly(session, all, shard).catch((error: unknown) => {
    if (sqlState(error) === undefined) throw error;
    throw new LoadctlError('invalid-profile', `${session.place.name}: shardBy.sql failed: ${serverMessage(error)}`, {
      hint: 'Write one expression of `key`, such as `abs(hashtext(key)) % 4`.',
      cause: error,
    });
  });
  if (Number(nowhere) === 0 && Number(least) >= 0 && Number(most) < shards)
    return { kind: 'list', list: mine === null || mine === '' ? [] : mine.split(',').map(Number) };
  throw new LoadctlError(
    'invalid-profile',
    `shardBy.sql gives ${Number(nowhere) > 0 ? 'no shard number for some rows' : `${least} to ${most}`}, and the shards are 0 to ${shards - 1}`,
    { hint: `Make it return the number of the shard, such as \`abs(hashtext(key)) % ${shards}\`.` },
  );
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
