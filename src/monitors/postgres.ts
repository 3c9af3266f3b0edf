import { countedBy } from '../metrics/servers/series.js';
import { sqlState } from '../stores/postgres/connection/errors.js';
import type { Address } from '../stores/postgres/connection/places.js';
import type { Session } from '../stores/postgres/connection/session.js';
import { databaseName, databasesOf, heldSession } from './kind/databases.js';
import { numbersIn } from './kind/numbers.js';
import type { MonitorContext, OpenMonitor, Probe } from './kind/types.js';

/** A PostgreSQL: every shard and replica of a store, or one database, each over a connection of its own. */
export const postgres: OpenMonitor<'postgres'> = (monitor, context) =>
  databasesOf(monitor, true).map((address) => databaseProbe(address, context));

function databaseProbe(address: Address, context: MonitorContext): Probe {
  const source = databaseName(address);
  const session = heldSession(address, context);
  let seesAll = true;
  let usable: number | undefined;
  return {
    source,
    drop: session.drop,
    remarks: () => (seesAll ? [] : [withoutRights(source)]),
    look: async () => {
      try {
        const values = await session.use(lookAt);
        seesAll = values.seesAll !== 0;
        usable = values.usable;
        const { seesAll: _, ...numbers } = values;
        return [{ source, values: numbers }];
      } catch (error) {
        // It is full: that is the answer.
        if (sqlState(error) !== tooManyConnections) throw error;
        const known = usable === undefined ? { connections: 1, usable: 1 } : { connections: usable, sessions: usable, usable };
        return [{ source, values: known }];
      }
    },
  };
}

const tooManyConnections = '53300';

function withoutRights(source: string): string {
  return `${source}: the role is not a member of pg_monitor: waiting, idleInTransaction and a primary's lag are not told. As its owner: GRANT pg_monitor TO the role.`;
}

/*
 * An unprivileged role sees every session's database and role, and nothing of what it does. Walsenders and workers have no
 * database or no role; parallel workers are told by their type where that is seen.
 */
const activity = `
  SELECT count(*) FILTER (WHERE datid IS NOT NULL AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend') AS connections,
    count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock') AS waiting,
    count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle
  FROM pg_stat_activity`;

const setting = (name: string) => `coalesce(nullif(current_setting('${name}', true), '')::int, 0)`;
const usable = ['superuser_reserved_connections', 'reserved_connections', 'rds.rds_superuser_reserved_connections'].map(setting);

/**
 * How far a standby is behind, or the slowest standby of a primary; null where there is none. A standby that nobody sends anything to
 * has replayed all that it got, and is behind for as long as that lasts.
 */
const lag = `
  CASE WHEN NOT pg_is_in_recovery() THEN
    CASE WHEN r.all THEN (SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) * 1000 FROM pg_stat_replication HAVING count(*) > 0) END
  WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
  ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000 END`;

const statement = `
  SELECT r.all::int AS "seesAll", extract(epoch FROM pg_postmaster_start_time())::float8 AS "${countedBy}", a.connections, a.connections AS sessions, current_setting('max_connections')::int - ${usable.join(' - ')} AS usable,
    CASE WHEN r.all THEN a.waiting END AS waiting, CASE WHEN r.all THEN a.idle END AS "idleInTransaction", ${lag} AS "lagMs",
    d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks, d.temp_files AS "tempFiles",
    d.blks_hit AS "blocksHit", d.blks_hit + d.blks_read AS "blocksWanted"
  FROM (${activity}) a, pg_stat_database d, (SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS all) r
  WHERE d.datname = current_database()`;

async function lookAt(session: Session) {
  const { rows } = await session.query(statement);
  return numbersIn(rows[0] ?? {});
}
