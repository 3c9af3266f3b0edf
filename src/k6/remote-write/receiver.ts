import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RunnerId } from '../../core/ids.js';
import type { PushRejection } from '../../core/warnings.js';
import type { PushedSeries } from '../../metrics/series.js';
import { type Admits, MalformedPush, OversizedPush, pushReader } from './wire.js';

/** Where a runner pushes to, and what it says to be let in. The token is a secret. */
export interface PushAddress {
  readonly url: string;
  readonly token: string;
}

/** What takes the runners' numbers in. */
export interface Receiver {
  readonly host: '127.0.0.1';
  /** Its port on loopback. */
  readonly port: number;
  /** Takes a connection that came another way than by the port. */
  readonly take: (connection: Duplex) => void;
  /** Where this runner pushes to: the path and the token are its own. */
  addressFor(runner: RunnerId): PushAddress;
  /** Stops listening and drops all connections. */
  close(): Promise<void>;
}

/** Whom a receiver tells. */
export interface ReceiverListener {
  /** A runner's push, read; called before k6 has its answer. */
  pushed(runner: RunnerId, series: readonly PushedSeries[]): void;
  /** Whether series that were not pushed before are taken, by their tag `name`; the others are passed over. */
  readonly admits: Admits;
  /** A push was turned away, and changed nothing. */
  rejected(why: PushRejection): void;
}

/** A push of one runner is some 1 kB packed. */
const maxBodyBytes = 8 * 1024 * 1024;
const host = '127.0.0.1';

const statusOf: Readonly<Record<PushRejection, number>> = { malformed: 400, oversized: 413, foreign: 404 };

/** Listens on a free port of loopback for k6's Prometheus remote-write pushes. */
export async function startReceiver(runners: readonly RunnerId[], listener: ReceiverListener): Promise<Receiver> {
  const doors = new Map(runners.map((runner) => [`/${runner}/${randomBytes(8).toString('hex')}`, doorOf(runner)]));
  const reader = pushReader(listener.admits);
  const answer = async (request: IncomingMessage): Promise<number> => {
    const door = doors.get(request.url ?? '');
    if (door === undefined) return reject('foreign');
    if (!timingSafeEqual(digestOf(request.headers.authorization ?? ''), door.said)) return reject('foreign', 401);
    if (request.method !== 'POST') return reject('malformed', 405);
    try {
      listener.pushed(door.runner, reader.read(await bodyOf(request)));
      return 204;
    } catch (error) {
      if (error instanceof MalformedPush) return reject('malformed');
      if (error instanceof OversizedPush) return reject('oversized');
      throw error;
    }
  };
  const reject = (why: PushRejection, status = statusOf[why]): number => {
    listener.rejected(why);
    return status;
  };
  const server = createServer(
    (request, response) =>
      void answer(request).then(
        (status) => reply(request, response, status),
        () => response.destroy(),
      ),
  );
  server.keepAliveTimeout = 0; // a runner that waits at the barrier pushes nothing for long
  const port = await listen(server);
  return {
    host,
    port,
    // Node gives a connection that says nothing up after a minute, and setup() may put off the first push for longer.
    take: (connection) => void connection.once('readable', () => server.emit('connection', connection)),
    addressFor: (runner) => {
      const door = [...doors].find(([, { runner: one }]) => one === runner);
      if (door === undefined) throw new Error(`no runner ${runner}`);
      return { url: `http://${host}:${port}${door[0]}`, token: door[1].token };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A sender that is turned away with its body unread loses its connection: the rest is not waited for. */
function reply(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (request.complete) {
    response.writeHead(status).end();
    return;
  }
  response.writeHead(status, { connection: 'close' }).end(() => request.destroy());
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw new OversizedPush('the body is larger than is accepted');
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new OversizedPush('the body is larger than is accepted');
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** One runner's way in, and the digest of what it says at it. */
function doorOf(runner: RunnerId): { readonly runner: RunnerId; readonly token: string; readonly said: Buffer } {
  const token = randomBytes(24).toString('hex');
  return { runner, token, said: digestOf(`Bearer ${token}`) };
}

/** Digests compare in a time that depends neither on where the texts differ, nor on their lengths. */
const digestOf = (text: string) => createHash('sha256').update(text).digest();

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Node's own 511 are too few for 1,000 runners that connect at once: a push of those turned away took up to 25 s.
    server.listen({ port: 0, host, backlog: 4096 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
