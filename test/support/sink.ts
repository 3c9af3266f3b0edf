import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What an output sent. */
export interface Sent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
  /** When it was there, by the test's own monotonic clock. */
  readonly at: number;
}

/** A real HTTP server that is sent things, and answers as it is told to. */
export interface Sink {
  readonly url: string;
  readonly port: number;
  /** All that came, also what was not answered well. */
  readonly sent: readonly Sent[];
  /** What it answered 2xx to. */
  readonly taken: readonly Sent[];
  /** Answers like this from now on. */
  answer(how: Answering): void;
  /** Stops listening; {@link startSink} on its port brings it back. */
  stop(): Promise<void>;
}

/** A status with headers and a body; or no answer at all, one byte a second, a connection that is cut. */
export type Answering =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'trickle'
  | 'cut';

/** Starts a {@link Sink}, which answers 200 `ok`; it is gone when the test is over. */
export async function startSink(port = 0): Promise<Sink> {
  const sent: Sent[] = [];
  const taken: Sent[] = [];
  let how: Answering = { status: 200, body: 'ok' };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { url: path = '', headers } = request;
    const bytes = Buffer.concat(pieces);
    const one = { path, headers, body: bytes.toString('utf8'), bytes, at: performance.now() };
    sent.push(one);
    if (typeof how === 'object' && how.status < 300) taken.push(one);
    reply(response, how);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  const listening = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    sent,
    taken,
    answer: (answering) => {
      how = answering;
    },
    stop,
  };
}

function reply(response: ServerResponse, how: Answering): void {
  if (how === 'hang') return;
  if (how === 'cut') return void response.destroy();
  if (how === 'trickle') {
    response.writeHead(200);
    const drip = setInterval(() => response.write('.'), 1000);
    response.on('close', () => clearInterval(drip));
    return;
  }
  response.writeHead(how.status, how.headers);
  response.end(how.body ?? '');
}
