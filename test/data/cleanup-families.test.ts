import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCleanup } from '../../src/phases/data/cleanings.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, testDatabase } from '../servers/sql.js';

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

describe('a table that inherits from a listed one', () => {
  const heirs = (rule: string) => `CREATE TABLE plain (user_id text); CREATE TABLE heir (id int PRIMARY KEY) INHERITS (plain);
    CREATE TABLE cards (id int, owner text, heir_id int REFERENCES heir ON DELETE ${rule});
    INSERT INTO heir (user_id, id) SELECT 'load-test-user-' || n, n FROM generate_series(1, 5) n; INSERT INTO cards VALUES (1, 'ann', 3);`;

  test.each(['CASCADE', 'SET NULL'])(
    'has rows that others reference ON DELETE %s: 112 with the line to add; later they stay',
    async (rule) => {
      const { url, sql } = await testDatabase(server, heirs(rule));
      const parts = profile(url, byUser('plain'));
      await expect(checkCleanup(dataContext(parts), false)).rejects.toMatchObject({
        reason: 'refused',
        message: 'db: a table that cleanup does not list references test data',
        hint: 'Add to cleanup.rows in the profile: - {table: db.cards, via: db.plain, column: heir_id}',
        lines: [`1 row now: cards (heir_id) references plain, ON DELETE ${rule}`],
      });
      expect((await cleanup(dataContext(parts), real)).reasons).toEqual(['cleanup-not-proven']);
      expect(await sql('SELECT owner, heir_id FROM cards')).toEqual([{ owner: 'ann', heir_id: 3 }]);
    },
  );

  test('whose referencing table is listed: it all goes, but for what a row of others references', async () => {
    const { url, sql } = await testDatabase(server, heirs('CASCADE'));
    await sql('ALTER TABLE cards ADD user_id text');
    await sql("INSERT INTO cards VALUES (2, NULL, 4, 'load-test-user-4')");
    const { receipt } = await cleanup(dataContext(profile(url, byUser('plain'), byUser('cards'))), real);
    expect(receipt.rows).toMatchObject([
      { table: 'cards', deleted: 1, left: 0 },
      { table: 'plain', deleted: 4, left: 1 },
    ]);
    expect(receipt.lines).toMatchObject([{ what: 'db.plain', count: 1, why: 'rows of cards still reference them' }]);
    expect(await sql('SELECT id, heir_id FROM cards')).toEqual([{ id: 1, heir_id: 3 }]);
    const all = await cleanup(dataContext(profile(url, byUser('plain'), { table: 'db.cards', via: 'db.plain', column: 'heir_id' })), real);
    expect(all.reasons).toEqual([]);
    expect(await sql('SELECT * FROM cards')).toEqual([]);
  });

  test('has a foreign key of its own, and goes before what it references', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (user_id text); CREATE TABLE notes_of (order_id int REFERENCES orders ON DELETE CASCADE) INHERITS (notes);
       INSERT INTO orders VALUES (1, 'load-test-user-1'), (2, 'load-test-user-2'); INSERT INTO notes_of VALUES ('load-test-user-1', 1), ('ann', 2);`,
    );
    const { receipt } = await cleanup(dataContext(profile(url, byUser('orders'), byUser('notes'))), real);
    expect(receipt.rows).toMatchObject([
      { table: 'notes', deleted: 1 },
      { table: 'orders', deleted: 1, left: 1 },
    ]);
    expect(await sql('SELECT * FROM notes')).toEqual([{ user_id: 'ann' }]);
  });
});

test.each([
  ['a foreign table in another server', 'PARTITION OF things FOR VALUES FROM (10) TO (20)', 'PARTITION BY RANGE (id)'],
  ['one that inherits', '() INHERITS (things)', ''],
])('%s is a part of a listed table: 112, and nothing of it goes', async (_, how, by) => {
  const far = await testDatabase(
    server,
    `CREATE TABLE things_far (id int, user_id text); INSERT INTO things_far VALUES (11, 'load-test-user-1');`,
  );
  const { pathname, port, password } = new URL(far.url);
  const { url } = await testDatabase(
    server,
    `CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${port}', dbname '${pathname.slice(1)}');
     CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'postgres', password '${password}');
     CREATE TABLE things (id int, user_id text) ${by}; ${by === '' ? '' : 'CREATE TABLE things_near PARTITION OF things FOR VALUES FROM (0) TO (10);'}
     CREATE FOREIGN TABLE things_far ${how} SERVER far; INSERT INTO things VALUES (1, 'load-test-user-1');`,
  );
  const parts = profile(url, byUser('things'));
  const message = 'db: public.things_far, a part of things, is a foreign table: its rows are on another server';
  await expect(checkCleanup(dataContext(parts), false)).rejects.toMatchObject({ reason: 'refused', message });
  const { receipt, reasons } = await cleanup(dataContext(parts), real);
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.lines).toMatchObject([{ kind: 'left', what: 'db.things', why: message }]);
  expect(await far.sql('SELECT * FROM things_far')).toEqual([{ id: 11, user_id: 'load-test-user-1' }]);
});

test('a statement trigger with a transition table on a partitioned table sees every row that goes', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE things (id int, user_id text) PARTITION BY RANGE (id);
     DO $$ BEGIN FOR n IN 0..2 LOOP EXECUTE format('CREATE TABLE things_%s PARTITION OF things FOR VALUES FROM (%s) TO (%s)', n, n * 2000, n * 2000 + 2000); END LOOP; END $$;
     INSERT INTO things SELECT n, 'load-test-user-' || n FROM generate_series(0, 5999) n; CREATE TABLE gone (id int);
     CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO gone SELECT id FROM old_rows; RETURN NULL; END $$;
     CREATE TRIGGER note AFTER DELETE ON things REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note();`,
  );
  expect((await cleanup(dataContext(profile(url, byUser('things'))), real)).reasons).toEqual([]);
  expect(await sql('SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM gone')).toEqual([{ count: 6000, ids: 6000 }]);
});

test('more than 200 partitions are gone over one by one, unless the table itself has a statement trigger', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE things (id int, user_id text) PARTITION BY LIST (id);
     DO $$ BEGIN FOR n IN 1..210 LOOP EXECUTE format('CREATE TABLE things_%s PARTITION OF things FOR VALUES IN (%s)', n, n); END LOOP; END $$;
     CREATE TABLE gone (id int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO gone SELECT id FROM old_rows; RETURN NULL; END $$;`,
  );
  const fill = "INSERT INTO things SELECT n, CASE WHEN n % 2 = 0 THEN 'ann' ELSE 'load-test-user-' || n END FROM generate_series(1, 210) n";
  await sql(fill);
  const context = dataContext(profile(url, byUser('things')));
  expect((await cleanup(context, real)).receipt).toMatchObject({ proven: true, rows: [{ deleted: 105 }] });
  await sql('CREATE TRIGGER note AFTER DELETE ON things REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note()');
  await sql(fill);
  expect((await cleanup(dataContext(profile(url, byUser('things'))), real)).receipt).toMatchObject({
    proven: true,
    rows: [{ deleted: 105 }],
  });
  expect(await sql('SELECT count(*)::int FROM gone')).toEqual([{ count: 105 }]);
  expect(await sql("SELECT count(*)::int FROM things WHERE user_id = 'ann'")).toEqual([{ count: 210 }]);
});

test('a key that the database does not enforce is a column: children are found by it, and parents go after them', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (id int, order_id int REFERENCES orders NOT ENFORCED);
     INSERT INTO orders VALUES (1, 'load-test-user-1'), (2, 'ann'); INSERT INTO notes VALUES (1, 1), (2, 2);`,
  );
  expect((await cleanup(dataContext(profile(url, byUser('orders'), { table: 'db.notes', via: 'db.orders' })), real)).reasons).toEqual([]);
  expect(await sql('SELECT * FROM notes')).toEqual([{ id: 2, order_id: 2 }]);
});

test('a key with PERIOD to a listed table: 112', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE EXTENSION btree_gist; CREATE TABLE rooms (user_id text, at daterange, PRIMARY KEY (user_id, at WITHOUT OVERLAPS));
     CREATE TABLE stays (user_id text, at daterange, FOREIGN KEY (user_id, PERIOD at) REFERENCES rooms (user_id, PERIOD at));`,
  );
  await expect(checkCleanup(dataContext(profile(url, byUser('rooms'), byUser('stays'))), false)).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/^db: stays references rooms by a PERIOD \(.*\), which loadctl cannot follow$/),
  });
});

describe('a foreign key that compares in its own way', () => {
  test.each([
    ['an operator that the search path does not find', 'ext.citext', 'ext.citext', 'Load-Test-User-1'],
    ['two collations', 'text COLLATE "C"', 'text COLLATE "POSIX"', 'load-test-user-1'],
  ])('by %s: what others hang on a row keeps it, and the others go', async (_, parent, child, reference) => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE users (user_id ${parent} PRIMARY KEY);
       CREATE TABLE notes (who text, owner ${child} REFERENCES users ON DELETE CASCADE); CREATE INDEX ON notes (owner);
       INSERT INTO users VALUES ('load-test-user-1'), ('load-test-user-2'); INSERT INTO notes VALUES ('alice', '${reference}');`,
    );
    const entries = [byUser('users'), { table: 'db.notes', column: 'who' }];
    const { reasons, receipt } = await cleanup(dataContext(profile(url, ...entries)), real);
    expect([reasons, receipt.rows]).toMatchObject([['cleanup-not-proven'], [{ table: 'notes' }, { table: 'users', deleted: 1, left: 1 }]]);
    expect(receipt.lines).toMatchObject([{ what: 'db.users', count: 1, why: 'rows of notes still reference them' }]);
    expect(await sql('SELECT who FROM notes')).toEqual([{ who: 'alice' }]);
  });
});

describe('a part with row-level security of its own, which the whole has not', () => {
  const grants = (role: string, part: string) =>
    `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}; GRANT CREATE ON SCHEMA public TO ${role};
     ALTER TABLE ${part} ENABLE ROW LEVEL SECURITY;`;

  test.each([
    [
      'that references',
      'part_child',
      'notes_1',
      `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (id int, order_id int, user_id text) PARTITION BY LIST (id);
       CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1); ALTER TABLE notes_1 ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
       INSERT INTO orders VALUES (1, 'load-test-user-1');`,
    ],
    [
      'that is referenced',
      'part_parent',
      'old_orders',
      `CREATE TABLE orders (id int, user_id text); CREATE TABLE old_orders (PRIMARY KEY (id)) INHERITS (orders);
       CREATE TABLE notes (id int, order_id int REFERENCES old_orders ON DELETE CASCADE, user_id text); INSERT INTO old_orders VALUES (1, 'load-test-user-1');`,
    ],
  ])('%s: a note of others stays, 113', async (_, role, part, schema) => {
    const { url, sql } = await testDatabase(server, `${schema} INSERT INTO notes VALUES (1, 1, 'alice'); ${grants(role, part)}`);
    const { receipt } = await cleanup(dataContext(profile(asRole(url, role, 'pw'), byUser('orders'), byUser('notes'))), real);
    const why = expect.stringContaining(`row-level security may hide rows of public.${part} from the role ${role}`);
    expect([receipt.proven, receipt.lines]).toMatchObject([false, [{ what: 'db.orders', count: 1, why }]]);
    expect(await sql('SELECT user_id FROM notes')).toEqual([{ user_id: 'alice' }]);
  });

  test('among more than 200: it is not read by itself, and nothing is left there', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE jobs (n int, user_id text) PARTITION BY LIST (n);
       DO $$ BEGIN FOR i IN 1..201 LOOP EXECUTE format('CREATE TABLE jobs_%s PARTITION OF jobs FOR VALUES IN (%s)', i, i); END LOOP; END $$;
       INSERT INTO jobs SELECT n, 'load-test-user-' || n FROM generate_series(1, 201) n; ${grants('part_many', 'jobs_7')}`,
    );
    const { reasons } = await cleanup(dataContext(profile(asRole(url, 'part_many', 'pw'), byUser('jobs'))), real);
    expect([reasons, await sql('SELECT * FROM jobs')]).toEqual([[], []]);
  });
});

test('rows that are found through a set whose rows are hidden: nobody knows whether any is left', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE profiles (user_id text REFERENCES users); INSERT INTO users VALUES ('user-1'); INSERT INTO profiles VALUES ('user-1');
     CREATE ROLE blindfolded LOGIN PASSWORD 'pw'; GRANT ALL ON ALL TABLES IN SCHEMA public TO blindfolded; GRANT CREATE ON SCHEMA public TO blindfolded; ALTER TABLE users ENABLE ROW LEVEL SECURITY;`,
  );
  const parts = profile(asRole(url, 'blindfolded', 'pw'), { table: 'db.profiles', via: 'users' });
  const seeds = { users: { table: 'db.users', rows: 1, columns: { id: 'user-{n}' } } };
  const { receipt } = await cleanup(dataContext({ ...parts, seed: seeds }), real);
  expect(receipt.proven).toBe(false);
  expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', what: 'users' }));
});
