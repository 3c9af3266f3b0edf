import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A service that says how deep its queue is, and does what it is told to. */
export interface DepthServer {
  readonly url: string;
  depth: number;
  mode: 'well' | 'hang' | 'garbage';
  /** How long it thinks before it answers. */
  delayMs: number;
}

/** Starts one; it is gone when the test is over. */
export async function startDepthServer(): Promise<DepthServer> {
  const state: DepthServer = { url: '', depth: 5, mode: 'well', delayMs: 0 };
  const server = createServer((_, response) => {
    const { mode, depth, delayMs } = state;
    if (mode === 'hang') return;
    const text = mode === 'well' ? JSON.stringify({ messages_ready: depth }) : '<html>Down for maintenance</html>';
    response.setHeader('content-type', mode === 'well' ? 'application/json' : 'text/html');
    if (delayMs === 0) response.end(text);
    else setTimeout(() => response.end(text), delayMs);
  });
  return Object.assign(state, { url: `http://127.0.0.1:${await listening(server)}/queue` });
}

/** Lets a server listen on loopback until the test is over; hands back its port. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
