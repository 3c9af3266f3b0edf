import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeLock } from '../../src/phases/lock.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loadctl-tls-'));
  server = await startPostgres();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
}

/** An authority, and a certificate for localhost that it signed. */
function makeCertificates(): void {
  const request = ['req', '-newkey', 'rsa:2048', '-nodes'];
  for (const name of ['ca', 'other'])
    openssl(...request, '-x509', '-days', '2', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
  openssl(...request, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
}

test('TLS modes mean what they mean to libpq', async () => {
  makeCertificates();
  const { url, sql } = await testDatabase(server);
  for (const file of ['server.pem', 'server.key']) {
    const lines = readFileSync(join(folder, file), 'utf8').trim().split('\n').join("'),('");
    await sql(`COPY (VALUES ('${lines}')) TO PROGRAM 'umask 077; cat > ${file}'`);
  }
  await sql("ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
  await sql("ALTER SYSTEM SET ssl_key_file = 'server.key'");
  await sql('ALTER SYSTEM SET ssl = on');
  await sql('SELECT pg_reload_conf()');
  await expect.poll(() => sql('SHOW ssl')).toEqual([{ ssl: 'on' }]);

  const outcome = async (host: string, tls: Record<string, string> | undefined, query = '') => {
    const at = url.replace('127.0.0.1', host) + query;
    try {
      const lock = await takeLock(dataContext({ stores: { db: { kind: 'postgres', url: at, ...(tls ? { tls } : {}) } } }), 'tls');
      const [session] = await sql(
        "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name LIKE 'loadctl/tls%'",
      );
      await lock.release();
      return session?.ssl;
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  };
  const ca = join(folder, 'ca.pem');
  const untrusted = expect.stringMatching(/certificate of .* is not trusted/);
  expect(await outcome('127.0.0.1', undefined)).toBe(true);
  expect(await outcome('127.0.0.1', { mode: 'disable' })).toBe(false);
  expect(await outcome('127.0.0.1', undefined, '?sslmode=require')).toBe(true);
  expect(await outcome('127.0.0.1', { mode: 'verify-ca', ca })).toBe(true);
  expect(await outcome('127.0.0.1', { mode: 'verify-ca', ca: join(folder, 'other.pem') })).toEqual(untrusted);
  expect(await outcome('127.0.0.1', { mode: 'require', ca: join(folder, 'other.pem') })).toEqual(untrusted);
  expect(await outcome('localhost', { mode: 'verify-full', ca })).toBe(true);
  expect(await outcome('127.0.0.1', { mode: 'verify-full', ca })).toEqual(untrusted);
  expect(await outcome('localhost', { mode: 'verify-full' })).toEqual(untrusted);
  expect(await outcome('localhost', undefined, `?sslmode=verify-full&sslrootcert=${ca}`)).toBe(true);
});
