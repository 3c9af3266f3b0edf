import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, Refused } from './answers.js';
import { openCache } from './cache.js';
import { callers } from './callers.js';
import { type ServiceOptions, StartError } from './options.js';
import { type Handler, routes } from './routes.js';
import { codeOf, openStore } from './store.js';

/** A reservation service that runs. */
export interface Service {
  readonly url: string;
  readonly port: number;
  /** Answers what has begun (5 s at most), takes nothing new, and lets go of Postgres and Redis. */
  stop(): Promise<void>;
}

const drainMs = 5000;

/** Starts the service; throws a {@link StartError} where it cannot. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { host = '127.0.0.1', port = 0, slowMs = 0, log = (line) => void process.stderr.write(`${line}\n`) } = options;
  const store = await openStore(options.databaseUrl, log);
  const cache = await openCache(options.redisUrl, log).catch((error: unknown) => closeThenThrow(store.close, error));
  const close = async () => {
    cache.close();
    await store.close();
  };
  const findCaller = callers(cache, store, options.bypassKey);
  const table = routes({ store, cache, findCaller, loadTest: options.loadTest ?? false });

  const server = createServer(async (request, response) => {
    const { status, body, headers } = await answer(request, table, log);
    if (slowMs > 0) await sleep(slowMs);
    const text = JSON.stringify(body);
    const last = server.listening ? {} : { Connection: 'close' };
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers, ...last });
    response.end(text);
  });
  server.keepAliveTimeout = 65_000;
  const listening = await listen(server, port, host).catch((error: unknown) => closeThenThrow(close, error));
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= drain(server).then(close);
    return stopped;
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${listening}`, port: listening, stop };
}

type Table = ReadonlyMap<string, Readonly<Record<string, Handler>>>;

async function answer(request: IncomingMessage, table: Table, log: (line: string) => void): Promise<Answer> {
  try {
    return await handlerFor(request, table)(request);
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    // A client that went away in the middle of its body: nobody reads the answer, and nothing is wrong here.
    if (request.destroyed && !request.complete) return { status: 400, body: { error: 'the body is incomplete' } };
    log(`${request.method} ${request.url}: ${error instanceof Error ? error.message : error}`);
    return unavailable(error)
      ? { status: 503, body: { error: 'the database is away' } }
      : { status: 500, body: { error: 'internal error' } };
  }
}

function handlerFor({ method = 'GET', url = '/' }: IncomingMessage, table: Table): Handler {
  const methods = table.get(url.split('?', 1)[0] ?? url);
  if (methods === undefined) throw new Refused(404, 'no such path');
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined) throw new Refused(405, `${method} is not for this path`, { Allow: Object.keys(methods).join(', ') });
  return handler;
}

/** Codes of the system and Postgres's classes 08 (connection), 53 (resources) and 57 (shutting down). */
function unavailable(error: unknown): boolean {
  return /^(E[A-Z]+|(08|53|57).{3})$/.test(codeOf(error) ?? '');
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw codeOf(error) === 'EADDRINUSE' ? new StartError(`PORT: ${host}:${port} is in use`, { cause: error }) : error;
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const late = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(late);
}

async function closeThenThrow(close: () => Promise<void>, error: unknown): Promise<never> {
  await close();
  throw error;
}
