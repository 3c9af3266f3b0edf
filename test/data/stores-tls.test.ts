import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { takeLock } from '../../src/phases/data/lock.js';
import { makeCertificates, shownCertificate } from '../servers/certificates.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, type TestDatabase, testDatabase } from '../servers/sql.js';

let server: PostgresServer;
let folder: string;
let database: Pick<TestDatabase, 'url'>;
const file = (name: string) => join(folder, `${name}.pem`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loadctl-tls-'));
  makeCertificates(folder, [
    { name: 'ca' },
    { name: 'other' },
    { name: 'server', by: 'ca', hosts: ['DNS:localhost'] },
    { name: 'by-address', by: 'ca', hosts: ['IP:127.0.0.1'] },
    { name: 'expired', by: 'ca', hosts: ['DNS:localhost'], expired: true },
    { name: 'own', hosts: ['DNS:localhost'] },
    { name: 'client', by: 'ca', subject: 'certified' },
  ]);
  writeFileSync(file('bundle'), readFileSync(file('other'), 'utf8') + readFileSync(file('ca'), 'utf8'));
  server = await startPostgres();
  database = { url: await server.createDatabase('tls') };
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

type Sql = TestDatabase['sql'];

/** Writes lines into a file of the server's own folder, as the server. */
async function place(sql: Sql, name: string, lines: readonly string[]): Promise<void> {
  const rows = lines.map((line) => `('${line}')`).join(',');
  await sql(`COPY (VALUES ${rows}) TO PROGRAM 'umask 077; cat > ${name}'`);
}

/** Has the server show another certificate, or speak no TLS where none is named. */
async function show(sql: Sql, name?: string): Promise<void> {
  if (name !== undefined) {
    for (const kind of ['pem', 'key'])
      await place(
        sql,
        `server.${kind}`,
        readFileSync(join(folder, `${name}.${kind}`), 'utf8')
          .trim()
          .split('\n'),
      );
    await sql("ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
    await sql("ALTER SYSTEM SET ssl_key_file = 'server.key'");
  }
  await sql(`ALTER SYSTEM SET ssl = ${name === undefined ? 'off' : 'on'}`);
  await sql('SELECT pg_reload_conf()');
  await expect.poll(() => shownCertificate(server.port)).toBe(name);
}

/** Whether loadctl's connection is encrypted; else what it says, and how it would end. */
async function outcome(sql: Sql, url: string, tls?: Readonly<Record<string, string>>): Promise<unknown> {
  try {
    const lock = await takeLock(dataContext({ stores: { db: { kind: 'postgres', url, ...(tls ? { tls } : {}) } } }), 'run');
    const [session] = await sql(
      "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name LIKE 'loadctl/run%'",
    );
    await lock.release();
    return session?.ssl;
  } catch (error) {
    return error instanceof LoadctlError ? [error.reason, error.message, error.hint] : error;
  }
}

const says = (message: RegExp, hint: RegExp) => ['unavailable', expect.stringMatching(message), expect.stringMatching(hint)];
const untrusted = says(/^db: the certificate of \S+ is not trusted: unable to verify/, /`tls\.ca`/);
const ofAnotherHost = says(/^db: the certificate of 127\.0\.0\.1:\d+ was made for another host: /, /in the URL/);
const expired = says(/^db: the certificate of \S+ has expired$/, /^Renew it/);
const selfSigned = says(/^db: the certificate of \S+ is not trusted: it is self-signed$/, /`tls\.ca`/);
const plain = says(/^localhost does not speak TLS, and the profile asks for it/, /^Enable TLS on/);

/** The certificate that the server shows; mode, authority, host; what comes of it: true is TLS. */
const modes: readonly (readonly [shown: string | undefined, mode: string, ca: string | undefined, host: string, result: unknown])[] = [
  ['server', 'disable', undefined, 'localhost', false],
  ['server', 'allow', undefined, 'localhost', false],
  ['server', 'prefer', undefined, 'localhost', true],
  ['server', 'require', undefined, 'localhost', true],
  ['server', 'require', 'other', 'localhost', untrusted],
  ['server', 'verify-ca', 'ca', 'localhost', true],
  ['server', 'verify-ca', 'bundle', 'localhost', true],
  ['server', 'verify-ca', 'other', 'localhost', untrusted],
  ['server', 'verify-ca', 'ca', '127.0.0.1', true],
  ['server', 'verify-full', 'ca', 'localhost', true],
  ['server', 'verify-full', 'bundle', 'localhost', true],
  ['server', 'verify-full', 'other', 'localhost', untrusted],
  ['server', 'verify-full', undefined, 'localhost', untrusted],
  ['server', 'verify-full', 'ca', '127.0.0.1', ofAnotherHost],
  ['by-address', 'verify-full', 'ca', '127.0.0.1', true],
  ['expired', 'require', undefined, 'localhost', true],
  ['expired', 'verify-ca', 'ca', 'localhost', expired],
  ['expired', 'verify-full', 'ca', 'localhost', expired],
  ['own', 'require', undefined, 'localhost', true],
  ['own', 'verify-ca', 'ca', 'localhost', selfSigned],
  ['own', 'verify-full', 'ca', 'localhost', selfSigned],
  ['own', 'verify-full', 'own', 'localhost', true],
  [undefined, 'allow', undefined, 'localhost', false],
  [undefined, 'prefer', undefined, 'localhost', false],
  [undefined, 'require', undefined, 'localhost', plain],
  [undefined, 'verify-ca', 'ca', 'localhost', plain],
  [undefined, 'verify-full', 'ca', 'localhost', plain],
];

const servers = [...new Set(modes.map(([shown]) => shown))].map((shown) => ({ shown, title: shown ?? 'no certificate: it speaks no TLS' }));

test.each(servers)('TLS modes mean what they mean to libpq: a server that shows $title', async ({ shown }) => {
  const { sql } = await testDatabase(server);
  await show(sql, shown);

  for (const [, mode, ca, host, result] of modes.filter(([of]) => of === shown)) {
    const url = database.url.replace('127.0.0.1', host);
    const said = await outcome(sql, url, { mode, ...(ca === undefined ? {} : { ca: file(ca) }) });
    expect(said, `${mode}, ${ca ?? 'no'} authority, ${host}`).toEqual(result);
  }
});

test('the URL’s own words mean the same, without a profile', async () => {
  const { sql } = await testDatabase(server);
  await show(sql, 'server');
  const url = database.url.replace('127.0.0.1', 'localhost');

  expect(await outcome(sql, url)).toBe(true);
  expect(await outcome(sql, `${url}?sslmode=disable`)).toBe(false);
  expect(await outcome(sql, `${url}?sslmode=verify-full&sslrootcert=${file('ca')}`)).toBe(true);
  expect(await outcome(sql, `${url}?sslmode=verify-full&sslrootcert=system`)).toEqual(untrusted);
});

test('where the server lets a role in by one way only, `allow` and `prefer` find it; one that asks for a certificate gets it', async () => {
  const { sql } = await testDatabase(server);
  await show(sql, 'server');
  await place(sql, 'ca.pem', readFileSync(file('ca'), 'utf8').trim().split('\n'));
  await sql("ALTER SYSTEM SET ssl_ca_file = 'ca.pem'");
  for (const role of ['secure', 'open', 'certified']) await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
  await place(sql, 'pg_hba.conf', [
    'hostssl all secure 127.0.0.1/32 scram-sha-256',
    'hostnossl all open 127.0.0.1/32 scram-sha-256',
    'hostssl all certified 127.0.0.1/32 cert',
    'host all postgres 127.0.0.1/32 scram-sha-256',
  ]);
  await sql('SELECT pg_reload_conf()');
  const as = (role: string) => asRole(database.url, role, 'pw');
  await expect.poll(() => outcome(sql, as('open'), { mode: 'disable' })).toBe(false);

  const shut = says(/may not log in: no pg_hba\.conf entry/, /Fix the role/);
  const expectations: readonly (readonly [role: string, tls: Readonly<Record<string, string>>, result: unknown])[] = [
    ['secure', { mode: 'disable' }, shut],
    ['secure', { mode: 'allow' }, true],
    ['secure', { mode: 'prefer' }, true],
    ['open', { mode: 'allow' }, false],
    ['open', { mode: 'prefer' }, false],
    ['open', { mode: 'require' }, shut],
    ['certified', { mode: 'require', certificate: file('client'), key: join(folder, 'client.key') }, true],
    ['certified', { mode: 'require' }, says(/certificate/, /./)],
    ['certified', { mode: 'require', certificate: file('client'), key: join(folder, 'ca.key') }, says(/TLS handshake with/, /./)],
  ];
  for (const [role, tls, result] of expectations)
    expect(await outcome(sql, as(role), tls), `${role} ${JSON.stringify(tls)}`).toEqual(result);
});
