import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { unprivilegedOwner } from '../../examples/servers/postgres.js';
import { makeCertificates } from './certificates.js';
import { listens } from './listens.js';
import { supervised } from './supervisor.js';

const program = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((file) => existsSync(file));

/** Whether there is a PgBouncer here. In CI its absence is an error: what is skipped there is never looked at. */
export function hasPgBouncer(): boolean {
  if (program === undefined && process.env.CI) throw new Error('There is no pgbouncer: npm run bootstrap -- --tests installs it.');
  return program !== undefined;
}

/** How a PgBouncer pools. */
export interface Pooling {
  readonly mode: 'session' | 'transaction' | 'statement';
  /** Sessions at the server for each database and role; 20 where it is not said. */
  readonly size?: number;
  /** Deals its sessions out in turn, where it would take the one that was used last. */
  readonly inTurn?: boolean;
  /** Wants the password of whoever comes, where it would take everybody's word. */
  readonly asksPassword?: boolean;
  /** Speaks to nobody without TLS, with a certificate that it made itself. */
  readonly encrypted?: boolean;
}

/** Starts a PgBouncer in front of the database at `url`, until the test is over; hands back the URL that leads through it. */
export async function startPgBouncer(url: string, pooling: Pooling): Promise<string> {
  const { mode, size = 20, inTurn = false, asksPassword = false, encrypted = false } = pooling;
  const { username, password, port: behind } = new URL(url);
  const owner = unprivilegedOwner();
  const folder = temporaryFolder('pgbouncer', owner);
  const port = await freePort();
  const users = join(folder, 'users');
  const settings = [
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    `auth_type = ${asksPassword ? 'scram-sha-256' : 'trust'}`,
    `auth_file = ${users}`,
    `pool_mode = ${mode}`,
    `default_pool_size = ${size}`,
    `stats_users = ${username}`,
    `server_round_robin = ${inTurn ? 1 : 0}`,
    ...(encrypted ? certified(folder, owner) : []),
  ];
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(join(folder, 'ini'), ['[databases]', `* = host=127.0.0.1 port=${behind}`, '[pgbouncer]', ...settings, ''].join('\n'));
  // To SIGINT it would wait for every client to go.
  const command = supervised(folder, owner, 'SIGTERM', [program ?? 'pgbouncer', join(folder, 'ini')]);
  const kept = await keep(command, folder, () => listens(port));
  onTestFinished(() => kept.stop());
  const through = new URL(url);
  through.port = String(port);
  return through.toString();
}

/** Its settings for a certificate, which only its owner may read. */
function certified(folder: string, owner: ReturnType<typeof unprivilegedOwner>): string[] {
  makeCertificates(folder, [{ name: 'pool', hosts: ['IP:127.0.0.1'] }]);
  const files = [join(folder, 'pool.key'), join(folder, 'pool.pem')];
  if (owner !== undefined) for (const file of files) chownSync(file, owner.uid, owner.gid);
  return ['client_tls_sslmode = require', `client_tls_key_file = ${files[0]}`, `client_tls_cert_file = ${files[1]}`];
}
