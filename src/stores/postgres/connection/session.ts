import type { Client, ClientConfig, QueryResultRow } from 'pg';
import { throwIfAborted } from '../../../core/abort.js';
import { errorCode } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import { callAfter } from '../../../core/timer.js';
import type { StoreContext } from '../../kind/types.js';
import { isServerError, type Place, translate } from './errors.js';
import { refusedToken, urlWithToken } from './iam.js';
import type { Address } from './places.js';
import { serverSpeaksTls, waysIn } from './tls.js';

const connectTimeoutMs = 10_000;
/** So long a server has for ending a statement that was cancelled, and for saying goodbye; one that is out of reach does neither. */
const cancelMs = 2000;
const closeMs = 2000;

/** One connection to one database, whose errors say what to do and which ends its work on a signal. */
export interface Session {
  readonly address: Address;
  readonly place: Place;
  /** The server's process for this connection. */
  readonly pid: number;
  /** The sessions that hold our lock now; missing where none is needed. */
  readonly lockSessions?: StoreContext['lockSessions'];
  /** Of several statements, which go in one message, it hands back all rows. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<{ rows: Row[]; count: number }>;
  /** From here on the signal cancels nothing any more; throws when it has. */
  seal(): void;
  /** Resolves when the connection ends, whoever ended it. */
  readonly ended: Promise<Error>;
  /** Ends the connection: the server rolls back what was not committed. Never rejects. */
  close(): Promise<void>;
}

/** Connects, or throws `unavailable` with its fix. */
export async function openSession(
  address: Address,
  context: Pick<StoreContext, 'label' | 'signal' | 'clock' | 'lockSessions'>,
): Promise<Session> {
  throwIfAborted(context.signal);
  const { client, place, configure } = await connect(address, context);
  let gone = false;
  let sealed = false;
  const ended = new Promise<Error>((resolve) => {
    client.on('error', resolve);
    client.once('end', () => resolve(new Error('the server ended the connection')));
  });
  void ended.then(() => {
    gone = true;
  });
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!sealed) throwIfAborted(context.signal);
    try {
      return await work();
    } catch (error) {
      if (!sealed) throwIfAborted(context.signal);
      throw translate(error, place, gone);
    }
  };
  const pid = await guard(async () => Number((await client.query('SELECT pg_backend_pid() AS pid')).rows[0]?.pid)).catch(
    async (error: unknown) => {
      await client.end().catch(() => undefined);
      throw error;
    },
  );
  let keepLine = () => {};
  const hangUpAfter = (ms: number) => {
    keepLine();
    keepLine = callAfter(context.clock, ms, () => client.connection.stream.destroy());
  };
  const cancel = () => {
    hangUpAfter(cancelMs);
    void cancelQuery(configure, pid);
  };
  context.signal.addEventListener('abort', cancel, { once: true });
  return {
    address,
    place,
    pid,
    ...(context.lockSessions === undefined ? {} : { lockSessions: context.lockSessions }),
    ended,
    query: (sql, values) =>
      guard(async () => {
        // Of several statements in one message pg hands back an array.
        const results = [await client.query(sql, values ? [...values] : undefined)].flat();
        return { rows: results.flatMap(({ rows }) => rows), count: results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0) };
      }),
    seal() {
      throwIfAborted(context.signal);
      sealed = true;
      context.signal.removeEventListener('abort', cancel);
    },
    async close() {
      context.signal.removeEventListener('abort', cancel);
      hangUpAfter(closeMs);
      await client.end().catch(() => undefined);
      keepLine();
    },
  };
}

/** A connection, and how to make another one like it. */
interface Connection {
  readonly client: Client;
  readonly configure: () => Promise<ClientConfig>;
}

/** Connects in whichever way the address' TLS words allow, or throws `unavailable` with its fix. */
export async function connect(
  address: Address,
  { label, clock }: Pick<StoreContext, 'label' | 'clock'>,
): Promise<Connection & { readonly place: Place }> {
  const { default: pg } = await import('pg');
  const basic: ClientConfig = {
    connectionString: address.url,
    application_name: label,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs,
    ssl: false,
  };
  const { host, port, database = '', user = '' } = new pg.Client(basic);
  const place = {
    name: address.shard === null ? address.store : `${address.store} shard ${address.shard}`,
    host,
    port,
    database,
    role: user,
  };
  const startedAt = clock.elapsed();
  try {
    return { place, ...(await logIn(address, place, basic, clock)) };
  } catch (error) {
    // pg gives its own timeout no code.
    const late = errorCode(error) === undefined && clock.elapsed() - startedAt >= connectTimeoutMs - 100;
    throw translate(late ? Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }) : error, place, errorCode(error) === undefined);
  }
}

/** Tries one way after the other until the server lets us in; throws what it said to the first one where it never does. */
async function logIn(address: Address, place: Place, basic: ClientConfig, clock: Pick<Clock, 'sleep'>): Promise<Connection> {
  const { tls, iam, url } = address;
  const refusals: unknown[] = [];
  for await (const ssl of waysIn(tls, place.host, () => serverSpeaksTls(place.host, place.port, connectTimeoutMs))) {
    const configure = async () => ({
      ...basic,
      connectionString: iam === undefined ? url : await urlWithToken(url, iam, place, clock),
      ssl,
    });
    try {
      return { client: await openClient(await configure()), configure };
    } catch (error) {
      refusals.push(iam === undefined ? error : refusedToken(error, iam, place));
      if (!refusesTheWay(error)) break;
    }
  }
  throw refusals[0];
}

/** Another way may do where the server itself said no, and not to the password. */
function refusesTheWay(error: unknown): boolean {
  return isServerError(error) && error.code !== '28P01';
}

async function openClient(config: ClientConfig): Promise<Client> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ends what another connection runs; best effort, since that connection is closed next. */
async function cancelQuery(configure: Connection['configure'], pid: number): Promise<void> {
  let client: Client | undefined;
  try {
    client = await openClient(await configure());
    await client.query('SELECT pg_cancel_backend($1)', [pid]);
  } catch {
    // The server notices at the next message that the connection was lost.
  } finally {
    await client?.end().catch(() => undefined);
  }
}
