import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Something that listens in the place of a server and counts who comes. */
export interface CountingServer {
  readonly port: number;
  connections(): number;
}

/** Starts one; whoever connects is hung up on. It is gone when the test is over. */
export async function startCountingServer(address: string, port = 0): Promise<CountingServer> {
  let connections = 0;
  const server = createServer((socket: Socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(port, address);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const at = server.address();
  return { port: typeof at === 'object' && at !== null ? at.port : 0, connections: () => connections };
}
