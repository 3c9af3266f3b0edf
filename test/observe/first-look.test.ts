import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { listening } from '../servers/depth-server.js';
import { has, startPrometheus } from '../servers/observed.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { watchedPlace } from '../support/watched-run.js';

/** A monitor that cannot look: its words in a profile, what is wrong, and the fix. */
type Bad = readonly [words: string, message: RegExp, fix: RegExp];

/** What `doctor` says of each of these, and `run` of the first: where it is written, what is wrong, and the fix. */
async function refused(monitors: Readonly<Record<string, Bad>>, stores = ''): Promise<void> {
  const names = Object.keys(monitors);
  const lines = names.map((name) => `  ${name}: {${monitors[name]?.[0]}}\n`);
  const at = await watchedPlace(`monitors:\n  other: {kind: host, here: true}\n${lines.join('')}${stores}`);
  const profile = at.read('profiles/dev.yaml').split('\n');
  const place = (name: string) => `profiles/dev.yaml:${profile.findIndex((text) => text.startsWith(`  ${name}:`)) + 1}`;
  const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors', '--json'], at.env);
  expect(looked, looked.stdout + looked.stderr).toMatchObject({ code: 115 });
  const findings = (JSON.parse(looked.stdout) as { monitors: { what: string; said: string; more?: string }[] }).monitors;
  for (const [name, [, message, fix]] of Object.entries(monitors)) {
    const { said = '', more = '' } = findings.find(({ what }) => what === name) ?? {};
    expect(said).toContain(`${place(name)}: `);
    expect(said).toMatch(message);
    expect(more).toMatch(fix);
  }
  const [[first, [, message, fix]] = ['', ['', /^$/, /^$/]]] = Object.entries(monitors);
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
  expect(said.stderr).toContain(`The monitor ${first} (${place(first)}) cannot look at`);
  expect(said.stderr).toMatch(message);
  expect(said.stderr).toMatch(fix);
  expect(looked.stdout + looked.stderr + said.stdout + said.stderr).not.toMatch(/wr0ng-pass|right-pass/);
}

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({});
  return () => server.stop();
});

const setup = `
  CREATE TABLE queue_entries (id int, status text, created_at timestamptz);
  CREATE SCHEMA app;
  CREATE TABLE app."Waiting Ones" (id int, payload text);
  INSERT INTO app."Waiting Ones" VALUES (1, 'seven');
  DO $$ BEGIN CREATE ROLE mon LOGIN PASSWORD 'right-pass'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`;

test('Postgres: a wrong password, a missing right; no such table, column, condition', async () => {
  const { url } = await testDatabase(server, setup);
  const condition = /Correct `where`/;
  const rows = (words: string) => `kind: queue, store: db, table: ${words}`;
  await refused(
    {
      password: [`kind: postgres, url: "${asRole(url, 'mon', 'wr0ng-pass')}"`, /wrong password for the role mon/, /Correct the password/],
      right: ['kind: queue, store: mon, table: queue_entries', /lacks a permission: .*queue_entries/, /GRANT .*TO mon/],
      table: [rows('queue_entrys'), /a table is missing: .*queue_entrys/, /correct its name in the profile/],
      // A schema, capitals and blanks are a part of the name.
      capitals: [rows('app.waiting_ones'), /a table is missing: .*waiting_ones/, /correct its name in the profile/],
      column: [rows('queue_entries, age: made_at'), /a column is missing: .*made_at/, /correct its name in the profile/],
      operator: [rows('queue_entries, where: "status == 1"'), /operator does not exist/, condition],
      syntax: [rows(`queue_entries, where: "status = 'waiting';"`), /syntax error/, condition],
      // Only the count itself comes to this value.
      value: [rows(`'app."Waiting Ones"', where: "payload::int > 5"`), /invalid input syntax for type integer/, condition],
    },
    `stores: {db: {kind: postgres, url: "${url}"}, mon: {kind: postgres, url: "${asRole(url, 'mon', 'right-pass')}"}}`,
  );
});

test.skipIf(!hasPgBouncer())(
  'PgBouncer: a stranger; a database that is not its own; a wrong password; no TLS where it wants it',
  async () => {
    const url = new URL(await startPgBouncer(server.url, { mode: 'transaction' }));
    const pool = (change: Partial<Pick<URL, 'pathname' | 'username' | 'password' | 'search'>>, of = url) =>
      `kind: pgbouncer, url: "${Object.assign(new URL(of), change)}"`;
    const strict = new URL(await startPgBouncer(server.url, { mode: 'session', asksPassword: true, encrypted: true }));
    const [pathname, right] = ['/pgbouncer', strict.password];
    const noConsole = /no admin console of PgBouncer for this login/;
    await refused({
      password: [
        pool({ pathname, password: 'wr0ng-pass', search: '?sslmode=require' }, strict),
        /SASL authentication failed/,
        /the password that its auth_file has/,
      ],
      stranger: [pool({ pathname, username: 'stranger', password: 'wr0ng-pass' }), noConsole, /one of its `stats_users`/],
      database: [pool({}), noConsole, /`pgbouncer` and one of its `stats_users`/],
      plain: [pool({ pathname, password: right, search: '?sslmode=disable' }, strict), /TLS|SSL/, /stats_users/],
    });
    const at = await watchedPlace(`monitors: {pool: {${pool({ pathname, password: right, search: '?sslmode=require' }, strict)}}}\n`);
    const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], at.env);
    expect(looked, looked.stdout).toMatchObject({ code: 0 });
  },
);

test('Redis: a wrong password; a missing right; a key of another type, a stream that is not there, a group it has not', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  await client.call('ACL', 'SETUSER', 'mon', 'on', '>right-pass', '+ping', '+select', '+hello', '+client');
  await client.set('text', 'a');
  await client.xadd('orders', '*', 'n', 1);
  const url = (password: string) => redis.url.replace('redis://', `redis://mon:${password}@`);
  await refused(
    {
      password: [`kind: redis, url: "${url('wr0ng-pass')}"`, /refused the login/, /Correct the user name and password/],
      right: [`kind: redis, url: "${url('right-pass')}"`, /does not allow this: .*info/i, /ACL SETUSER/],
      type: ['kind: queue, store: cache, list: text', /WRONGTYPE|wrong kind/, /./],
      stream: ['kind: queue, store: cache, stream: ordres, group: billing', /no such key|ordres/, /./],
      group: ['kind: queue, store: cache, stream: orders, group: biling', /orders has no group biling/, /correct its name/],
    },
    `stores: {cache: {kind: redis, url: "${redis.url}"}}`,
  );
});

test('a URL that answers HTML, JSON without the number, or sends elsewhere; processes of another machine', async () => {
  const pages = createServer((request, response) => {
    if (request.url === '/json') return void response.setHeader('content-type', 'application/json').end('{"depth": "many"}');
    if (request.url === '/moved') return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    response.setHeader('content-type', 'text/html').end('<html>Sign in</html>');
  });
  const url = `http://127.0.0.1:${await listening(pages)}`;
  const fix = /Correct the URL of the monitor/;
  await refused({
    promql: [`kind: prometheus, url: "${url}", query: up`, /answered HTML, not JSON/, fix],
    exporter: [`kind: host, nodeExporter: ["${url}"]`, /something else than a node_exporter/, fix],
    queue: [`kind: queue, url: "${url}/json", jsonPath: $.depth`, /JSON without a number at the jsonPath/, /jsonPath/],
    moved: [`kind: queue, url: "${url}/moved", jsonPath: $.depth`, /answered status 302/, fix],
  });
  // Something listens at this very port of this machine, too.
  const far = `stores: {far: {kind: postgres, url: "postgres://a@192.0.2.1:${new URL(url).port}/a"}}`;
  const at = await watchedPlace(`${far}\nmonitors: {elsewhere: {kind: host, here: [far]}}\nguards: {allow: [192.0.2.1], confirm: false}`);
  const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], at.env);
  expect(looked, looked.stderr).toMatchObject({ code: 115, stdout: expect.stringContaining('is not on this machine') });
});

test.skipIf(!has('prometheus'))('an error in PromQL; a query without an answer', async () => {
  const url = await startPrometheus([]);
  await refused({
    broken: [`kind: prometheus, url: "${url}", query: "sum(up"`, /does not take the query: .*parse error/, /Correct the query/],
    nothing: [`kind: prometheus, url: "${url}", query: nothing_of_that_name`, /knows no series/, /vector\(0\)/],
  });
});
