import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** A real HTTP server that a test loads, on loopback or on a network of the test's own; it counts what reaches it. */
export interface Target {
  readonly url: string;
  /** How many requests came for each `METHOD /path`. */
  readonly hits: Map<string, number>;
  /** Milliseconds to wait before each answer, by path; 0 where nothing is set. */
  readonly delays: Map<string, number>;
  /** The status of each answer, by path; 200 where nothing is set. */
  readonly statuses: Map<string, number>;
  /** What each answer holds, by path; a line of JSON where nothing is set. */
  readonly bodies: Map<string, string>;
  /** Stops listening and drops all connections. */
  die(): Promise<void>;
}

/** Starts a {@link Target}; it is gone when the test is over. `answer` may answer in its own way and return true. */
export async function startTarget(
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean,
  address = '127.0.0.1',
): Promise<Target> {
  const hits = new Map<string, number>();
  const delays = new Map<string, number>();
  const statuses = new Map<string, number>();
  const bodies = new Map<string, string>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const key = `${request.method} ${path}`;
    hits.set(key, (hits.get(key) ?? 0) + 1);
    if (answer?.(request, response)) return;
    const reply = () => {
      response.writeHead(statuses.get(path) ?? 200, { 'content-type': 'application/json' });
      response.end(bodies.get(path) ?? '{"ok":true}');
    };
    const delay = delays.get(path) ?? 0;
    if (delay > 0) setTimeout(reply, delay);
    else reply();
  });
  const port = await listen(server, address);
  const die = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(die);
  return { url: `http://${address}:${port}`, hits, delays, statuses, bodies, die };
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}
