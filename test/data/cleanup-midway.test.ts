import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { storeTask } from '../../src/stores/index.js';
import { lookAtDatabase } from '../../src/stores/postgres/cleaning/look.js';
import { addressesOf } from '../../src/stores/postgres/connection/places.js';
import { openSession, type Session } from '../../src/stores/postgres/connection/session.js';
import { type DataProfile, dataContext, whenWaiting } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, type TestDatabase, testDatabase } from '../servers/sql.js';

/* What keeps one entry from going, before or while the others go, keeps back that entry and what it refers to. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const real = { dryRun: false, seeded: false };
const profile = (url: string, ...rows: object[]): DataProfile => ({
  stores: { db: { kind: 'postgres', url } },
  cleanup: { prefix: 'load-test-user-', settle: '1ms', rows },
});
const byUser = (table: string) => ({ table: `db.${table}`, column: 'user_id' });
const five = (table: string) => `INSERT INTO ${table} (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 5) n;`;

/** A profile and role are made for each test. */
let roles = 0;
function newRole(grants: (role: string) => string): { readonly role: string; readonly sql: string } {
  const role = `midway_${++roles}`;
  return { role, sql: `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; ${grants(role)}` };
}

/** Does something once, as the rows of a table begin to go. */
function whenDeleting<Context extends ReturnType<typeof dataContext>>(
  context: Context,
  table: string,
  work: () => Promise<unknown>,
): Context {
  let done: Promise<unknown> | undefined;
  const emit: Context['emit'] = (event) => {
    context.emit(event);
    if (event.type === 'step-started' && event.step.startsWith(`delete db ${table}`)) done ??= work();
  };
  const { clock } = context.world;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    await done;
    return clock.sleep(ms, signal);
  };
  return { ...context, emit, world: { ...context.world, clock: { ...clock, sleep } } };
}

async function writerOf({ url }: TestDatabase, begin: string): Promise<TestDatabase['sql']> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`BEGIN; ${begin}`);
  return async (text) => (await client.query(text)).rows;
}

describe('a referencing table in a schema that the role may not use', () => {
  const schema = `CREATE SCHEMA hidden; CREATE TABLE users (user_id text PRIMARY KEY); CREATE TABLE orders (id serial PRIMARY KEY, user_id text REFERENCES users);
    CREATE TABLE hidden.notes (id serial, user_id text, order_id int REFERENCES orders ON DELETE CASCADE); CREATE INDEX ON hidden.notes (order_id); CREATE TABLE jobs (user_id text);
    ${five('users')} ${five('orders')} ${five('jobs')} INSERT INTO hidden.notes (user_id, order_id) VALUES ('alice', 1);`;

  test.each([
    ['is listed', [byUser('hidden.notes')]],
    ['is not listed', []],
  ])('and %s: the GRANT is told, that table and its parents stay, the rest goes', async (_, more) => {
    const { role, sql: made } = newRole((name) => `GRANT ALL ON ALL TABLES IN SCHEMA public, hidden TO ${name}`);
    const { url, sql } = await testDatabase(server, `${schema} ${made}`);
    const entries = [byUser('users'), byUser('orders'), ...more, byUser('jobs')];
    const { reasons, receipt } = await cleanup(dataContext(profile(asRole(url, role, 'pw'), ...entries)), real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    const command = `As the owner, run: GRANT USAGE ON SCHEMA "hidden" TO "${role}";`;
    expect(receipt.lines).toContainEqual(expect.objectContaining({ what: 'db.orders', count: 5, command }));
    const counts =
      'SELECT (SELECT count(*) FROM jobs)::int AS jobs, (SELECT count(*) FROM orders)::int AS orders, (SELECT count(*) FROM users)::int AS users';
    expect(await sql(`${counts}, (SELECT count(*) FROM hidden.notes)::int AS notes`)).toEqual([{ jobs: 0, orders: 5, users: 5, notes: 1 }]);
    await sql(command.replace('As the owner, run: ', ''));
    if (more.length === 0) return;
    const again = await cleanup(dataContext(profile(asRole(url, role, 'pw'), ...entries)), real);
    expect([again.reasons, await sql(counts)]).toEqual([['cleanup-not-proven'], [{ jobs: 0, orders: 1, users: 1 }]]);
    expect(again.receipt.lines).toContainEqual(
      expect.objectContaining({ what: 'db.orders', why: 'rows of hidden.notes still reference them' }),
    );
  });
});

describe('a table that goes away while the others are cleaned up', () => {
  const schema = `CREATE TABLE jobs (id serial, user_id text); CREATE TABLE users (user_id text PRIMARY KEY); CREATE TABLE notes (user_id text REFERENCES users);
    ${five('jobs')} ${five('users')} ${five('notes')}`;

  test.each([
    ['dropped', 'DROP TABLE jobs', /^public\.jobs was dropped meanwhile/],
    ['renamed', 'ALTER TABLE jobs RENAME TO old_jobs', /^public\.jobs is called "public"\."old_jobs" meanwhile$/],
    [
      'renamed, and another one in its place',
      `BEGIN; ALTER TABLE jobs RENAME TO old_jobs; CREATE TABLE jobs (id int PRIMARY KEY, user_id text); ${"INSERT INTO jobs VALUES (1, 'load-test-user-1'), (2, 'ann');"}
       CREATE TABLE parts (job int REFERENCES jobs ON DELETE CASCADE, who text); INSERT INTO parts VALUES (1, 'alice'); COMMIT`,
      /^public\.jobs is called "public"\."old_jobs" meanwhile$/,
    ],
    ['dropped with its column', 'ALTER TABLE jobs DROP COLUMN user_id', /column is missing|column .*user_id.* does not exist/],
  ])('%s: its entry alone is not proven, and a receipt is made', async (_, migration, why) => {
    const database = await testDatabase(server, schema);
    const context = whenDeleting(dataContext(profile(database.url, byUser('jobs'), byUser('users'), byUser('notes'))), 'notes', () =>
      database.sql(migration),
    );
    const { reasons, receipt } = await cleanup(context, real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([{ kind: 'unknown', what: 'db.jobs', count: null, why: expect.stringMatching(why) }]);
    expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
      ['notes', 5, 0],
      ['users', 5, 0],
      ['jobs', 0, null],
    ]);
    expect(await database.sql("SELECT to_regclass('parts') IS NULL OR (SELECT count(*) FROM users) = 0 AS well")).toEqual([{ well: true }]);
    if (migration.startsWith('BEGIN')) expect(await database.sql('SELECT who FROM parts')).toEqual([{ who: 'alice' }]);
  });

  test('between the last two looks: it is not proven either', async () => {
    const database = await testDatabase(server, schema);
    const writer = await writerOf(database, 'INSERT INTO notes VALUES (NULL)');
    const context = whenWaiting(dataContext(profile(database.url, byUser('jobs'), byUser('users'), byUser('notes'))), async () => {
      await writer('COMMIT');
      await database.sql('ALTER TABLE jobs RENAME TO old_jobs; CREATE TABLE jobs (id serial, user_id text)');
      await database.sql(five('old_jobs'));
    });
    const { receipt } = await cleanup(context, real);
    expect([receipt.proven, receipt.lines]).toMatchObject([false, [{ kind: 'unknown', what: 'db.jobs', count: null }]]);
  });

  test('a child table: what it held goes all the same', async () => {
    const database = await testDatabase(
      server,
      `${schema} CREATE TABLE old_notes (user_id text REFERENCES users ON DELETE CASCADE); ${five('old_notes')}`,
    );
    const entries = [byUser('users'), byUser('notes'), byUser('old_notes')];
    const context = whenDeleting(dataContext(profile(database.url, ...entries)), 'old_notes', () => database.sql('DROP TABLE notes'));
    const { receipt } = await cleanup(context, real);
    expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
      ['old_notes', 5, 0],
      ['notes', 0, null],
      ['users', 5, 0],
    ]);
    expect(receipt.lines).toMatchObject([{ what: 'db.notes', count: null }]);
  });
});

test('a REVOKE while rows go keeps back what the role may not see any more, and no more', async () => {
  const { role, sql: made } = newRole((name) => `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`);
  const database = await testDatabase(
    server,
    `CREATE TABLE jobs (user_id text); CREATE TABLE notes (user_id text); ${five('jobs')} ${five('notes')} ${made}`,
  );
  const parts = profile(asRole(database.url, role, 'pw'), byUser('jobs'), byUser('notes'));
  const context = whenDeleting(dataContext(parts), 'notes', () => database.sql(`REVOKE ALL ON jobs FROM ${role}`));
  const { reasons, receipt } = await cleanup(context, real);
  expect([reasons, receipt.rows]).toMatchObject([
    ['cleanup-not-proven'],
    [
      { table: 'notes', deleted: 5, left: 0 },
      { table: 'jobs', left: null },
    ],
  ]);
  expect(receipt.lines).toMatchObject([
    { kind: 'unknown', what: 'db.jobs', why: expect.stringContaining('permission denied for table jobs') },
  ]);
});

test('rows that time out in a trigger are given up after a few, and what can go still goes', { timeout: 120_000 }, async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE things (id int PRIMARY KEY, user_id text); INSERT INTO things SELECT n, 'load-test-user-' || n FROM generate_series(1, 2400) n;
     CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$;
     CREATE TRIGGER wait BEFORE DELETE ON things FOR EACH ROW WHEN (OLD.id BETWEEN 1001 AND 1300) EXECUTE FUNCTION wait();`,
  );
  const begun = performance.now();
  const { receipt } = await cleanup(dataContext(profile(url, byUser('things'))), real);
  const seconds = (performance.now() - begun) / 1000;
  console.log(`300 of 2,400 rows that take a minute each: ${seconds.toFixed(0)} s, ${receipt.rows[0]?.left} left`);
  expect(seconds).toBeLessThan(100);
  expect(receipt.lines).toMatchObject([
    {
      kind: 'left',
      what: 'db.things',
      why: expect.stringMatching(/a single row takes longer than 5s; \d+ rows near such ones were not tried/),
    },
  ]);
  expect(await sql('SELECT count(*)::int AS slow FROM things WHERE id BETWEEN 1001 AND 1300')).toEqual([{ slow: 300 }]);
  expect(await sql('SELECT count(*)::int AS slow FROM things WHERE NOT id BETWEEN 1001 AND 1300')).toEqual([{ slow: 0 }]);
});

test('rows that are found through a part with row-level security of its own: nobody knows whether any is left', async () => {
  const { role, sql: made } = newRole((name) => `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`);
  const { url } = await testDatabase(
    server,
    `CREATE TABLE users (id text, PRIMARY KEY (id)) PARTITION BY LIST (id); CREATE TABLE users_1 PARTITION OF users FOR VALUES IN ('user-1'); CREATE TABLE users_x PARTITION OF users DEFAULT;
     CREATE TABLE profiles (user_id text REFERENCES users_1); INSERT INTO users VALUES ('user-1'); INSERT INTO profiles VALUES ('user-1'); ALTER TABLE users_1 ENABLE ROW LEVEL SECURITY; ${made}`,
  );
  const seeds = { users: { table: 'db.users', rows: 2, columns: { id: 'user-{n}' } } };
  const parts = profile(asRole(url, role, 'pw'), { table: 'db.profiles', via: 'users' });
  const { receipt } = await cleanup(dataContext({ ...parts, seed: seeds }), real);
  expect(receipt.proven).toBe(false);
  expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', what: 'public.users_1' }));
});

test('the catalog is asked once for all tables: each one more costs two questions, what it is and which columns it has', async () => {
  const asked = async (tables: number) => {
    const all = Array.from({ length: tables }, (_, index) => `t${index}`);
    const { url } = await testDatabase(
      server,
      `CREATE TABLE users (user_id text PRIMARY KEY); ${all.map((name) => `CREATE TABLE ${name} (user_id text REFERENCES users ON DELETE CASCADE); CREATE INDEX ON ${name} (user_id);`).join(' ')}`,
    );
    const { profile: made, world, emit, signal } = dataContext(profile(url, byUser('users'), ...all.map(byUser)));
    const { db } = made.stores;
    if (db?.kind !== 'postgres') return expect.unreachable();
    const context = { store: 'db', label: 'test', signal, clock: world.clock, emit, allowsHost: () => true };
    const session = await openSession(addressesOf('db', db)[0] ?? expect.unreachable(), context);
    let questions = 0;
    const counted: Session = {
      ...session,
      query: (sql, values) => {
        questions += 1;
        return session.query(sql, values);
      },
    };
    const { hazards } = await lookAtDatabase(counted, { config: db, task: storeTask(made, 'db', { now: 0 }), context }, true);
    await session.close();
    expect(hazards).toEqual([]);
    return questions;
  };
  const [few = 0, many = 0] = [await asked(2), await asked(12)];
  console.log(`questions to look at 3 tables: ${few}, at 13: ${many}`);
  expect((many - few) / 10).toBeLessThanOrEqual(2);
});
