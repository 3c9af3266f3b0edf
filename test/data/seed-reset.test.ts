import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';

/* The commands around seeded data, as they are typed. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

async function shop(): Promise<{ at: Workplace; sql: TestDatabase['sql'] }> {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY, name text)');
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}
seed: {users: {table: db.users, rows: 20, columns: {id: "user-{n}", name: Test}}}\ncleanup: {settle: 10ms}\n`,
    'script.js': 'export default () => {};',
  });
  expect((await at.loadctl(['seed', '--env', 'dev'])).code).toBe(0);
  return { at, sql };
}

const changed = "SELECT count(*)::int FROM users WHERE name = 'Bob'";

test('seed --reset lists what was changed, and changes nothing without a terminal or in CI', async () => {
  const { at, sql } = await shop();
  await sql("UPDATE users SET name = 'Bob' WHERE id IN ('user-3', 'user-4')");
  const again = await at.loadctl(['seed', '--env', 'dev']);
  expect(again.code).toBe(114);
  expect(again.stderr).toContain('loadctl seed --env dev --reset');
  for (const env of [{}, { CI: 'true' }]) {
    const { code, stderr } = await at.loadctl(['seed', '--env', 'dev', '--reset'], env);
    expect(code).toBe(112);
    expect(stderr).toContain('users (db.users): 2 rows changed since the seed');
    expect(stderr).toContain('user-3');
    expect(await sql(changed)).toEqual([{ count: 2 }]);
  }
});

const inTerminal = hasTerminals() ? test : test.skip;

inTerminal.each([
  ['1', 112, 2],
  ['2', 0, 0],
])('on a terminal it goes on once the number is typed back: %s', async (typed, exit, left) => {
  const { at, sql } = await shop();
  await sql("UPDATE users SET name = 'Bob' WHERE id IN ('user-3', 'user-4')");
  const { PATH = '', HOME = '' } = process.env;
  const seeding = startInTerminal([process.execPath, bin, 'seed', '--env', 'dev', '--reset'], at.folder, { PATH, HOME });
  await seeding.until(/Type their number to remove them \(2\)/);
  seeding.type(`${typed}\n`);
  expect(await seeding.exitCode, stripVTControlCharacters(seeding.shown())).toBe(exit);
  expect(await sql(changed)).toEqual([{ count: left }]);
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 20 }]);
});

inTerminal('rows that change while the number is typed are not removed: nobody has seen them', async () => {
  const { at, sql } = await shop();
  await sql("UPDATE users SET name = 'Bob' WHERE id IN ('user-3', 'user-4')");
  const { PATH = '', HOME = '' } = process.env;
  const seeding = startInTerminal([process.execPath, bin, 'seed', '--env', 'dev', '--reset'], at.folder, { PATH, HOME });
  await seeding.until(/Type their number to remove them \(2\)/);
  await sql("UPDATE users SET name = 'Bob' WHERE id = 'user-5'");
  seeding.type('2\n');
  expect(await seeding.exitCode).toBe(112);
  expect(stripVTControlCharacters(seeding.shown()).replaceAll(/\s+/g, ' ')).toContain(
    'seeded rows were changed while their number was typed; nothing was removed',
  );
  expect(await sql(changed)).toEqual([{ count: 3 }]);
});

test('what was seeded is in a file of version 2, without secrets; version 1 is told in one sentence', async () => {
  const { at } = await shop();
  const kept: unknown = JSON.parse(at.read('.loadctl/before-dev.json'));
  expect(kept).toMatchObject({
    version: 2,
    seeded: [{ set: 'users', store: 'db', rows: 20, sets: { users: { table: 'db.users', columns: { id: 'user-{n}', name: 'Test' } } } }],
  });
  const { password } = new URL(/postgres:[^"]+/.exec(at.read('profiles/dev.yaml'))?.[0] ?? '');
  expect(password).not.toBe('');
  expect(at.read('.loadctl/before-dev.json')).not.toContain(password);
  at.file('.loadctl/before-dev.json', '{"version": 1, "environment": "dev", "at": "2026-01-01T00:00:00Z", "others": []}');
  const { code, stderr, stdout } = await at.loadctl(['cleanup', '--env', 'dev']);
  expect(code).toBe(0);
  expect(stderr + stdout).toMatch(/before-dev\.json.*version 1, and this loadctl reads version 2/);
});
