import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeLock } from '../../src/phases/data/lock.js';
import { dataContext } from '../servers/data-context.js';
import { canHaveAddresses, ownAddresses } from '../servers/own-addresses.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { type PostgresProxy, startPostgresProxy } from '../servers/tcp-proxy.js';
import { requestsTo } from '../support/colours.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { startTarget, type Target } from '../support/target.js';

/** Guards that have to look at something first: what they send besides that look, and that nothing is changed by it. */

let server: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  [server, redis] = await Promise.all([startPostgres(), startRedis()]);
});
afterAll(() => Promise.all([server.stop(), redis.stop()]));

const tables = `
  CREATE TABLE users (id text PRIMARY KEY);
  CREATE TABLE orders (id serial PRIMARY KEY, user_id text);
  CREATE TABLE notes (id serial, order_id int REFERENCES orders ON DELETE CASCADE, user_id text);
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER welcome AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();
  CREATE TRIGGER refund AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION f();
  CREATE RULE keep AS ON DELETE TO notes DO ALSO NOTIFY gone;
  INSERT INTO orders (user_id) VALUES ('load-test-user-1');`;

interface Shop {
  readonly at: Workplace;
  readonly target: Target;
  readonly database: TestDatabase;
  readonly proxy: PostgresProxy;
  /** What is in the tables. */
  content(): Promise<unknown>;
}

const workload = `workload: {script: ../script.js, vus: 4, duration: 2s, pacing: 1s, endpoints: {work: GET /work}, mix: {work: 100%}, sessions: {buy: 100%}, steps: {buy: [read, POST /orders]}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}}
cleanup: {prefix: load-test-user-, rows: [{table: db.orders, column: user_id}, {table: db.notes, column: user_id}]}
`;

/** A profile whose target and database are beyond loopback, or on it. */
async function shop({ beyond = true, url }: { beyond?: boolean; url?: (database: string) => Promise<string> } = {}): Promise<Shop> {
  const [one = '127.0.0.1', two = '127.0.0.1'] = beyond ? ownAddresses(2) : [];
  const target = await startTarget(undefined, one);
  const database = await testDatabase(server, tables);
  const proxy = await startPostgresProxy(server.port, two);
  const way = url === undefined ? proxy.through(database.url) : await url(database.url);
  const at = workplace({
    'profiles/staging.yaml': `environment: staging\ntarget: {url: "${target.url}"}\n${workload}stores: {db: {kind: postgres, url: "${way}"}}\nguards: {allow: [${one}, ${two}]}\n`,
    'script.js': "import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };",
  });
  const content = () => database.sql('SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM orders) AS orders');
  return { at, target, database, proxy, content };
}

const untouched = [{ users: 0, orders: 1 }];
/** What a terminal shows as one line: without its colours and where it broke lines. */
const unwrapped = (shown: string): string => stripVTControlCharacters(shown).replace(/\s+/g, ' ');

/** Only reads, in a transaction that could not write. */
const looks = /^(BEGIN READ ONLY; SET LOCAL |\s*SELECT |\s*WITH RECURSIVE (?![\s\S]*\b(INSERT|UPDATE|DELETE|MERGE)\b))/;

describe.runIf(canHaveAddresses())('without a confirmation', () => {
  test.each([
    ['run', 'load the target', []],
    ['seed', 'insert test data', ['db: users has the trigger welcome, which runs AFTER INSERT for each row']],
    [
      'cleanup',
      'remove test data',
      [
        'db: notes has the rule keep on DELETE',
        'db: orders has the trigger refund, which runs AFTER DELETE for each row',
        'db: notes (order_id) references orders with ON DELETE CASCADE',
      ],
    ],
    [
      'test',
      'insert test data, load the target, remove test data',
      [
        'db: users has the trigger welcome, which runs AFTER INSERT for each row',
        'db: notes (order_id) references orders with ON DELETE CASCADE',
      ],
    ],
  ] as const)('%s shows the blast radius, looks triggers and cascades up, and does nothing else', async (command, does, setsOff) => {
    const { at, target, proxy, content } = await shop();
    const said = await at.loadctl([command, '--env', 'staging'], { LOADCTL_CONFIRM: `staging@${'0'.repeat(12)}` });

    expect(said.code).toBe(112);
    const looked = setsOff.length === 0 ? '' : ' but look-ups (triggers and cascades in db)';
    expect(said.stderr).toContain(`The guard \`confirm\` refuses this on staging; nothing was sent${looked}. Confirm`);
    expect(said.stderr).toMatch(/hint: Type the environment's name on a terminal, or set LOADCTL_CONFIRM=staging@[0-9a-f]{12}\n/);
    expect(said.stderr).toMatch(new RegExp(`about to +${does}\\n`));
    for (const line of setsOff) expect(said.stderr).toContain(line);
    const [loads, seeds, cleans] = [
      ['run', 'test'],
      ['seed', 'test'],
      ['cleanup', 'test'],
    ].map((commands) => commands.includes(command));
    expect(/POST \/orders +4\/s +writes/.test(said.stderr)).toBe(loads);
    expect(/4 VUs for 2s/.test(said.stderr)).toBe(loads);
    expect(said.stderr.includes('users: 5 rows into db.users')).toBe(seeds);
    expect(said.stderr.includes('db.orders where user_id begins with load-test-user-')).toBe(cleans);
    expect(said.stderr).toContain(`beyond this machine: ${new URL(target.url).hostname}, `);

    expect(requestsTo(target)).toBe(0);
    expect(proxy.connections()).toBe(setsOff.length === 0 ? 0 : 2);
    expect(proxy.statements.filter((sql) => !looks.test(sql))).toEqual([]);
    expect(await content()).toEqual(untouched);
  });

  test('says plainly what could not be determined: a table that is not there, a database that is not', async () => {
    const { at, database } = await shop();
    await database.sql('DROP TABLE notes');
    const missing = await at.loadctl(['cleanup', '--env', 'staging']);
    expect(missing.stderr).toContain('db: triggers and cascades could not be determined: db: there is no table notes in the database');
    at.file('profiles/staging.yaml', at.read('profiles/staging.yaml').replace(/(postgres:\/\/[^@]+@[^:]+):\d+/, '$1:1'));
    const away = await at.loadctl(['cleanup', '--env', 'staging']);
    expect(away.code).toBe(112);
    expect(away.stderr).toContain('db: triggers and cascades could not be determined: db: nothing listens on');
  });

  test('does not wait for a database that is silent for longer than 5 s', async () => {
    const { at, proxy } = await shop();
    proxy.freeze();
    const begun = Date.now();
    const said = await at.loadctl(['seed', '--env', 'staging']);
    expect(Date.now() - begun).toBeLessThan(8000);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('db: triggers and cascades could not be determined: no answer within 5 s');
  });

  test('a plan that was approved and is another one by now gets no further: the script, a file of it, -e, --set, the profile', async () => {
    const { at, target, proxy } = await shop();
    at.file('data.json', '[1]');
    at.file('script.js', "import './lib.js';\nconst data = open('./data.json');\nexport default () => {};");
    at.file('lib.js', 'export const one = 1;');
    expect((await at.loadctl(['plan', '--env', 'staging', '--out', 'approved'])).code).toBe(0);
    const changes: [string, string[], () => void][] = [
      ['', ['--set', 'workload.vus=3'], () => {}],
      ['', ['-e', 'FEATURE=on'], () => {}],
      [' What differs: scriptFiles.', [], () => at.file('script.js', `${at.read('script.js')}\n`)],
      [' What differs: scriptFiles.', [], () => at.file('lib.js', 'export const one = 2;')],
      [' What differs: scriptFiles.', [], () => at.file('data.json', '[2]')],
      [' What differs: criteria.', [], () => at.file('profiles/staging.yaml', `${at.read('profiles/staging.yaml')}sla: {p95: 1s}\n`)],
    ];
    const before = ['script.js', 'lib.js', 'data.json', 'profiles/staging.yaml'].map((name) => [name, at.read(name)] as const);
    for (const [differs, args, change] of changes) {
      change();
      for (const command of ['run', 'seed', 'cleanup', 'test']) {
        const said = await at.loadctl([command, '--plan', 'approved', ...args]);
        expect(said.code).toBe(112);
        expect(said.stderr).toMatch(/error: The plan has changed since it was approved: [0-9a-f]{12} then, [0-9a-f]{12} now\./);
        expect(said.stderr).toContain(differs);
      }
      for (const [name, text] of before) at.file(name, text);
    }
    at.file('approved', at.read('approved').replace('"vus": 4', '"vus": 1'));
    const forged = await at.loadctl(['run', '--plan', 'approved']);
    expect(forged.code).toBe(112);
    expect(forged.stderr).toContain('The plan file was changed after it was written: load.');
    expect([requestsTo(target), proxy.connections()]).toEqual([0, 0]);
  });

  test('the plan that was approved is what runs', async () => {
    const { at, target } = await shop();
    await at.loadctl(['plan', '--env', 'staging', '--out', 'approved']);
    const { hash } = JSON.parse(at.read('approved')) as { hash: string };
    const env = { LOADCTL_CONFIRM: `staging@${hash.slice(0, 12)}` };
    for (const command of [['seed'], ['run'], ['cleanup'], ['cleanup', '--seeded']]) {
      const said = await at.loadctl([...command, '--plan', 'approved'], env);
      expect(said, said.stderr).toMatchObject({ code: 0 });
    }
    expect(target.hits.get('GET /work')).toBeGreaterThan(0);
  });
});

(canHaveAddresses() && hasTerminals() ? test : test.skip)('at a terminal the name is typed back, and only the name will do', async () => {
  const { at, proxy, content } = await shop();
  const { PATH = '', HOME = '' } = process.env;
  const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
  const type = async (answer: string) => {
    const call = startInTerminal([process.execPath, bin, 'seed', '--env', 'staging'], at.folder, { PATH, HOME });
    await call.until("Type the environment's name to continue (staging): ");
    call.type(answer);
    return { code: await call.exitCode, shown: call.shown() };
  };
  const shown = await type('yes\r');
  expect(shown.code, shown.shown).toBe(112);
  expect(unwrapped(shown.shown)).toContain('welcome, which runs AFTER INSERT for each row');
  expect(unwrapped(shown.shown)).toContain('The name typed does not match.');
  expect((await type('\x03')).code).toBe(112);
  expect(await content()).toEqual(untouched);
  expect(proxy.statements.filter((sql) => !looks.test(sql))).toEqual([]);
  expect((await type('staging\r')).code).toBe(0);
  expect(await content()).toEqual([{ users: 5, orders: 1 }]);
});

describe('a lock that somebody else holds', () => {
  test.each(['run', 'seed', 'cleanup', 'test'])('keeps %s from everything but the look at it', async (command) => {
    const { at, target, database, proxy, content } = await shop({ beyond: false });
    const lock = await takeLock(dataContext({ stores: { db: { kind: 'postgres', url: database.url } } }), 'run');
    const said = await at.loadctl([command, '--env', 'staging']);
    await lock.release();
    expect(said.code).toBe(112);
    expect(said.stderr).toMatch(
      /db: another loadctl works on the database test\d+: loadctl\/run by ann@laptop from 127\.0\.0\.1 as postgres since .* \(pid \d+\)/,
    );
    expect(said.stderr).toMatch(/hint: Wait until it is done. If it died, end its session: SELECT pg_terminate_backend/);
    expect(requestsTo(target)).toBe(0);
    expect(proxy.statements.filter((sql) => !/^(SELECT|BEGIN$|ROLLBACK$)/.test(sql))).toEqual([]);
    expect(await content()).toEqual(untouched);
  });
});

describe.runIf(hasPgBouncer())('a pooler that hands sessions around', () => {
  test.each(['run', 'seed', 'cleanup', 'test'])('keeps %s from everything but the look at it', async (command) => {
    let behind: PostgresProxy | undefined;
    const { at, target, content } = await shop({
      beyond: false,
      url: async (database) => {
        behind = await startPostgresProxy(server.port);
        return startPgBouncer(behind.through(database), { mode: 'transaction' });
      },
    });
    const said = await at.loadctl([command, '--env', 'staging']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('is a connection pooler that hands its sessions around (transaction or statement pooling)');
    expect(said.stderr).toContain("hint: Name the database's own host and port in the URL of the store db");
    expect(requestsTo(target)).toBe(0);
    const ours = (behind?.statements ?? []).filter((sql) => !/^(SET |DISCARD ALL)/.test(sql)); // PgBouncer says those by itself
    expect(ours.filter((sql) => !/^(SELECT (pg_backend_pid|set_config\('loadctl\.lock')|BEGIN$|ROLLBACK$)/.test(sql))).toEqual([]);
    expect(await content()).toEqual(untouched);
  });
});

test('keys that nobody knows in the index that is to be flushed: 112, and not one command that deletes', async () => {
  const client = new Redis(`${redis.url}/1`);
  await client.set('somebody:else', 'precious');
  await client.set('user:load-test-user-1', 'x');
  await client.config('RESETSTAT');
  const at = workplace({
    'profiles/dev.yaml': `target: {url: http://127.0.0.1:1}\nworkload: {script: ../script.js}\nstores: {cache: {kind: redis, url: "${redis.url}/0", testDatabase: 1}}\ncleanup: {prefix: load-test-user-, keys: [{flush: cache}]}\n`,
    'script.js': 'export default () => {};',
  });
  for (const command of ['cleanup', 'test']) {
    const said = await at.loadctl([command, '--env', 'dev']);
    expect(said.code).toBe(112);
    expect(said.stderr).toMatch(/cache: database 1 of \S+ holds 1 key that this profile does not make/);
    expect(said.stderr).toContain('"somebody:else"');
    expect(said.stderr).toContain('{flush: cache, everything: true}');
  }
  const used = [...(await client.info('commandstats')).matchAll(/cmdstat_(\w+)/g)].map(([, name]) => name);
  expect(used).toContain('scan');
  expect(used.filter((name) => /^(flush|del|unlink|expire|set|eval|getdel)/.test(name ?? ''))).toEqual([]);
  expect(await client.dbsize()).toBe(2);
  client.disconnect();
});

test('a script that changes while the run is prepared: 112, and no request', async () => {
  const target = await startTarget();
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n`,
    'script.js': "import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };",
    'k6.sh': `#!/bin/sh\n[ "$1" = archive ] && echo '// another one' >>script.js\nexec '${process.env.LOADCTL_K6 ?? 'k6'}' "$@"\n`,
  });
  chmodSync(join(at.folder, 'k6.sh'), 0o755);
  const said = await at.loadctl(['run', '--env', 'dev'], { LOADCTL_K6: join(at.folder, 'k6.sh') });
  expect(said.code).toBe(112);
  expect(said.stderr).toContain('The script changed while the run was prepared: script.js.');
  expect(target.hits.get('GET /work') ?? 0).toBe(0);
});

test('no connection of these is left behind', async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await expect
    .poll(async () => (await client.query("SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'loadctl/%'")).rows)
    .toEqual([{ count: 0 }]);
  await client.end();
});
