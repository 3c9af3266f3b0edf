import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { freePort, type Kept, keep, temporaryFolder } from './keep.js';

/** A Redis (or Valkey) of our own on loopback. */
export interface RedisServer extends Kept {
  /** `redis://[:password@]127.0.0.1:PORT`, without an index. */
  readonly url: string;
  readonly port: number;
}

/** Starts a Redis that keeps nothing on disk; `password: true` makes one up. */
export async function startRedis(options: { readonly password?: boolean | string } = {}): Promise<RedisServer> {
  const password = options.password === true ? randomBytes(9).toString('hex') : options.password || undefined;
  const port = await freePort();
  const folder = temporaryFolder('redis');
  const command = [findServer(), '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const protect = password ? ['--requirepass', password] : [];
  const kept = await keep([...command, ...protect], folder, () => answers(port));
  return { ...kept, port, url: `redis://${password ? `:${password}@` : ''}127.0.0.1:${port}` };
}

function findServer(): string {
  const found = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (!found) throw new Error('neither redis-server nor valkey-server is on the PATH: install one of them');
  return found;
}

/** Any answer to PING will do: `-NOAUTH` too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', (data) => settle(/^[+-](PONG|NOAUTH)/.test(data.toString())));
  });
}
