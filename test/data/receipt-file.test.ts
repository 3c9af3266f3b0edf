import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';
import { workplace } from '../support/loadctl.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test('a cleanup without a run writes its receipt to .loadctl/receipts; one that proves nothing, too', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE users (id text PRIMARY KEY, name text); CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) VALUES ('load-test-user-1')",
  );
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}", name: Test}}}\ncleanup: {settle: 10ms, rows: [{table: db.res, column: user_id}]}\n`,
    'script.js': 'export default () => {};',
  });
  const receipts = () => readdirSync(join(at.folder, '.loadctl', 'receipts')).sort();
  expect((await at.loadctl(['seed', '--env', 'dev'])).code).toBe(0);
  const clean = await at.loadctl(['cleanup', '--env', 'dev']);
  expect([clean.code, clean.stdout + clean.stderr]).toEqual([
    0,
    expect.stringMatching(/CLEAN[\s\S]*seeded: kept {2}5 of users \(db\.users\)/),
  ]);
  expect(receipts()).toEqual([expect.stringMatching(/^\d{8}T\d{6}-dev\.json$/)]);
  const first: unknown = JSON.parse(at.read(join('.loadctl', 'receipts', receipts()[0] ?? '')));
  expect(first).toMatchObject({
    version: 2,
    proven: true,
    rows: [{ table: 'res', deleted: 1, left: 0 }],
    lines: [{ kind: 'kept', count: 5 }],
  });

  await sql("UPDATE users SET name = 'Bob' WHERE id = 'user-2'");
  const { code, stdout, stderr } = await at.loadctl(['cleanup', '--env', 'dev', '--seeded', '--json']);
  expect(code).toBe(113);
  const last: unknown = JSON.parse(at.read(join('.loadctl', 'receipts', receipts().at(-1) ?? '')));
  expect(last).toMatchObject({
    proven: false,
    lines: [{ kind: 'left', what: 'users (db.users)', count: 1, command: 'loadctl seed --env dev --reset' }],
  });
  expect(stdout + stderr).toContain('changed since the seed');
});

test('a file in the place of .loadctl: 115 with what to do, before anything is seeded or deleted', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE res (id serial, user_id text); INSERT INTO res (user_id) VALUES ('load-test-user-1')",
  );
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}}\ncleanup: {settle: 10ms, rows: [{table: db.res, column: user_id}]}\n`,
    'script.js': 'export default () => {};',
    '.loadctl': '',
  });
  for (const args of [['seed', '--env', 'dev'], ['cleanup', '--env', 'dev'], ['cleanup', '--env', 'dev', '--seeded'], ['runs'], ['stop']]) {
    const { code, stderr } = await at.loadctl(args);
    expect([args, code, stderr]).toEqual([args, 115, expect.stringMatching(/a file is in its place\.\s+hint: Move the file away/)]);
  }
  expect(await sql('SELECT (SELECT count(*) FROM users)::int AS users, (SELECT count(*) FROM res)::int AS res')).toEqual([
    { users: 0, res: 1 },
  ]);
});

test('a file of what was seeded that cannot be read is a warning, also under --quiet', async () => {
  const { url } = await testDatabase(server, 'CREATE TABLE res (id serial, user_id text)');
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}
cleanup: {settle: 10ms, rows: [{table: db.res, column: user_id}]}\n`,
    'script.js': 'export default () => {};',
  });
  for (const [content, why] of [
    ['{"version": 2, torn', /before-dev\.json is not used: .*JSON/],
    ['{"version": 1}', /before-dev\.json is not used: it is of version 1/],
  ] as const) {
    at.file('.loadctl/before-dev.json', content);
    const { code, stderr } = await at.loadctl(['cleanup', '--env', 'dev', '--quiet']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(why)]);
    expect(stderr).toContain('Put the file back as it was, or seed again to have it made anew.');
  }
});

test('an option of old is answered with the new word', async () => {
  const at = workplace({ 'profiles/dev.yaml': 'target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\n', 'script.js': '' });
  const { code, stderr } = await at.loadctl(['cleanup', '--env', 'dev', '--users']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean --seeded? Type: loadctl cleanup --env dev --seeded')]);
});

test('one password stands beside the URLs of all shards', async () => {
  const [one, two] = [
    await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)'),
    await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)'),
  ];
  const { password } = new URL(one.url);
  const bare = [one, two].map(({ url }) => url.replace(`:${password}@`, '@'));
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}
stores: {db: {kind: postgres, shards: ${JSON.stringify(bare)}, shardBy: id % 2, password: "\${DB_PASSWORD}"}}
seed: {users: {table: db.users, rows: 10, columns: {id: "user-{n}"}}}\n`,
    'script.js': 'export default () => {};',
  });
  const { code, stdout, stderr } = await at.loadctl(['seed', '--env', 'dev'], { DB_PASSWORD: password });
  expect(code, stderr).toBe(0);
  expect(stdout + stderr).not.toContain(password);
  for (const { sql } of [one, two]) expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 5 }]);
});
