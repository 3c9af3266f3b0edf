import type { Client } from 'pg';
import { LoadctlError } from '../core/errors.js';
import { databasePlace, placeText } from '../plan/hosts.js';
import { isServerError, serverMessage, sqlState } from '../stores/postgres/connection/errors.js';
import { connect } from '../stores/postgres/connection/session.js';
import { databasesOf } from './kind/databases.js';
import { held } from './kind/held.js';
import type { MonitorContext, MonitorOf, OpenMonitor } from './kind/types.js';

/** A PgBouncer, by its admin console, which speaks the simple protocol and knows no SQL. */
export const pgbouncer: OpenMonitor<'pgbouncer'> = (monitor, context) => {
  const { host, port = usualPort } = databasePlace(monitor.url);
  const source = placeText({ host, port });
  const console = held<Client>({
    open: () => openConsole(monitor, source, context),
    close: (client) => client.end().catch(() => undefined),
    leavesWhole: () => false,
  });
  const { database: wanted } = monitor;
  let isKnown = true;
  return [
    {
      source,
      drop: console.drop,
      remarks: () => (isKnown || wanted === undefined ? [] : [unknownDatabase(source, wanted)]),
      look: () =>
        console.use(async (client) => {
          const show = async <Row extends object>(what: string) =>
            (
              await client.query<Row>(`SHOW ${what}`).catch((cause: unknown) => {
                throw isServerError(cause) ? noConsole(monitor.name, source, cause) : cause;
              })
            ).rows;
          const all = await show<Pool>('POOLS');
          const pools = all.filter(({ database }) => (wanted === undefined ? database !== 'pgbouncer' : database === wanted));
          isKnown =
            pools.length > 0 || wanted === undefined || (await show<{ name: string }>('DATABASES')).some(({ name }) => name === wanted);
          return isKnown ? [{ source, values: valuesOf(pools) }] : [{ source }];
        }),
    },
  ];
};

/** A name that is wrong looks like one that `*` stands for and nobody has used: neither is an empty pool. */
function unknownDatabase(source: string, database: string): string {
  return `${source} has no database ${database}: it gives no data until a client of it comes. Correct \`database\` where none will.`;
}

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

async function openConsole({ name, url, password }: MonitorOf<'pgbouncer'>, source: string, context: MonitorContext): Promise<Client> {
  const admin = new URL(url);
  if (admin.pathname.length <= 1) admin.pathname = '/pgbouncer';
  if (admin.port === '') admin.port = usualPort;
  const [address] = databasesOf({ name, url: admin.toString(), ...(password === undefined ? {} : { password }) }, false);
  if (address === undefined) throw new Error('a URL is one address');
  try {
    return (await connect(address, context)).client;
  } catch (cause) {
    const state = sqlState(cause);
    // What PgBouncer says of strangers and of wrong passwords alike has the code of a broken protocol.
    throw state === '08P01' || state === '3D000' ? noConsole(name, source, cause) : cause;
  }
}

const usualPort = '6432';

function noConsole(name: string, source: string, cause: unknown): LoadctlError {
  return new LoadctlError(
    'unavailable',
    `${name}: there is no admin console of PgBouncer for this login at ${source}: ${serverMessage(cause)}`,
    {
      hint: 'Name its admin database `pgbouncer` and one of its `stats_users` in the URL, with the password that its auth_file has.',
      cause,
    },
  );
}
