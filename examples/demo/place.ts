import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installSchema } from '../reservations/install.js';
import { type Kept, keep, temporaryFolder } from '../servers/keep.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';

/** A Postgres, a Redis and the reservation service, all on loopback and under one folder. */
export interface Place {
  readonly folder: string;
  /** What profiles/dev.yaml asks for: DB_URL, REDIS_URL and BASE_URL. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the servers one after another; `defer` gets what ends each. A `say` that throws ends it between two servers. */
export async function startPlace(defer: (undo: () => void | Promise<void>) => void, say: (line: string) => void): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-demo-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o1777); // as /tmp is: Postgres does not run as root, and its own user takes its folder away
  process.env.TMPDIR = folder; // whatever makes a temporary folder from here on makes it in this one
  say(`Everything is on loopback, under ${folder}`);

  const postgres = await timed('Postgres', () => startPostgres(), say);
  defer(postgres.stop);
  const database = await postgres.createDatabase('reservations');
  await installSchema(database);

  const redis = await timed('Redis', () => startRedis(), say);
  defer(redis.stop);
  const redisUrl = `${redis.url}/1`;

  const service = await timed('the reservation service', () => startService(database, redisUrl), say);
  defer(service.stop);

  const env = { DB_URL: database, REDIS_URL: redisUrl, BASE_URL: service.url };
  writeFileSync(join(folder, 'env'), exportLines(env), { mode: 0o600 });
  return { folder, env };
}

/** Runs the service as what it is: a process of its own. Its first line says which port it took. */
async function startService(database: string, redisUrl: string): Promise<Kept & { readonly url: string }> {
  const folder = temporaryFolder('service');
  const main = fileURLToPath(new URL('../reservations/main.js', import.meta.url));
  const settings = join(folder, 'env'); // in a file and not in the command: the URL holds a password
  writeFileSync(settings, exportLines({ DATABASE_URL: database, REDIS_URL: redisUrl, LOAD_TEST: '1', PORT: '0' }), { mode: 0o600 });
  const command = ['sh', '-c', '. "$0"; exec "$@"', settings, process.execPath, main];
  const port = () => /^\{"listening":(\d+)\}$/m.exec(readFileSync(join(folder, 'log'), 'utf8'))?.[1];
  const kept = await keep(command, folder, () => port() !== undefined);
  return { ...kept, url: `http://127.0.0.1:${port()}` };
}

async function timed<T extends { readonly url: string }>(what: string, start: () => Promise<T>, say: (line: string) => void): Promise<T> {
  const begun = performance.now();
  const started = await start();
  say(`✓ ${what} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  return started;
}

function exportLines(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}
