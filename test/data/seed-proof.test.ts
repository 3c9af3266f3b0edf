import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import type { LoadctlEvent } from '../../src/core/events.js';
import { seed } from '../../src/phases/data/seed.js';
import { storeTask } from '../../src/stores/index.js';
import { addressesOf } from '../../src/stores/postgres/connection/places.js';
import { openWorkSession } from '../../src/stores/postgres/connection/sessions.js';
import { findSeededRows } from '../../src/stores/postgres/rows/seeded-rows.js';
import { isSummedUp } from '../../src/stores/postgres/seeding/proof.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

/* When all rows are written, they are looked at once more, wherever they are by then. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const rows = 20_000;
const users = { table: 'db.users', rows, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'Test User {n}' } };
const usersTable = 'CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE NOT NULL, name text, created_at timestamptz DEFAULT now());';
const contextOf = (url: string, sets: unknown[] = [users]) => dataContext({ stores: { db: { kind: 'postgres', url } }, seed: sets });

/** Seeds users; when all of them are in, somebody runs SQL while the seed waits. */
function seedAnd(url: string, sql: string) {
  const context = contextOf(url);
  const run =
    "const client = new (require('pg').Client)(process.argv[1]); client.connect().then(() => client.query(process.argv[2])).finally(() => client.end())";
  let isDone = false;
  const emit = (event: LoadctlEvent) => {
    context.emit(event);
    if (isDone || event.type !== 'step-progressed' || event.done < rows) return;
    isDone = true;
    execFileSync(process.execPath, ['-e', run, url, sql]);
  };
  return seed({ ...context, emit });
}

test('one that is changed and one that is gone are told, row by row', async () => {
  const { url } = await testDatabase(server, usersTable);
  const failed = seedAnd(url, "DELETE FROM users WHERE id = 'user-700'; UPDATE users SET name = 'Bob' WHERE id = 'user-15000'");
  const { lines } = await failed.then(
    () => expect.unreachable(),
    (error: LoadctlError) => error,
  );
  expect(lines).toEqual([
    expect.stringMatching(/name differs from what this seed wrote/),
    '  row 15000 (id "user-15000"): name is "Bob", not "Test User 15000"',
    expect.stringMatching(/cannot be inserted as seeded \(1\)/),
    expect.stringMatching(/row 700 .*another session deleted it/),
  ]);
});

test('those that an application moves, and leaves as they are, are there; so are those beside rows that it adds', async () => {
  const { url, sql } = await testDatabase(server, usersTable);
  const others = "INSERT INTO users SELECT 'other' || n, 'other' || n, 'x' FROM generate_series(1, 500) AS n";
  const { stores } = await seedAnd(url, `UPDATE users SET name = name WHERE id LIKE 'user-1%'; ${others}`);
  expect(stores).toMatchObject([{ created: rows, alreadyThere: 0 }]);
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: rows + 500 }]);
});

test('in a table with room all over, in partitions, and of a type that nothing hashes', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${usersTable} INSERT INTO users SELECT 'other' || n, 'other' || n, repeat('x', 300) FROM generate_series(1, 20000) AS n;
     CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY HASH (id);
     CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     CREATE TABLE prices (price money PRIMARY KEY)`,
  );
  await sql("DELETE FROM users WHERE right(id, 1) IN ('1', '4', '7')");
  await sql('VACUUM users');
  const sets = [
    users,
    { table: 'db.parts', rows, columns: { id: '{n}', day: '2026-11-28' } },
    { table: 'db.prices', rows, columns: { price: '{n}' } },
  ];
  expect((await seed(contextOf(url, sets))).stores.map(({ created }) => created)).toEqual([rows, rows, rows]);
});

test('their sum is that of the profile’s rows and of no others, and only where this seed wrote all of them', async () => {
  const { url, sql } = await testDatabase(server, usersTable);
  const context = contextOf(url);
  await seed(context);
  const { db } = context.profile.stores;
  if (db?.kind !== 'postgres') return expect.unreachable();
  const [address = expect.unreachable()] = addressesOf('db', db);
  const { clock } = context.world;
  const { signal } = new AbortController();
  const session = await openWorkSession(address, { ...context, store: 'db', label: 'test', clock, signal, allowsHost: () => true });
  const isThere = async (columns: object, transactions: string[]) => {
    const { profile } = contextOf(url, [{ ...users, columns: { ...users.columns, ...columns } }]);
    const task = storeTask(profile, 'db', { now: 0 });
    const [set = expect.unreachable()] = task.tables;
    const made = await findSeededRows(session, db, set, task.source(set));
    return isSummedUp([session], { rows: made, there: 0, transactions, firstPage: 0 }, { clock, signal });
  };
  const wrote = (await sql('SELECT DISTINCT xmin::text FROM users')).map(({ xmin }) => String(xmin));
  expect(await isThere({}, wrote)).toBe(true);
  expect(await isThere({ name: 'Test user {n}' }, wrote)).toBe(false);
  expect(await isThere({ email: 'user{n+1}@test.com' }, wrote)).toBe(false);
  expect(await isThere({}, wrote.slice(1))).toBe(false);
  await session.close();
});
