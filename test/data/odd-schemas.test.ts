import { setTimeout as passes } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, whenWaiting } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, type TestDatabase, testDatabase } from '../servers/sql.js';

/* Schemas and moments that are rare and allowed: rows of others stay as they are, and CLEAN is said only of what is. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: ['wal_level=logical'] });
});
afterAll(() => server.stop());

const real = { dryRun: false, seeded: false };
const profile = (url: string, ...rows: object[]): DataProfile => ({
  stores: { db: { kind: 'postgres', url } },
  cleanup: { prefix: 'load-test-user-', settle: '1ms', rows },
});
const by = (table: string, column = 'user_id') => ({ table: `db.${table}`, column });
const ids = (many: number) => `SELECT 'load-test-user-' || n FROM generate_series(1, ${many}) n`;

async function beside(url: string): Promise<TestDatabase['sql']> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return async (text) => (await client.query(text)).rows;
}

interface Odd {
  readonly what: string;
  readonly schema: string;
  readonly rows: object[];
  /** How many rows of each table are left; those of others are. */
  readonly left: Record<string, number>;
  readonly proven?: boolean;
  readonly line?: object;
}

const schemas: Odd[] = [
  {
    what: 'domains as keys',
    schema: `CREATE DOMAIN uid AS text CHECK (VALUE <> ''); CREATE DOMAIN userid AS uid; CREATE TABLE users (user_id userid PRIMARY KEY); CREATE TABLE orders (who uid, owner uid REFERENCES users ON DELETE CASCADE);
      INSERT INTO users ${ids(3)}; INSERT INTO users VALUES ('ann'); INSERT INTO orders SELECT user_id, user_id FROM users;`,
    rows: [by('users'), by('orders', 'who')],
    left: { users: 1, orders: 1 },
  },
  {
    what: 'a generated column in a key',
    schema: `CREATE TABLE users (user_id text PRIMARY KEY); CREATE TABLE orders (raw text, owner text GENERATED ALWAYS AS (lower(raw)) STORED REFERENCES users ON DELETE CASCADE);
      INSERT INTO users ${ids(3)}; INSERT INTO users VALUES ('ann'); INSERT INTO orders SELECT upper(user_id) FROM users;`,
    rows: [by('users'), { table: 'db.orders', via: 'db.users' }],
    left: { users: 1, orders: 1 },
  },
  {
    what: 'a deferred constraint trigger that keeps a row',
    schema: `CREATE TABLE jobs (id int, user_id text); INSERT INTO jobs SELECT n, 'load-test-user-' || n FROM generate_series(1, 200) n;
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 77 THEN RAISE EXCEPTION 'job % stays', OLD.id; END IF; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER keep AFTER DELETE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep();`,
    rows: [by('jobs')],
    left: { jobs: 1 },
    proven: false,
    line: { count: 1, why: expect.stringContaining('job 77 stays') },
  },
  {
    what: 'a rule that marks rows as deleted',
    schema: `CREATE TABLE jobs (user_id text, gone bool); INSERT INTO jobs ${ids(3)}; CREATE RULE soft AS ON DELETE TO jobs DO INSTEAD UPDATE jobs SET gone = true WHERE user_id = OLD.user_id;`,
    rows: [by('jobs')],
    left: { jobs: 3 },
    proven: false,
    line: { count: 3, why: expect.stringContaining('although DELETE reported no error') },
  },
  {
    what: 'a rule that deletes elsewhere as well, with ids that are handed back',
    schema: `CREATE TABLE carts (id int PRIMARY KEY, user_id text); CREATE TABLE notes (cart int); INSERT INTO carts SELECT n, 'load-test-user-' || n FROM generate_series(1, 5) n; INSERT INTO notes VALUES (1), (9);
      CREATE TABLE gone (id int); CREATE RULE log AS ON DELETE TO carts DO ALSO INSERT INTO gone VALUES (OLD.id);`,
    rows: [by('carts'), { table: 'db.notes', via: 'db.carts', column: 'cart' }],
    left: { carts: 0, notes: 1, gone: 5 },
  },
  {
    what: 'what inherits from two listed tables',
    schema: `CREATE TABLE a (user_id text); CREATE TABLE b (user_id text, n int); CREATE TABLE c () INHERITS (a, b); INSERT INTO a ${ids(2)}; INSERT INTO b ${ids(2)}; INSERT INTO c ${ids(2)}; INSERT INTO c VALUES ('ann');`,
    rows: [by('a'), by('b')],
    left: { a: 1, b: 1, c: 1 },
  },
  {
    what: 'a partition that is listed beside the whole',
    schema: `CREATE TABLE jobs (n int, user_id text) PARTITION BY LIST (n); CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1) PARTITION BY LIST (user_id); CREATE TABLE jobs_1_x PARTITION OF jobs_1 DEFAULT;
      CREATE TABLE jobs_x PARTITION OF jobs DEFAULT; INSERT INTO jobs SELECT n, 'load-test-user-' || n FROM generate_series(1, 3) n; INSERT INTO jobs VALUES (1, 'ann'), (2, 'ann');`,
    rows: [by('jobs'), by('jobs_1')],
    left: { jobs: 2 },
  },
  {
    what: 'a statement trigger that takes rows of its own choice',
    schema: `CREATE TABLE jobs (user_id text); CREATE TABLE old (user_id text); INSERT INTO jobs ${ids(3)}; INSERT INTO old VALUES ('load-test-user-1'), ('ann');
      CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM old WHERE user_id LIKE 'load%'; RETURN NULL; END $$; CREATE TRIGGER sweep AFTER DELETE ON jobs EXECUTE FUNCTION sweep();`,
    rows: [by('jobs'), by('old')],
    left: { jobs: 0, old: 1 },
  },
  {
    what: 'a composite key with MATCH FULL, SET NULL of one column, and no index',
    schema: `CREATE TABLE users (org int, user_id text, PRIMARY KEY (org, user_id)); CREATE TABLE notes (org int, owner text, who text, FOREIGN KEY (org, owner) REFERENCES users ON DELETE SET NULL (owner));
      INSERT INTO users SELECT 1, 'load-test-user-' || n FROM generate_series(1, 4) n; INSERT INTO notes VALUES (1, 'load-test-user-2', 'alice'), (1, NULL, 'bob');`,
    rows: [by('users'), by('notes', 'who')],
    left: { users: 1, notes: 2 },
    proven: false,
    line: { what: 'db.users', count: 1 },
  },
  {
    what: 'a table that publishes deletes and has no replica identity',
    schema: `CREATE TABLE jobs (user_id text); INSERT INTO jobs ${ids(50)}; CREATE PUBLICATION all_jobs FOR TABLE jobs;`,
    rows: [by('jobs')],
    left: { jobs: 50 },
    proven: false,
    line: { count: 50, why: expect.stringContaining('replica identity') },
  },
  {
    what: 'names that a statement of ours uses itself',
    schema: `CREATE TABLE t (o text PRIMARY KEY, t text, user_id text); CREATE TABLE o (t text REFERENCES t, s text, n int); CREATE TABLE part (mine text REFERENCES t ON DELETE CASCADE, user_id text);
      INSERT INTO t SELECT n, n, 'load-test-user-' || n FROM generate_series(1, 3) n; INSERT INTO o VALUES ('1', 's', 1); INSERT INTO part VALUES ('2', 'alice');`,
    rows: [by('t'), { table: 'db.o', via: 'db.t' }, by('part')],
    left: { t: 1, o: 0, part: 1 },
    proven: false,
    line: { what: 'db.t', count: 1 },
  },
];

test.each(schemas)('$what', async ({ schema, rows, left, proven = true, line }) => {
  const { url, sql } = await testDatabase(server, schema);
  const { receipt } = await cleanup(dataContext(profile(url, ...rows)), real);
  const counts = Object.keys(left).map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
  expect([receipt.proven, await sql(`SELECT ${counts.join(', ')}`)], JSON.stringify(receipt.lines)).toEqual([proven, [left]]);
  if (line !== undefined) expect(receipt.lines).toContainEqual(expect.objectContaining(line));
});

test.each(['{s0.id}', '{s0."id"}'])(
  'a set that an entry covers by %s, in a table that others inherit from, goes with the entry',
  async (customer) => {
    const { url, sql } = await testDatabase(
      server,
      'CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE orders (no text PRIMARY KEY, customer text); CREATE TABLE old_orders () INHERITS (orders)',
    );
    const sets = {
      s0: { table: 'db.users', rows: 3, columns: { id: 'user-{n}' } },
      s2: { table: 'db.orders', rows: 3, columns: { no: 'o-{n}', customer } },
    };
    const parts = { ...profile(url, { table: 'db.orders', column: 'customer', in: 's0."id"' }), seed: sets };
    await seed(dataContext(parts));
    const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect([receipt.proven, receipt.lines, await sql('SELECT id FROM users UNION ALL SELECT no FROM orders')]).toEqual([true, [], []]);
  },
);

test('a view with INSTEAD OF is no table: 104, and which to name', async () => {
  const { url } = await testDatabase(server, 'CREATE TABLE jobs (user_id text); CREATE VIEW shown AS SELECT * FROM jobs');
  await expect(cleanup(dataContext(profile(url, by('shown'))), real)).rejects.toMatchObject({
    reason: 'invalid-profile',
    hint: 'Name the table behind it.',
  });
});

test('a role with DELETE and SELECT of some columns only: its table stays, with the GRANT', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE jobs (id int, user_id text); CREATE TABLE old (user_id text); INSERT INTO jobs (user_id) ${ids(3)}; INSERT INTO old ${ids(3)};
     CREATE ROLE by_column LOGIN PASSWORD 'pw'; GRANT DELETE, SELECT (user_id) ON jobs TO by_column; GRANT ALL ON old TO by_column;`,
  );
  const { receipt } = await cleanup(dataContext(profile(asRole(url, 'by_column', 'pw'), by('jobs'), by('old'))), real);
  expect(receipt.rows).toMatchObject([
    { table: 'old', deleted: 3 },
    { table: 'jobs', deleted: 0 },
  ]);
  expect(receipt.lines).toMatchObject([{ what: 'db.jobs', command: 'As the owner, run: GRANT SELECT ON "public"."jobs" TO "by_column";' }]);
  expect(await sql('SELECT count(*)::int FROM jobs')).toEqual([{ count: 3 }]);
});

test('a role for which foreign keys do not fire: what others hung on a row keeps it', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE users (user_id text PRIMARY KEY); CREATE TABLE notes (who text, owner text REFERENCES users ON DELETE CASCADE); INSERT INTO users ${ids(3)}; INSERT INTO notes VALUES ('alice', 'load-test-user-2');
     CREATE ROLE copier LOGIN PASSWORD 'pw'; ALTER ROLE copier SET session_replication_role = replica; GRANT ALL ON users, notes TO copier;`,
  );
  const { receipt } = await cleanup(dataContext(profile(asRole(url, 'copier', 'pw'), by('users'), by('notes', 'who'))), real);
  expect([receipt.proven, await sql('SELECT owner, user_id FROM notes JOIN users ON user_id = owner')]).toEqual([
    false,
    [{ owner: 'load-test-user-2', user_id: 'load-test-user-2' }],
  ]);
});

describe('while cleanup works', () => {
  test('somebody cancels its statements: a receipt is made, and the same command ends well', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE users (user_id text PRIMARY KEY); CREATE TABLE notes (who text, owner text REFERENCES users ON DELETE CASCADE); CREATE INDEX ON notes (owner);
       INSERT INTO users ${ids(20_000)}; INSERT INTO notes SELECT user_id, user_id FROM users; INSERT INTO users VALUES ('ann'); INSERT INTO notes VALUES ('ann', 'ann');`,
    );
    const dba = await beside(url);
    let isOver = false;
    const cancels = (async () => {
      for (; !isOver; await passes(15))
        await dba(
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'loadctl%' AND state = 'active'",
        );
    })();
    const codes: boolean[] = [];
    for (let run = 1; run <= 3; run++) {
      const ended = await cleanup(dataContext(profile(url, by('users'), by('notes', 'who'))), real).catch((error: unknown) => error);
      if (typeof ended === 'object' && ended !== null && 'receipt' in ended) codes.push(true);
      else expect(ended).toMatchObject({ reason: 'unavailable' });
    }
    isOver = true;
    await cancels;
    const { receipt } = await cleanup(dataContext(profile(url, by('users'), by('notes', 'who'))), real);
    expect([receipt.proven, await sql('SELECT who FROM notes'), await sql('SELECT user_id FROM users')]).toEqual([
      true,
      [{ who: 'ann' }],
      [{ user_id: 'ann' }],
    ]);
  });

  test('a migration holds a partition for some seconds: it is waited for, and it all goes', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE jobs (n int, user_id text) PARTITION BY LIST (n); CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1); CREATE TABLE jobs_2 PARTITION OF jobs FOR VALUES IN (2);
       INSERT INTO jobs SELECT 1 + n % 2, 'load-test-user-' || n FROM generate_series(1, 5000) n;`,
    );
    const migration = await beside(url);
    const context = dataContext(profile(url, by('jobs')));
    let held: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      context.emit(event);
      if (event.type !== 'step-progressed' || held !== undefined) return;
      held = migration('BEGIN; LOCK TABLE jobs_2 IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4); COMMIT');
    };
    const { receipt } = await cleanup({ ...context, emit }, real);
    await held;
    expect([held !== undefined, receipt.proven, await sql('SELECT count(*)::int FROM jobs')]).toEqual([true, true, [{ count: 0 }]]);
  });

  test('a partition is detached concurrently and that is not ended: 113, and where to look', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE jobs (n int, user_id text) PARTITION BY LIST (n); CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1); CREATE TABLE jobs_2 PARTITION OF jobs FOR VALUES IN (2);
       INSERT INTO jobs VALUES (1, 'load-test-user-1');`,
    );
    const [writer, reader, dba] = [await beside(url), await beside(url), await beside(url)];
    await writer("BEGIN; INSERT INTO jobs VALUES (2, 'load-test-user-2')");
    const context = whenWaiting(dataContext(profile(url, by('jobs'))), async () => {
      await writer('COMMIT');
      await reader('BEGIN; SELECT count(*) FROM jobs');
      await dba("SET statement_timeout = '300ms'");
      await dba('ALTER TABLE jobs DETACH PARTITION jobs_2 CONCURRENTLY').catch(() => undefined);
      await reader('COMMIT');
    });
    const { receipt } = await cleanup(context, real);
    expect(await sql('SELECT inhdetachpending AS pending FROM pg_inherits WHERE inhdetachpending')).toEqual([{ pending: true }]);
    const why = 'public.jobs_2 was detached from it meanwhile, and may have rows of the test';
    expect([receipt.proven, receipt.lines]).toMatchObject([false, [{ kind: 'unknown', what: 'jobs', why }]]);
  });
});
