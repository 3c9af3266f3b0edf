import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { has, startPrometheus } from '../servers/observed.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { watchedPlace } from '../support/watched-run.js';

/** What a run and `doctor` say of a monitor that cannot look: both where it is written, what is wrong, and the fix. */
async function refused(monitor: string, message: RegExp, fix: RegExp): Promise<void> {
  const at = await watchedPlace(`monitors:\n  other: {kind: host, here: true}\n  bad: ${monitor}\n`);
  const line =
    at
      .read('profiles/dev.yaml')
      .split('\n')
      .findIndex((text) => text.startsWith('  bad:')) + 1;
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
  expect(said.stderr).toContain(`The monitor bad (profiles/dev.yaml:${line}) cannot look at`);
  expect(said.stderr).toMatch(message);
  expect(said.stderr).toMatch(fix);
  expect(said.stdout + said.stderr).not.toMatch(/wr0ng-pass|right-pass/);
  const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], at.env);
  expect(looked.code).toBe(115);
  expect(looked.stdout).toContain(`profiles/dev.yaml:${line}: `);
  expect(looked.stdout.replace(/\s+/g, ' ')).toMatch(message);
}

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({});
  return () => server.stop();
});

const setup = `
  CREATE TABLE queue_entries (id int, status text, created_at timestamptz);
  DO $$ BEGIN CREATE ROLE mon LOGIN PASSWORD 'right-pass'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`;

describe('a first look at Postgres says where and how to fix', () => {
  test.each([
    ['a wrong password', 'wr0ng-pass', 'kind: postgres', /wrong password for the role mon/, /Correct the password/],
    [
      'a table that may not be read',
      'right-pass',
      'kind: queue, table: queue_entries',
      /lacks a permission: .*queue_entries/,
      /GRANT .*TO mon/,
    ],
    [
      'a table that is not there',
      'right-pass',
      'kind: queue, table: queue_entrys',
      /a table is missing: .*queue_entrys/,
      /correct its name in the profile/,
    ],
    [
      'a column that is not there',
      undefined,
      'kind: queue, table: queue_entries, age: made_at',
      /a column is missing: .*made_at/,
      /correct its name in the profile/,
    ],
    [
      'a condition that is no SQL',
      undefined,
      'kind: queue, table: queue_entries, where: "status == 1"',
      /operator does not exist/,
      /Correct `where`/,
    ],
  ])('%s', async (_, password, words, message, fix) => {
    const { url } = await testDatabase(server, setup);
    const login = password === undefined ? url : asRole(url, 'mon', password);
    const store = words.startsWith('kind: queue');
    const monitor = store ? `{${words}, store: db}\nstores: {db: {kind: postgres, url: "${login}"}}` : `{${words}, url: "${login}"}`;
    await refused(monitor, message, fix);
  });
});

test.skipIf(!hasPgBouncer())('PgBouncer: a stranger; a database that is not its own', async () => {
  const url = new URL(await startPgBouncer(server.url, { mode: 'transaction' }));
  await refused(
    `{kind: pgbouncer, url: "${url}"}`,
    /no admin console of PgBouncer for this login/,
    /`pgbouncer` and one of its `stats_users`/,
  );
  url.pathname = '/pgbouncer';
  url.username = 'stranger';
  url.password = 'wr0ng-pass';
  await refused(`{kind: pgbouncer, url: "${url}"}`, /no admin console of PgBouncer for this login/, /one of its `stats_users`/);
});

describe('a first look at Redis says where and how to fix', () => {
  test('a wrong password; a missing right', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    await client.call('ACL', 'SETUSER', 'mon', 'on', '>right-pass', '+ping', '+select', '+hello', '+client');
    const url = (password: string) => redis.url.replace('redis://', `redis://mon:${password}@`);
    await refused(`{kind: redis, url: "${url('wr0ng-pass')}"}`, /refused the login/, /Correct the user name and password/);
    await refused(`{kind: redis, url: "${url('right-pass')}"}`, /does not allow this: .*info/i, /ACL SETUSER/);
  });
});

test('a URL that answers HTML', async () => {
  const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>'));
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    pages.closeAllConnections();
    pages.close();
  });
  const url = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  await refused(`{kind: prometheus, url: "${url}", query: up}`, /answered HTML, not JSON/, /Correct the URL of the monitor/);
  await refused(`{kind: host, nodeExporter: ["${url}"]}`, /something else than a node_exporter/, /Correct the URL of the monitor/);
});

test.skipIf(!has('prometheus'))('an error in PromQL', async () => {
  const url = await startPrometheus([]);
  await refused(`{kind: prometheus, url: "${url}", query: "sum(up"}`, /does not take the query: .*parse error/, /Correct the query/);
});
