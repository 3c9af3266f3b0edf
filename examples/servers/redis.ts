import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { freePort, type Kept, keep, temporaryFolder } from './keep.js';

/** A Redis (or Valkey) of our own on loopback. */
export interface RedisServer extends Kept {
  /** `redis://[:password@]127.0.0.1:PORT`, without an index; `rediss:` where it speaks TLS. */
  readonly url: string;
  readonly port: number;
}

/** Files that a server shows to its clients, and that which its clients are shown. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
  /** The authority that signed it. */
  readonly authority: string;
}

/** How a Redis is started. */
export interface RedisOptions {
  /** `true` makes one up. */
  readonly password?: boolean | string;
  /** Speaks TLS, and nothing else. */
  readonly tls?: ServerCertificate;
  /** More words for redis-server. */
  readonly words?: readonly string[];
  /** Where it listens; a free port where it is missing. */
  readonly port?: number;
}

/** Starts a Redis that keeps nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const password = options.password === true ? randomBytes(9).toString('hex') : options.password || undefined;
  const port = options.port ?? (await freePort());
  const folder = temporaryFolder('redis');
  const protect = password ? ['--requirepass', password] : [];
  const words = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', ...listening(port, options.tls), ...protect];
  const kept = await keep([findServer(), ...words, ...(options.words ?? [])], folder, () => answers(port, options.tls !== undefined));
  return { ...kept, port, url: `${options.tls ? 'rediss' : 'redis'}://${password ? `:${password}@` : ''}127.0.0.1:${port}` };
}

function listening(port: number, tls: ServerCertificate | undefined): string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = ['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.authority];
  return ['--port', '0', '--tls-port', String(port), ...files];
}

function findServer(): string {
  const found = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (!found) throw new Error('neither redis-server nor valkey-server is on the PATH: install one of them');
  return found;
}

/** Any answer to PING will do: `-NOAUTH` too. A server that wants a client's certificate answers none: listening is enough. */
function answers(port: number, tls: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const place: ConnectionOptions = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = tls ? connectTls(place, () => settle(true)) : connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', (data) => settle(/^[+-](PONG|NOAUTH)/.test(data.toString())));
  });
}
