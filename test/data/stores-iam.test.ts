import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates } from '../servers/certificates.js';
import { type IamGate, startIamGate } from '../servers/iam-gate.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

const region = 'eu-central-1';
const keyId = 'AKIALOADCTLTEST';
const secretKey = 'marked-iam-secret-key';
const keys = { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secretKey };

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loadctl-iam-'));
  makeCertificates(folder, [{ name: 'ca' }, { name: 'server', by: 'ca', hosts: ['DNS:localhost'] }]);
  server = await startPostgres();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

interface Setting {
  readonly gate: IamGate;
  readonly target: Target;
  readonly place: Workplace;
  readonly sql: (text: string) => Promise<Record<string, unknown>[]>;
}

/** A database of a role that only the gate lets in, and a profile that goes through it. */
async function setting(signedFor = region): Promise<Setting> {
  const { url, sql } = await testDatabase(server);
  const database = new URL(url).pathname.slice(1);
  await sql(`DO $$ BEGIN CREATE ROLE loadctl LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
  await sql('CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE orders (user_id text);');
  await sql('GRANT ALL ON ALL TABLES IN SCHEMA public TO loadctl');
  const lines = ['host all loadctl 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'];
  await sql(`COPY (VALUES ${lines.map((line) => `('${line}')`).join(',')}) TO PROGRAM 'cat > pg_hba.conf'`);
  await sql('SELECT pg_reload_conf()');
  const [cert, key] = ['pem', 'key'].map((kind) => readFileSync(join(folder, `server.${kind}`), 'utf8'));
  const certificate = { cert: cert ?? '', key: key ?? '' };
  const gate = await startIamGate({ keyId, secretKey, region, host: 'localhost', certificate, postgresPort: server.port });
  const target = await startTarget();
  const place = workplace({
    'script.js': `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/'); sleep(0.05); };`,
    'profiles/dev.yaml': `target: {url: "${target.url}"}
workload: {script: ../script.js, vus: 2, duration: 4s}
runners: {count: 2}
stores:
  db:
    kind: postgres
    url: "postgres://localhost:${gate.port}/${database}"
    tls: {mode: verify-full, ca: ${join(folder, 'ca.pem')}}
    auth: {iam: {region: ${signedFor}, user: loadctl}}
seed: {users: {table: db.users, rows: 50, columns: {id: "user-{n}"}}}
cleanup: {prefix: load-test-user-, rows: [{table: db.orders, column: user_id}]}
`,
  });
  return { gate, target, place, sql };
}

test('a whole test over IAM: every connection has a token of its own, made when it was', async () => {
  const { gate, place, sql } = await setting();
  await sql("INSERT INTO orders SELECT 'load-test-user-' || n FROM generate_series(1, 20) n");

  const said = await place.loadctl(['test', '--env', 'dev'], keys);

  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(await sql('SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM orders) AS orders')).toEqual([
    { users: 50, orders: 0 },
  ]);
  expect(gate.refused).toEqual([]);
  // The lock, the look at the cleanup before the test, the seed, the cleanup.
  expect(gate.admitted.length).toBeGreaterThanOrEqual(4);
  // A token tells whole seconds, and the test takes more than four of them.
  expect(gate.admitted.filter(({ role, ageMs }) => role !== 'loadctl' || ageMs > 2500)).toEqual([]);
  const times = gate.admitted.map(({ token }) => /X-Amz-Date=(\w+)/.exec(token)?.[1] ?? '').sort();
  expect(times.at(-1)).not.toBe(times[0]);
  expect(new Set(gate.admitted.map(({ token }) => token)).size).toBe(new Set(times).size);
  expect(said.stdout).toContain('as loadctl');
  expect(said.stdout + said.stderr).not.toMatch(/marked-iam-secret-key|X-Amz-Signature/);
  expect(spawnSync('grep', ['-rlE', 'marked-iam-secret-key|X-Amz-Signature', place.folder], { encoding: 'utf8' }).stdout).toBe('');
});

test('credentials come from where every AWS tool finds them: a profile of ~/.aws, or the role of the machine', async () => {
  const { gate, place } = await setting();
  place.file('.aws/credentials', `[load]\naws_access_key_id = ${keyId}\naws_secret_access_key = ${secretKey}\n`);
  const asked: string[] = [];
  const role = await startTarget((request, response) => {
    asked.push(request.headers.authorization ?? '');
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ AccessKeyId: keyId, SecretAccessKey: secretKey, Token: 'marked-session-token', Expiration }));
    return true;
  });

  const byProfile = await place.loadctl(['seed', '--env', 'dev'], { HOME: place.folder, AWS_PROFILE: 'load' });
  expect(byProfile, byProfile.stderr).toMatchObject({ code: 0 });
  const [before] = [gate.admitted.length];
  const byRole = await place.loadctl(['seed', '--env', 'dev'], {
    HOME: join(place.folder, 'nobody'),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${role.url}/role`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'let me',
  });

  expect(byRole, byRole.stderr).toMatchObject({ code: 0 });
  expect(asked).toContain('let me');
  expect(gate.admitted.slice(before).every(({ token }) => token.includes('X-Amz-Security-Token=marked-session-token'))).toBe(true);
  expect(gate.refused).toEqual([]);
});

test.each([
  { title: 'a secret key that is not the identity’s', env: { ...keys, AWS_SECRET_ACCESS_KEY: 'another' }, why: 'a wrong signature' },
  { title: 'another region', env: keys, signedFor: 'us-east-1', why: 'for us-east-1/rds-db/aws4_request' },
])('$title: 115 with the fix', async ({ env, signedFor, why }) => {
  const { gate, place } = await setting(signedFor);

  const said = await place.loadctl(['seed', '--env', 'dev'], env);

  expect(said.code).toBe(115);
  expect(said.stderr).toMatch(
    /db: localhost:\d+ did not take the IAM token of loadctl for \S+: PAM authentication failed for user "loadctl"/,
  );
  expect(said.stderr).toContain('GRANT rds_iam TO loadctl');
  expect(gate.refused).toEqual([why]);
});

test('no credentials at all: 115 with the fix, soon, and nothing was sent', async () => {
  const { gate, place } = await setting();
  const begun = Date.now();

  const said = await place.loadctl(['seed', '--env', 'dev'], { HOME: place.folder, AWS_EC2_METADATA_DISABLED: 'true' });

  expect(said.code).toBe(115);
  expect(said.stderr).toMatch(/db: no AWS credentials to make an IAM token with: Could not load credentials from any providers/);
  expect(said.stderr).toContain('AWS_PROFILE');
  expect(Date.now() - begun).toBeLessThan(5000);
  expect([gate.admitted, gate.refused]).toEqual([[], []]);
});

test('a mode that may send the token in plain text: 104 at its line, before anything is asked for', async () => {
  const { place } = await setting();

  const said = await place.loadctl(['seed', '--env', 'dev', '--set', 'stores.db.tls.mode=prefer'], keys);

  expect(said.code).toBe(104);
  expect(said.stderr).toContain('`auth.iam` needs `tls: {mode: verify-full}`: `prefer` may send the token in plain text');
});
