import type { Client } from 'pg';
import { errorMessage, LoadctlError } from '../core/errors.js';
import { databasePlace, placeText } from '../plan/hosts.js';
import { isServerError, translate } from '../stores/postgres/connection/errors.js';
import { held } from './kind/held.js';
import type { MonitorContext, MonitorOf, OpenMonitor } from './kind/types.js';

/** A PgBouncer, by its admin console, which speaks the simple protocol and knows no SQL. */
export const pgbouncer: OpenMonitor<'pgbouncer'> = (monitor, context) => {
  const { host, port = '6432' } = databasePlace(monitor.url);
  const source = placeText({ host, port });
  const console = held<Client>({
    open: () => openConsole(monitor, source, context),
    close: (client) => client.end().catch(() => undefined),
    leavesWhole: () => false,
  });
  return [
    {
      source,
      drop: console.drop,
      look: () =>
        console.use(async (client) => {
          const { rows } = await client.query<Pool>('SHOW POOLS').catch((cause: unknown) => {
            throw isServerError(cause) ? noConsole(monitor.name, source, cause) : cause;
          });
          const pools = rows.filter(({ database }) =>
            monitor.database === undefined ? database !== 'pgbouncer' : database === monitor.database,
          );
          return [{ source, values: valuesOf(pools) }];
        }),
    },
  ];
};

/** A row of SHOW POOLS. */
interface Pool {
  readonly database: string;
  readonly cl_active: string | number;
  readonly cl_waiting: string | number;
  readonly sv_active: string | number;
  readonly sv_idle: string | number;
  readonly maxwait: string | number;
  readonly maxwait_us?: string | number;
}

/** The fullest pool counts: clients of one do not wait for connections of another. */
function valuesOf(pools: readonly Pool[]) {
  const most = (read: (pool: Pool) => number) => Math.max(0, ...pools.map(read));
  const sum = (read: (pool: Pool) => number) => pools.reduce((all, pool) => all + read(pool), 0);
  return {
    waiting: most((pool) => Number(pool.cl_waiting)),
    maxWaitMs: most((pool) => Number(pool.maxwait) * 1000 + Number(pool.maxwait_us ?? 0) / 1000),
    clients: sum((pool) => Number(pool.cl_active) + Number(pool.cl_waiting)),
    servers: sum((pool) => Number(pool.sv_active) + Number(pool.sv_idle)),
  };
}

async function openConsole({ name, url, password }: MonitorOf<'pgbouncer'>, source: string, { label }: MonitorContext): Promise<Client> {
  const { default: pg } = await import('pg');
  const login = new URL(url);
  if (password !== undefined) login.password = encodeURIComponent(password);
  if (login.pathname.length <= 1) login.pathname = '/pgbouncer';
  const client = new pg.Client({
    connectionString: login.toString(),
    application_name: label,
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    const place = {
      name,
      host: login.hostname,
      port: Number(login.port || 6432),
      database: 'pgbouncer',
      role: decodeURIComponent(login.username),
    };
    // What PgBouncer says of strangers has the code of a broken protocol (08P01).
    const error = isServerError(cause) && cause.code !== '28P01' ? cause : translate(cause, place, false);
    if (error instanceof LoadctlError) throw error;
    throw noConsole(name, source, cause);
  }
}

function noConsole(name: string, source: string, cause: unknown): LoadctlError {
  return new LoadctlError(
    'unavailable',
    `${name}: there is no admin console of PgBouncer for this login at ${source}: ${errorMessage(cause)}`,
    {
      hint: 'Name its admin database `pgbouncer` and one of its `stats_users` in the URL.',
      cause,
    },
  );
}

const connectMs = 10_000;
