import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A way to a Postgres on loopback that counts what goes through, and can be cut. */
export interface PostgresProxy {
  readonly port: number;
  /** The same URL by way of the proxy. */
  through(url: string): string;
  /** How many connections were made. */
  connections(): number;
  /** Every statement that was sent, in order. */
  readonly statements: readonly string[];
  /** From now on nothing goes through in either direction, and nobody is told: a cable that was pulled. */
  freeze(): void;
  /** Breaks every connection once `bytes` more have come from the clients; new ones are as good as ever. */
  cutAfter(bytes: number): void;
  /** Things go through again on new connections; those that were frozen stay so. */
  thaw(): void;
  /** New connections lead to another port of 127.0.0.1 from now on. */
  leadTo(port: number): void;
}

/** Starts one in front of a port of 127.0.0.1; it is gone when the test is over. */
export async function startPostgresProxy(behind: number, at = '127.0.0.1'): Promise<PostgresProxy> {
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  const state = { connections: 0, frozen: false, bytesLeft: Number.POSITIVE_INFINITY, behind };
  const server = createServer((client) => {
    state.connections += 1;
    const upstream = dial(state.behind, '127.0.0.1');
    const read = statementReader((sql) => statements.push(sql));
    const link = { cut: state.frozen };
    links.add(link);
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
    client.on('data', (bytes) => {
      read(bytes);
      state.bytesLeft -= bytes.length;
      if (state.bytesLeft < 0) return cut();
      if (!link.cut) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => void (link.cut || client.write(bytes)));
    client.on('close', () => void (link.cut || upstream.destroy()));
    upstream.on('close', () => void (link.cut || client.destroy()));
  });
  const links = new Set<{ cut: boolean }>();
  const cut = () => {
    state.bytesLeft = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, at);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    statements,
    connections: () => state.connections,
    through(url) {
      const other = new URL(url);
      other.hostname = at;
      other.port = String(port);
      return other.toString();
    },
    freeze() {
      state.frozen = true;
      for (const link of links) link.cut = true;
    },
    cutAfter(bytes) {
      state.bytesLeft = bytes;
    },
    thaw() {
      state.frozen = false;
    },
    leadTo(other) {
      state.behind = other;
    },
  };
}

const sslRequest = 80_877_103;

/** Reads the statements out of a client's half of Postgres' protocol: simple queries, and what is parsed. */
function statementReader(found: (sql: string) => void): (bytes: Buffer) => void {
  let held = Buffer.alloc(0);
  let started = false;
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      const head = started ? 1 : 0;
      if (held.length < head + 4) return;
      const size = head + held.readInt32BE(head);
      if (held.length < size) return;
      const message = held.subarray(0, size);
      held = held.subarray(size);
      if (!started) started = message.readInt32BE(4) !== sslRequest;
      else if (message[0] === 0x51) found(text(message, 5));
      else if (message[0] === 0x50) found(text(message, message.indexOf(0, 5) + 1));
    }
  };
}

function text(message: Buffer, from: number): string {
  return message.toString('utf8', from, message.indexOf(0, from));
}
