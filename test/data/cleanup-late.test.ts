import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { notesInMemory } from '../../src/stores/kind/removals.js';
import { type DataProfile, dataContext, type Machine, whenWaiting } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: ['max_prepared_transactions=10'] });
});
afterAll(() => server.stop());

const real = { dryRun: false, seeded: false };
const profile = (url: string, ...rows: object[]): DataProfile => ({
  stores: { db: { kind: 'postgres', url } },
  cleanup: { prefix: 'load-test-user-', settle: '1ms', rows },
});
const byUser = (table: string) => ({ table: `db.${table}`, column: 'user_id' });

/** Another connection to the same database. */
async function beside({ url }: TestDatabase): Promise<TestDatabase['sql']> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return async (text, values) => (await client.query(text, values ? [...values] : undefined)).rows;
}

/** Runs a statement while this process stands still. */
function atOnce(url: string, text: string): void {
  const run =
    'const [url, text] = process.argv.slice(1); const c = new (require("pg").Client)(url); c.connect().then(() => c.query(text)).then(() => c.end())';
  execFileSync(process.execPath, ['-e', run, url, text], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const five = "INSERT INTO jobs (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 5) n";

describe('an open transaction with rows of the test', () => {
  test.each([
    ['in work', 'COMMIT'],
    ['prepared', "COMMIT PREPARED 'late'"],
  ])('%s is waited for, and what it wrote goes', async (_, commit) => {
    const database = await testDatabase(server, 'CREATE TABLE jobs (id serial PRIMARY KEY, user_id text)');
    const writer = await beside(database);
    await writer(`BEGIN; ${five}`);
    if (commit !== 'COMMIT') await writer("PREPARE TRANSACTION 'late'");
    const context = whenWaiting(dataContext(profile(database.url, byUser('jobs'))), () => writer(commit));
    const { receipt, reasons } = await cleanup(context, real);
    expect([reasons, receipt.rows]).toMatchObject([[], [{ deleted: 5, left: 0 }]]);
    expect(await database.sql('SELECT * FROM jobs')).toEqual([]);
  });

  test.each([
    ['', /^a transaction of a session \(pid \d+, since .*Z\) was still at work on it after 100ms/],
    ["PREPARE TRANSACTION 'never'", /^a prepared transaction \(pg_prepared_xacts\) was still at work/],
  ])('that does not end in time: 113, and who it is (%s)', async (prepare, why) => {
    const database = await testDatabase(server, 'CREATE TABLE jobs (id serial PRIMARY KEY, user_id text)');
    const writer = await beside(database);
    await writer(`BEGIN; ${five}`);
    if (prepare !== '') await writer(prepare);
    const parts = profile(database.url, byUser('jobs'));
    const { receipt, reasons } = await cleanup(dataContext({ ...parts, cleanup: { ...parts.cleanup, wait: '100ms' } }), real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([{ kind: 'unknown', what: 'jobs', why: expect.stringMatching(why) }]);
    await writer(prepare === '' ? 'ROLLBACK' : "ROLLBACK PREPARED 'never'");
  });

  test('who only reads, or writes elsewhere, is waited for by nobody; the receipt says up to where it counted', async () => {
    const database = await testDatabase(server, 'CREATE TABLE jobs (id serial PRIMARY KEY, user_id text); CREATE TABLE others (id int)');
    const [reader, writer] = [await beside(database), await beside(database)];
    await reader('BEGIN; SELECT * FROM jobs');
    await writer('BEGIN; INSERT INTO others VALUES (1)');
    const [{ xid } = expect.unreachable()] = await writer('SELECT pg_current_xact_id()::text AS xid');
    const waited: unknown[] = [];
    const context = whenWaiting(dataContext(profile(database.url, byUser('jobs'))), async () => waited.push(1));
    const { receipt, reasons } = await cleanup(context, real);
    expect([reasons, waited]).toEqual([[], []]);
    expect(receipt.snapshots).toMatchObject([{ store: 'db', shard: null, snapshot: expect.stringContaining(`${xid}`) }]);
    expect(
      await database.sql('SELECT pg_visible_in_snapshot($1::xid8, $2::pg_snapshot) AS seen', [xid, receipt.snapshots?.[0]?.snapshot]),
    ).toEqual([{ seen: false }]);
  });
});

test('children of deleted rows that come late are taken, though no key holds them; those of others stay', async () => {
  const database = await testDatabase(
    server,
    `CREATE TABLE orders (id text PRIMARY KEY, user_id text); CREATE TABLE notes (id int, order_id text);
     INSERT INTO orders SELECT 'o''' || n, 'load-test-user-' || n FROM generate_series(1, 50) n; INSERT INTO notes SELECT n, 'o''' || n FROM generate_series(1, 50) n;
     INSERT INTO notes VALUES (99, 'nobody');`,
  );
  const parts = profile(database.url, byUser('orders'), { table: 'db.notes', via: 'db.orders', column: 'order_id' });
  const context = dataContext({ ...parts, cleanup: { ...parts.cleanup, settle: '7ms' } });
  let late: Promise<unknown> | undefined;
  // When all is gone for the first time, a worker of the target writes what it still had in hand.
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === 7) {
      late ??= database.sql("INSERT INTO notes VALUES (51, 'o''7'), (52, 'o''8'), (53, 'somebody')");
      await late;
    }
    return context.world.clock.sleep(ms, signal);
  };
  const { receipt, reasons } = await cleanup({ ...context, world: { ...context.world, clock: { ...context.world.clock, sleep } } }, real);
  expect([reasons, receipt.rows.map(({ table, deleted }) => [table, deleted])]).toEqual([
    [],
    [
      ['notes', 52],
      ['orders', 50],
    ],
  ]);
  expect(await database.sql('SELECT id FROM notes ORDER BY 1')).toEqual([{ id: 53 }, { id: 99 }]);
});

describe('what a trigger writes as seeded rows go', () => {
  const users = { users: { table: 'db.users', rows: 30, columns: { id: 'load-test-user-{n}', name: 'Test {n}' } } };
  const setup = (body: string, each: string) => `
    CREATE TABLE users (id text PRIMARY KEY, name text); INSERT INTO users VALUES ('alice', 'Alice');
    CREATE TABLE log (id serial PRIMARY KEY, who text); INSERT INTO log (who) VALUES ('alice'), ('load-test-user-31'), ('bob');
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$;
    CREATE TRIGGER tell AFTER DELETE ON users ${each} EXECUTE FUNCTION tell();`;
  const byRow = setup('INSERT INTO log (who) VALUES (OLD.id)', 'FOR EACH ROW');
  const byStatement = setup('INSERT INTO log (who) SELECT id FROM gone', 'REFERENCING OLD TABLE AS gone FOR EACH STATEMENT');
  const viaSet = { table: 'db.log', via: 'users', column: 'who' };
  const all = { dryRun: false, seeded: true };

  test.each([
    ['found through the set', byRow, viaSet, 3],
    ['found through the set, written by a statement trigger', byStatement, viaSet, 3],
    ['found by what it holds', byRow, { table: 'db.log', column: 'who', in: 'users.id' }, 3],
    ['found by the prefix', byStatement, { table: 'db.log', column: 'who' }, 2],
  ])('%s: is taken out as well', async (_, schema, entry, left) => {
    const { url, sql } = await testDatabase(server, schema);
    const parts = { ...profile(url, entry), seed: users };
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect([reasons, receipt.proven, receipt.lines]).toEqual([[], true, []]);
    expect(receipt.rows).toMatchObject([
      { table: 'log', left: 0 },
      { table: 'users', deleted: 30, left: 0 },
    ]);
    expect(await sql('SELECT count(*)::int AS n FROM log')).toEqual([{ n: left }]);
  });

  test('is taken out by a cleanup after a seed that was refused halfway, and taken back', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${byRow} CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (who) VALUES (NEW.id); RETURN NULL; END $$;
       CREATE TRIGGER told AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION told();
       CREATE TABLE carts (id text PRIMARY KEY CHECK (id <> 'cart-19000'));`,
    );
    const carts = { table: 'db.carts', rows: 20_000, columns: { id: 'cart-{n}' } };
    const parts = { ...profile(url, viaSet), seed: { ...users, carts } };
    const kept = { machine: {} as Machine, notes: notesInMemory() };
    await expect(seed(dataContext(parts, kept))).rejects.toMatchObject({ hint: expect.stringMatching(/Nothing of this seed is in\.$/) });
    expect(await sql('SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM log) AS log')).toEqual([
      { users: 1, log: 63 },
    ]);
    expect((await cleanup(dataContext(parts, kept), all)).receipt).toMatchObject({ proven: true, lines: [] });
    expect(await sql('SELECT count(*)::int AS n FROM log')).toEqual([{ n: 3 }]);
  });

  test('is taken out by the next cleanup where this one is interrupted in between', async () => {
    const { url, sql } = await testDatabase(server, byRow);
    const parts = { ...profile(url, viaSet), seed: users };
    const kept = { machine: {} as Machine, notes: notesInMemory() };
    await seed(dataContext(parts, kept));
    const context = dataContext(parts, kept);
    const stop = new AbortController();
    const emit: typeof context.emit = (event) => {
      if (event.type === 'step-finished' && event.step.startsWith('take ')) stop.abort();
      context.emit(event);
    };
    const cut = await cleanup({ ...context, signal: stop.signal, emit }, all);
    expect(cut.reasons).toEqual(['cleanup-not-proven', 'interrupted']);
    expect(await sql('SELECT count(*)::int AS n FROM log')).toEqual([{ n: 33 }]);
    expect((await cleanup(dataContext(parts, kept), all)).receipt).toMatchObject({ proven: true, lines: [] });
    expect(await sql('SELECT count(*)::int AS n FROM log')).toEqual([{ n: 3 }]);
  });
});

test('rows that an application writes for seeded ones in the moment before these go, go with them', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE users (id text PRIMARY KEY); INSERT INTO users VALUES ('alice');
     CREATE TABLE orders (id serial PRIMARY KEY, user_id text REFERENCES users); INSERT INTO orders (user_id) VALUES ('alice');`,
  );
  const users = { users: { table: 'db.users', rows: 30, columns: { id: 'load-test-user-{n}' } } };
  const parts = { ...profile(url, byUser('orders')), seed: users };
  for (const all of [1, 30]) {
    await seed(dataContext(parts));
    const context = dataContext(parts);
    const emit: typeof context.emit = (event) => {
      if (event.type === 'step-started' && event.step === 'take-out-seeded')
        atOnce(url, `INSERT INTO orders (user_id) SELECT id FROM users WHERE id <> 'alice' LIMIT ${all}`);
      context.emit(event);
    };
    const { receipt, reasons } = await cleanup({ ...context, emit }, { dryRun: false, seeded: true });
    expect([reasons, receipt.proven, receipt.lines]).toEqual([[], true, []]);
    expect(receipt.rows).toMatchObject([
      { table: 'orders', deleted: all, left: 0 },
      { table: 'users', deleted: 30, left: 0 },
    ]);
    expect(await sql('SELECT u.id, o.user_id FROM users u FULL JOIN orders o ON o.user_id = u.id')).toEqual([
      { id: 'alice', user_id: 'alice' },
    ]);
  }
});

describe('a note of somebody else that comes while its parents go', () => {
  const chain = `CREATE TABLE users (id text PRIMARY KEY, user_id text); CREATE TABLE orders (id int PRIMARY KEY, user_id text REFERENCES users ON DELETE CASCADE);
    CREATE TABLE notes (id int, user_id text, order_id int REFERENCES orders ON DELETE CASCADE);
    INSERT INTO users VALUES ('load-test-user-1', 'load-test-user-1'), ('load-test-user-2', 'load-test-user-2');
    INSERT INTO orders VALUES (1, 'load-test-user-1'), (2, 'load-test-user-2');`;
  const entries = [byUser('users'), { table: 'db.orders', via: 'db.users' }, byUser('notes')];

  test('stays with them, over a chain of CASCADE: 113', async () => {
    const database = await testDatabase(server, chain);
    const alice = await beside(database);
    await alice("BEGIN; INSERT INTO notes VALUES (1, 'alice', 1)");
    const context = whenWaiting(dataContext(profile(database.url, ...entries)), () => alice('COMMIT'));
    const { receipt, reasons } = await cleanup(context, real);
    expect([reasons, await database.sql('SELECT user_id FROM notes')]).toEqual([['cleanup-not-proven'], [{ user_id: 'alice' }]]);
    expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
      ['notes', 0, 0],
      ['orders', 1, 1],
      ['users', 1, 1],
    ]);
  });

  test('between the looks, in the moment before the orders go: stays as well', async () => {
    const database = await testDatabase(server, chain);
    const alice = await beside(database);
    const context = dataContext(profile(database.url, ...entries));
    // Either the order is gone before she writes, and she is told; or her note is first, and keeps all that it belongs to.
    let isFirst: Promise<boolean> | undefined;
    const emit: typeof context.emit = (event) => {
      context.emit(event);
      if (event.type !== 'step-started' || !event.step.startsWith('delete db orders')) return;
      isFirst ??= alice("INSERT INTO notes VALUES (1, 'alice', 1)").then(
        () => true,
        () => false,
      );
    };
    const { reasons } = await cleanup({ ...context, emit }, real);
    const stays = await isFirst;
    const left = await database.sql(
      'SELECT n.user_id, o.id, u.id AS owner FROM notes n LEFT JOIN orders o ON o.id = n.order_id LEFT JOIN users u ON u.id = o.user_id',
    );
    expect(left).toEqual(stays ? [{ user_id: 'alice', id: 1, owner: 'load-test-user-1' }] : []);
    expect(reasons).toEqual(stays ? ['cleanup-not-proven'] : []);
  });

  test('in a tree: stays with all above it, and the rest of the tree goes', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE tree (id int PRIMARY KEY, user_id text, parent int REFERENCES tree ON DELETE CASCADE);
       INSERT INTO tree SELECT n, 'load-test-user-1', nullif(n / 2, 0) FROM generate_series(1, 31) n;`,
    );
    const alice = await beside(database);
    await alice("BEGIN; INSERT INTO tree VALUES (99, 'alice', 9)");
    const context = whenWaiting(dataContext(profile(database.url, byUser('tree'))), () => alice('COMMIT'));
    const { receipt, reasons } = await cleanup(context, real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(await database.sql('SELECT id FROM tree ORDER BY 1')).toEqual([1, 2, 4, 9, 99].map((id) => ({ id })));
    expect(receipt.rows).toMatchObject([{ deleted: 27, left: 4 }]);
  });
});

test('a key that a migration adds between two sweeps keeps the rows that it references', async () => {
  const database = await testDatabase(server, 'CREATE TABLE orders (id int PRIMARY KEY, user_id text)');
  await database.sql("INSERT INTO orders VALUES (1, 'load-test-user-1')");
  const writer = await beside(database);
  await writer("BEGIN; INSERT INTO orders VALUES (2, 'load-test-user-2')");
  const context = whenWaiting(dataContext(profile(database.url, byUser('orders'))), async () => {
    await writer('COMMIT; CREATE TABLE notes (order_id int REFERENCES orders ON DELETE CASCADE, user_id text)');
    await writer("INSERT INTO notes VALUES (2, 'alice')");
  });
  const { receipt } = await cleanup(context, real);
  expect([receipt.proven, receipt.rows]).toMatchObject([false, [{ table: 'orders', deleted: 1, left: 1 }]]);
  expect(receipt.lines).toMatchObject([{ what: 'db.orders', count: 1, why: 'rows of notes still reference them' }]);
  expect(await database.sql('SELECT user_id FROM notes')).toEqual([{ user_id: 'alice' }]);
});

test('a key that a migration adds while rows are deleted keeps the rows that it references', async () => {
  const database = await testDatabase(server, 'CREATE TABLE orders (id int PRIMARY KEY, user_id text)');
  await database.sql("INSERT INTO orders SELECT n, 'load-test-user-1' FROM generate_series(1, 50000) n");
  const context = dataContext(profile(database.url, byUser('orders')));
  const migration = `CREATE TABLE notes (order_id int NOT NULL REFERENCES orders ON DELETE CASCADE, user_id text); CREATE INDEX ON notes (order_id);
    INSERT INTO notes SELECT max(id), 'alice' FROM orders;`;
  let migrated: Promise<unknown> | undefined;
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed') migrated ??= database.sql(migration);
  };
  const { receipt } = await cleanup({ ...context, emit }, real);
  await migrated;
  expect([receipt.proven, receipt.rows]).toMatchObject([false, [{ table: 'orders', deleted: 49_999, left: 1 }]]);
  expect(await database.sql('SELECT user_id FROM notes')).toEqual([{ user_id: 'alice' }]);
});

test('rows in a partition that is detached between two sweeps: 113, and where to look', async () => {
  const database = await testDatabase(
    server,
    `CREATE TABLE jobs (n int, user_id text) PARTITION BY LIST (n); CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1); CREATE TABLE jobs_2 PARTITION OF jobs FOR VALUES IN (2);
     INSERT INTO jobs VALUES (1, 'load-test-user-1');`,
  );
  const writer = await beside(database);
  await writer("BEGIN; INSERT INTO jobs VALUES (2, 'load-test-user-2')");
  const context = whenWaiting(dataContext(profile(database.url, byUser('jobs'))), async () => {
    await writer('COMMIT');
    await writer('ALTER TABLE jobs DETACH PARTITION jobs_2');
  });
  const { receipt } = await cleanup(context, real);
  const why = 'public.jobs_2 was detached from it meanwhile, and may have rows of the test';
  expect([receipt.proven, receipt.lines]).toMatchObject([false, [{ kind: 'unknown', what: 'jobs', why }]]);
  expect(await database.sql('SELECT n FROM jobs_2')).toEqual([{ n: 2 }]);
});

describe('rows of a tree that a trigger writes again', () => {
  const setup = `CREATE TABLE tree (id text PRIMARY KEY, user_id text, parent text REFERENCES tree);
    CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO tree VALUES (OLD.*); RETURN NULL; END $$;
    CREATE TRIGGER again AFTER DELETE ON tree FOR EACH ROW EXECUTE FUNCTION again();`;

  test('end in 113 after a number of looks', async () => {
    const { url } = await testDatabase(server, `${setup} INSERT INTO tree VALUES ('1', 'load-test-user-1')`);
    const { reasons, receipt } = await cleanup(dataContext(profile(url, byUser('tree'))), real);
    expect([reasons, receipt.lines]).toMatchObject([
      ['cleanup-not-proven'],
      [{ kind: 'unknown', what: 'tree', why: expect.stringMatching(/^more kept coming/) }],
    ]);
  });

  test('end in 113 where they were seeded', async () => {
    const { url } = await testDatabase(server, `${setup} INSERT INTO tree (id) VALUES ('node-1'), ('node-2')`);
    const seeds = { tree: { table: 'db.tree', rows: 2, columns: { id: 'node-{n}' } } };
    const { reasons, receipt } = await cleanup(dataContext({ ...profile(url), seed: seeds }), { dryRun: false, seeded: true });
    expect([reasons, receipt.lines]).toMatchObject([['cleanup-not-proven'], [{ kind: 'left', count: 2 }]]);
  });
});

test('150 rows that cannot go before 300 that can keep none of these back', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE things (id int PRIMARY KEY, user_id text); INSERT INTO things SELECT n, 'load-test-user-' || n FROM generate_series(1, 450) n;
     CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'row % stays', OLD.id; END $$;
     CREATE TRIGGER keep BEFORE DELETE ON things FOR EACH ROW WHEN (OLD.id <= 150) EXECUTE FUNCTION keep();`,
  );
  const { receipt } = await cleanup(dataContext(profile(url, byUser('things'))), real);
  expect(receipt.rows).toMatchObject([{ deleted: 300, left: 150 }]);
  expect(receipt.lines).toMatchObject([{ kind: 'left', count: 150, why: expect.stringMatching(/row \d+ stays/) }]);
  expect(await sql('SELECT count(*)::int FROM things')).toEqual([{ count: 150 }]);
});

test('rows that hidden children keep are left one by one, too', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE things (id int PRIMARY KEY, user_id text); CREATE TABLE parts (id int, thing int REFERENCES things, user_id text);
     INSERT INTO things SELECT n, 'load-test-user-' || n FROM generate_series(1, 450) n; INSERT INTO parts SELECT n, n, 'ann' FROM generate_series(1, 150) n;
     CREATE ROLE half_blind LOGIN PASSWORD 'pw'; GRANT ALL ON things, parts TO half_blind; ALTER TABLE parts ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON parts TO half_blind USING (false);`,
  );
  const other = new URL(url);
  [other.username, other.password] = ['half_blind', 'pw'];
  const { receipt } = await cleanup(dataContext(profile(other.toString(), byUser('things'), byUser('parts'))), real);
  expect(receipt.rows[1]).toMatchObject({ table: 'things', deleted: 300, left: 150 });
  expect(await sql('SELECT count(*)::int FROM parts')).toEqual([{ count: 150 }]);
});

test('parents of a long table without an index go in short transactions, and the index to make is named', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (order_id int REFERENCES orders ON DELETE CASCADE, user_id text);
     INSERT INTO orders SELECT n, CASE WHEN n <= 100 THEN 'load-test-user-' || n ELSE 'ann' END FROM generate_series(1, 1000) n; INSERT INTO notes SELECT 101 + n % 900, 'ann' FROM generate_series(1, 200000) n; ANALYZE;`,
  );
  const context = dataContext(profile(url, byUser('orders'), byUser('notes')));
  let longest = 0;
  let begun = performance.now();
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed') longest = Math.max(longest, performance.now() - begun);
    begun = performance.now();
  };
  const { receipt } = await cleanup({ ...context, emit }, real);
  expect(receipt).toMatchObject({ proven: true, rows: [{ deleted: 0 }, { table: 'orders', deleted: 100 }] });
  expect(context.events).toContainEqual({
    type: 'noted',
    code: 'side-effect',
    effect: expect.stringMatching(/reads all of notes; to make one: CREATE INDEX ON "public"\."notes" \("order_id"\);$/),
  });
  console.log(`100 parents of an unindexed table with 200,000 rows: the longest transaction took ${Math.round(longest)} ms`);
  expect(longest).toBeLessThan(5000);
  expect(await sql('SELECT count(*)::int FROM notes')).toEqual([{ count: 200_000 }]);
});
