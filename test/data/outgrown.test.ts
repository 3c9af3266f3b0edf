import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { testDatabase } from '../servers/sql.js';
import { workplace } from '../support/loadctl.js';

/* Entries go by a set as the profile has it; what was written while it had more rows, or another template, is left and told. */

let postgres: PostgresServer;
let redis: RedisServer;
let home: Redis;
beforeAll(async () => {
  postgres = await startPostgres();
  redis = await startRedis();
  home = new Redis(`${redis.url}/0`);
});
afterAll(async () => {
  home.disconnect();
  await redis.stop();
  await postgres.stop();
});

const own = { dryRun: false, seeded: false };
const all = { dryRun: false, seeded: true };
const tables = `CREATE TABLE users (id text PRIMARY KEY, name text); CREATE TABLE carts (id serial, u text);
  CREATE TABLE notes (id serial, owner text REFERENCES users);`;

function profileOf(url: string) {
  return (rows: number, id = 'user-{n}', more: Partial<DataProfile> = {}): DataProfile => ({
    stores: { db: { kind: 'postgres', url }, cache: { kind: 'redis', url: `${redis.url}/0` } },
    seed: { users: { table: 'db.users', rows, columns: { id, name: 'Test' } } },
    cleanup: { settle: '10ms', rows: [{ table: 'db.carts', column: 'u', in: 'users.id' }] },
    ...more,
  });
}

function unquoted(text: string, group: number): string {
  return group === 0 ? text : String(JSON.parse(text));
}

test('a set that shrank: rows of its former rows are left, told, and go with the command', async () => {
  const { url, sql } = await testDatabase(postgres, tables);
  const machine: Machine = {};
  const profile = profileOf(url);
  await seed(dataContext(profile(60), { machine }));
  await sql("INSERT INTO carts (u) SELECT 'user-' || n FROM generate_series(1, 61) n");
  const fewer = await cleanup(dataContext(profile(50), { machine }), own);
  expect(fewer.reasons).toEqual(['cleanup-not-proven']);
  expect(fewer.receipt.rows).toMatchObject([{ table: 'carts', deleted: 50, left: 0 }]);
  expect(fewer.receipt.lines).toContainEqual({
    kind: 'left',
    store: 'db',
    shard: null,
    what: 'db.carts',
    count: 10,
    why: 'u is in users.id as it was: users was seeded otherwise before (60 rows)',
    command: 'loadctl cleanup --env test --set seed.users.rows=60',
  });
  const again = await cleanup(dataContext(profile(60), { machine }), own);
  expect(again.reasons).toEqual([]);
  expect(again.receipt.rows).toMatchObject([{ deleted: 10, left: 0 }]);
  expect((await cleanup(dataContext(profile(50), { machine }), own)).reasons).toEqual([]);
  expect(await sql('SELECT u FROM carts')).toEqual([{ u: 'user-61' }]);
});

test('so are rows that reference rows of the set, whose template is another one now', async () => {
  const { url, sql } = await testDatabase(postgres, tables);
  const machine: Machine = {};
  const via = { cleanup: { settle: '10ms', rows: [{ table: 'db.notes', via: 'users' }] } };
  const profile = profileOf(url);
  await seed(dataContext(profile(5, 'user-{n}', via), { machine }));
  await sql("INSERT INTO notes (owner) VALUES ('user-1'), ('user-5')");
  const changed = await cleanup(dataContext(profile(5, 'u-{n}', via), { machine }), own);
  expect(changed.reasons).toEqual(['cleanup-not-proven']);
  expect(changed.receipt.lines).toContainEqual(
    expect.objectContaining({
      kind: 'left',
      what: 'db.notes',
      count: 2,
      command: "loadctl cleanup --env test --set 'seed.users.columns.id=user-{n}'",
    }),
  );
  const seeded = await cleanup(dataContext(profile(5, 'u-{n}', via), { machine }), all);
  expect(seeded.receipt.lines).toContainEqual(
    expect.objectContaining({
      kind: 'left',
      what: 'users (db.users)',
      count: 5,
      command: "loadctl cleanup --env test --seeded --set 'seed.users.columns.id=user-{n}'",
    }),
  );
  expect((await cleanup(dataContext(profile(5, 'user-{n}', via), { machine }), all)).reasons).toEqual([]);
  expect(await sql('SELECT (SELECT count(*) FROM users)::int AS users, (SELECT count(*) FROM notes)::int AS notes')).toEqual([
    { users: 0, notes: 0 },
  ]);
});

test('patterns, members and `where` of a set that shrank are told, too', async () => {
  const { url } = await testDatabase(postgres, tables);
  const machine: Machine = {};
  const profile = profileOf(url);
  const keys = [
    { match: 'cache/cart:{users.id}:*' },
    { key: 'cache/jobs', members: '{users.id}:*' },
    { match: 'cache/sess:*', where: { json: 'user', in: 'users.id' } },
  ];
  const cache = { cleanup: { settle: '10ms', keys } };
  await seed(dataContext(profile(60, 'user-{n}', cache), { machine }));
  for (const n of [7, 55, 61]) {
    await home.set(`cart:user-${n}:a`, 'x');
    await home.rpush('jobs', `user-${n}:a`);
    await home.set(`sess:${n}`, JSON.stringify({ user: `user-${n}` }));
  }
  const { receipt, reasons } = await cleanup(dataContext(profile(50, 'user-{n}', cache), { machine }), own);
  expect(reasons).toEqual(['cleanup-not-proven']);
  const command = 'loadctl cleanup --env test --set seed.users.rows=60';
  expect(receipt.lines.filter(({ kind }) => kind === 'left')).toMatchObject([
    { what: 'keys cart:{users.id}:*', count: 1, command },
    { what: 'members {users.id}:* of jobs', count: 1, command },
    { what: 'keys sess:* where user is in users.id', count: 1, command },
  ]);
  expect((await cleanup(dataContext(profile(60, 'user-{n}', cache), { machine }), own)).reasons).toEqual([]);
  expect((await home.keys('*')).sort()).toEqual(['cart:user-61:a', 'jobs', 'sess:61']);
});

test('the command that is printed helps, whatever changed', async () => {
  const { url, sql } = await testDatabase(postgres, 'CREATE TABLE users (id uuid PRIMARY KEY, "full name" text, n int)');
  const profile = (set: string) =>
    `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}\nseed: {users: ${set}}\n`;
  const file = 'profiles/dev.yaml';
  const at = workplace({
    [file]: profile('{table: db.users, rows: 7, random: 1, columns: {id: "{uuid}", "full name": "It\'s {n}", n: 1}}'),
    'script.js': 'export default () => {};',
  });
  expect((await at.loadctl(['seed', '--env', 'dev'])).code).toBe(0);
  at.file(file, profile('{table: db.users, rows: 5, columns: {id: "00000000-0000-4000-8000-{n+100000000000}", "full name": x, n: 2}}'));
  expect((await at.loadctl(['cleanup', '--env', 'dev', '--seeded'])).code).toBe(113);
  const [receipt = ''] = readdirSync(join(at.folder, '.loadctl', 'receipts'));
  const [, typed = ''] = /"command": (".*")/.exec(at.read(join('.loadctl', 'receipts', receipt)))?.map(unquoted) ?? [];
  expect(typed).toMatch(/^loadctl cleanup --env dev --seeded --set /);
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${typed}`], { encoding: 'utf8' });
  const args = words.trim().split('\n').slice(1);
  const helped = await at.loadctl(args);
  expect([helped.code, helped.stdout + helped.stderr]).toEqual([0, expect.stringContaining('CLEAN')]);
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
});

test('so does that for a set that is gone, with what it refers to', async () => {
  const { url, sql } = await testDatabase(postgres, tables);
  const stores = `stores: {db: {kind: postgres, url: "${url}"}}`;
  const profile = (seeds: string) => `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\n${stores}\nseed: {${seeds}}\n`;
  const users = 'users: {table: db.users, rows: 7, columns: {id: "us\'er-{n}", name: Test}}';
  const carts = 'carts: {table: db.carts, rows: 9, key: u, columns: {u: "x/{n}"}}';
  const notes = 'notes: {table: db.named, rows: 5, columns: {id: "{users.id}"}}';
  await sql('CREATE TABLE named (id text PRIMARY KEY)');
  const file = 'profiles/dev.yaml';
  const at = workplace({ [file]: profile(`${users}, ${notes}`), 'script.js': 'export default () => {};' });
  expect((await at.loadctl(['seed', '--env', 'dev'])).code).toBe(0);
  at.file(file, profile(carts));
  expect((await at.loadctl(['cleanup', '--env', 'dev', '--seeded'])).code).toBe(113);
  const receipts = readdirSync(join(at.folder, '.loadctl', 'receipts')).sort();
  const commands = [...at.read(join('.loadctl', 'receipts', receipts.at(-1) ?? '')).matchAll(/"command": (".*")/g)].map((found) =>
    unquoted(found[1] ?? '', 1),
  );
  const typed = commands.filter((command) => command.includes('--set'));
  expect(typed).toHaveLength(2);
  for (const command of typed) {
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
    await at.loadctl(words.trim().split('\n').slice(1));
  }
  expect(await sql('SELECT (SELECT count(*) FROM users)::int AS users, (SELECT count(*) FROM named)::int AS named')).toEqual([
    { users: 0, named: 0 },
  ]);
});
