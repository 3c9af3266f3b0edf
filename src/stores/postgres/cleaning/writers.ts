import { formatDuration, type Milliseconds } from '../../../core/quantities.js';
import type { ReceiptLine } from '../../../core/receipt.js';
import type { Late, StoreContext, StoreTask } from '../../kind/types.js';
import { aroundOne } from '../catalog/surroundings.js';
import type { Session } from '../connection/session.js';
import { type CleanedDatabase, openTargets } from './cleaned-database.js';

/** What a transaction holds that has written to a table, until it ends; and what it holds to keep rows from going. */
const writing = ['RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'];
const holding = ['RowShareLock', ...writing];

const pollMs: Milliseconds = 50;

/** A transaction of somebody else. */
interface Writer {
  readonly id: string;
  readonly oid: number;
  readonly pid: number | null;
  readonly application: string | null;
  readonly since: string | null;
}

/** Tables that others may be at work on, and what they are called. */
export interface Watched {
  readonly session: Session;
  readonly tables: readonly { readonly oids: readonly number[]; readonly store: string; readonly what: string }[];
  readonly task: Pick<StoreTask, 'named' | 'waitMs'>;
}

/**
 * Waits for the transactions that are at work on the tables now, prepared ones too, and for no others: what each has written
 * was not there when it was counted last, and is there for the next count.
 */
export async function waitForWriters(
  watched: Watched,
  { clock, signal }: Pick<StoreContext, 'clock' | 'signal'>,
  isLeft: boolean,
): Promise<Late> {
  const { session, tables, task } = watched;
  const oids = tables.flatMap((table) => table.oids);
  const modes = isLeft ? holding : writing;
  const first = await findWriters(session, oids, modes);
  const ids = new Set(first.map(({ id }) => id));
  let open = first;
  for (const deadline = clock.elapsed() + task.waitMs; open.length > 0 && clock.elapsed() < deadline; ) {
    await clock.sleep(pollMs, signal);
    open = (await findWriters(session, oids, modes)).filter(({ id }) => ids.has(id));
  }
  return { seen: ids.size, lines: open.map((writer) => lineOf(watched, writer)) };
}

/** The tables of the entries that are deleted from. */
export function watchedBy(database: CleanedDatabase, task: StoreTask): Watched {
  const tables = openTargets(database).map(({ table, entry }) => ({
    oids: [table.oid, ...aroundOne(database.around, table).family.oids],
    store: entry.store,
    what: table.inProfile,
  }));
  return { session: database.session, tables, task };
}

async function findWriters(session: Session, oids: readonly number[], modes: readonly string[]): Promise<Writer[]> {
  const { rows } = await session.query<Writer>(
    `SELECT DISTINCT ON (l.virtualtransaction) l.virtualtransaction AS id, l.relation::oid AS oid, l.pid, a.application_name AS application,
            to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
       FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY($1::oid[]) AND l.mode = ANY($2::text[])
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid IS DISTINCT FROM pg_backend_pid()
      ORDER BY l.virtualtransaction, l.relation`,
    [oids, modes],
  );
  return rows;
}

function lineOf({ session, tables, task }: Watched, { oid, pid, application, since }: Writer): ReceiptLine {
  const { address } = session;
  const table = tables.find(({ oids }) => oids.includes(oid));
  const who =
    pid === null
      ? 'a prepared transaction (pg_prepared_xacts)'
      : `a transaction of ${application || 'a session'} (pid ${pid}${since === null ? '' : `, since ${since}`})`;
  return {
    kind: 'unknown',
    store: table?.store ?? address.store,
    shard: address.shard,
    what: table?.what ?? 'a listed table',
    count: null,
    why: `${who} was still at work on it after ${formatDuration(task.waitMs)}; what it wrote is visible only once it ends`,
    command: `end it, or give it time (cleanup.wait); then loadctl cleanup ${task.named}`,
  };
}
