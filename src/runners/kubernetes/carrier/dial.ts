import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { type Greeting, identity, keyed } from '../link/wire.js';

const dialMs = 10_000;
/** Some clouds forget a connection that says nothing for 350 s; that of the first push waits as long as setup() takes. */
const keepAliveMs = 60_000;

/** Where the conductor listens, and the key of its run. */
export interface Conductor {
  readonly host: string;
  readonly port: number;
  readonly key: Buffer;
}

/** The variables that a runner's pod tells its carrier by. */
export const carrierVariables = { conductor: 'LOADCTL_CONDUCTOR', keyFile: 'LOADCTL_KEY_FILE', index: 'JOB_COMPLETION_INDEX' } as const;

/** The conductor that a pod's variables name; undefined where they name none: this is no runner's pod. */
export function conductorIn(env: Readonly<Record<string, string | undefined>>): Conductor | undefined {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(env[carrierVariables.conductor] ?? '') ?? [];
  const file = env[carrierVariables.keyFile];
  if (host === undefined || file === undefined) return undefined;
  return { host, port: Number(port), key: Buffer.from(readFileSync(file, 'utf8').trim(), 'hex') };
}

/** Opens a connection to the conductor that begins with a greeting. Rejects where none comes about in time. */
export function dial({ host, port, key }: Conductor, greeting: Greeting): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const halfOpen = { allowHalfOpen: true }; // tls.connect() hands it on to the socket
    const socket = connect({
      ...keyed,
      ...halfOpen,
      host,
      port,
      pskCallback: () => ({ psk: key, identity }),
      checkServerIdentity: () => undefined, // whoever has the key is the conductor
    });
    socket.setTimeout(dialMs, () => socket.destroy(new Error(`no answer within ${dialMs / 1000} s`)));
    socket.setNoDelay(true).setKeepAlive(true, keepAliveMs).once('error', reject);
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      socket.write(`${JSON.stringify(greeting)}\n`);
      resolve(socket);
    });
  });
}
