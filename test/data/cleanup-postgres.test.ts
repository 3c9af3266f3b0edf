import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { checkCleanup } from '../../src/phases/data/cleanings.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { tableText } from '../../src/profile/words/names.js';
import { type DataProfile, dataContext, whenWaiting } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';
import { runId } from '../support/ids.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const schema = `
  CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, name text);
  CREATE TABLE reservations (id serial PRIMARY KEY, user_id text, seats int DEFAULT 1);
  CREATE TABLE payments (id serial PRIMARY KEY, reservation_id int NOT NULL REFERENCES reservations, amount int DEFAULT 1);
  CREATE TABLE queue_entries (id serial PRIMARY KEY, user_id varchar(100));`;
const data = `
  INSERT INTO reservations (user_id) SELECT 'load-test-user-r1-' || n FROM generate_series(1, 30) n;
  INSERT INTO payments (reservation_id) SELECT id FROM reservations;
  INSERT INTO queue_entries (user_id) SELECT 'load-test-user-r1-' || n FROM generate_series(1, 7) n;`;
const rows = [
  { table: 'db.reservations', column: 'user_id' },
  { table: 'db.payments', via: 'db.reservations' },
  { table: 'db.queue_entries', column: 'user_id' },
];
const users = { table: 'db.users', rows: 20, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'Test User {n}' } };
const real = { dryRun: false, seeded: false };

function profile(url: string, more: { rows?: unknown[] } & Partial<DataProfile> = {}): DataProfile {
  const { rows: entries = rows, ...parts } = more;
  return { stores: { db: { kind: 'postgres', url } }, cleanup: { prefix: 'load-test-user-', rows: entries, settle: '20ms' }, ...parts };
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

const count = (table: string) => `SELECT count(*)::int AS count FROM ${table}`;

describe('test data', () => {
  test('goes, children first, and everything else stays', async () => {
    const { url, sql } = await testDatabase(server, schema);
    const seeded = await seed(dataContext(profile(url, { seed: [users] })));
    await sql(`INSERT INTO reservations (user_id) VALUES ('user-1'), (NULL)`);
    await sql('INSERT INTO payments (reservation_id) SELECT id FROM reservations');
    const dump = `SELECT md5(string_agg(x, '' ORDER BY x)) FROM (SELECT u::text x FROM users u UNION ALL SELECT r::text FROM reservations r UNION ALL SELECT p::text FROM payments p UNION ALL SELECT q::text FROM queue_entries q) y`;
    const before = await sql(dump);
    await sql(data.replace('SELECT id FROM reservations', "SELECT id FROM reservations WHERE user_id LIKE 'load%'"));
    const context = dataContext(profile(url, { seed: [users] }), { run: runId('r1'), ...(seeded.before && { before: seeded.before }) });
    const { receipt, reasons } = await cleanup(context, real);
    expect(reasons).toEqual([]);
    expect(await sql(dump)).toEqual(before);
    expect(receipt).toMatchObject({
      version: 2,
      environment: 'test',
      run: 'r1',
      dryRun: false,
      by: { user: 'ann', host: 'laptop' },
      proven: true,
      notes: [],
    });
    const place = { store: 'db', shard: null, host: `127.0.0.1:${server.port}`, role: 'postgres', left: 0 };
    expect(receipt.rows).toMatchObject([
      { ...place, table: 'queue_entries', deleted: 7 },
      { ...place, table: 'payments', deleted: 30, which: 'reservation_id references such a row of reservations' },
      { ...place, table: 'reservations', deleted: 30, which: 'user_id begins with "load-test-user-"' },
    ]);
    expect(receipt.others).toEqual([
      { store: 'db', shard: null, table: 'queue_entries', before: 0, after: 0 },
      { store: 'db', shard: null, table: 'payments', before: 0, after: 2 },
      { store: 'db', shard: null, table: 'reservations', before: 0, after: 2 },
      { store: 'db', shard: null, table: 'users', before: 0, after: 0 },
    ]);
    expect(receipt.statements.filter(({ sql: text }) => text.startsWith('DELETE')).map(({ rows: gone }) => gone)).toEqual([7, 30, 30]);
    expect(context.events.at(-2)).toEqual({ type: 'receipt-made', receipt });
    expect((await cleanup(dataContext(profile(url)), real)).receipt).toMatchObject({
      proven: true,
      notes: [expect.stringMatching(/not counted before/)],
    });
  });

  test('is told from look-alikes byte by byte, whatever type and collation the column has', async () => {
    const alike = [
      'load-test-userX-1',
      'load_test_user_1',
      'LOAD-TEST-USER-1',
      'load-test-user',
      'x load-test-user-1',
      'load-test-üser-1',
      ' load-test-user-1',
    ];
    const setup = `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
      CREATE TABLE a (user_id text); CREATE TABLE b (user_id text COLLATE blind); CREATE TABLE c (user_id char(40)); CREATE DOMAIN id AS varchar(50); CREATE TABLE d (user_id id);
      CREATE TABLE "E ""x""" ("us'er" text);`;
    const { url, sql } = await testDatabase(server, setup);
    const tables: [string, string][] = [...['a', 'b', 'c', 'd'].map((table): [string, string] => [table, 'user_id']), ['E "x"', "us'er"]];
    for (const [table, column] of tables) {
      for (const value of [...alike, 'load-test-user-', 'load-test-user-r-1'])
        await sql(`INSERT INTO "${table.replaceAll('"', '""')}" ("${column}") VALUES ($1)`, [value]);
    }
    const { receipt } = await cleanup(
      dataContext(profile(url, { rows: tables.map(([table, column]) => ({ table: tableText({ store: 'db', table }), column })) })),
      real,
    );
    expect(receipt.proven).toBe(true);
    expect(receipt.rows.map(({ deleted }) => deleted)).toEqual([2, 2, 2, 2, 2]);
    for (const table of ['a', 'b', 'd', '"E ""x"""']) expect(await sql(count(table))).toEqual([{ count: alike.length }]);
  });

  test('a dry run changes nothing and shows the statements', async () => {
    const { url, sql } = await testDatabase(server, schema + data);
    const { receipt, reasons } = await cleanup(dataContext(profile(url)), { dryRun: true, seeded: false });
    expect(reasons).toEqual([]);
    expect(receipt).toMatchObject({ dryRun: true, proven: false });
    expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
      ['queue_entries', 0, 7],
      ['payments', 0, 30],
      ['reservations', 0, 30],
    ]);
    expect(receipt.statements[0]).toMatchObject({
      sql: `DELETE FROM "public"."queue_entries" AS t WHERE t."user_id" LIKE 'load-test-user-%'`,
      rows: 7,
    });
    expect(await sql(count('payments'))).toEqual([{ count: 30 }]);
  });

  test('goes from partitions, by composite keys, from trees and rings, and in batches', async () => {
    const setup = `
      CREATE TABLE events (day date, id int, user_id text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
      CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE events_b PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
      CREATE TABLE notes (a date, b int, text text, FOREIGN KEY (a, b) REFERENCES events (day, id)) ;
      CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, user_id text);
      CREATE TABLE orphans (id int, event_day date, tree_id int);
      INSERT INTO events SELECT '2026-01-05'::date + (n % 2) * 30, n, CASE WHEN n % 3 = 0 THEN 'real' ELSE 'load-test-user-' || n END FROM generate_series(1, 12000) n;
      INSERT INTO notes SELECT day, id, user_id FROM events;
      INSERT INTO tree SELECT n, n / 2, 'load-test-user-1' FROM generate_series(0, 30) n; UPDATE tree SET parent = 30 WHERE id = 0; INSERT INTO tree VALUES (99, NULL, 'real');
      INSERT INTO orphans SELECT n, NULL, n FROM generate_series(25, 40) n;`;
    const { url, sql } = await testDatabase(server, setup);
    const entries = [
      { table: 'db.events', column: 'user_id' },
      { table: 'db.notes', via: 'db.events' },
      { table: 'db.tree', column: 'user_id' },
      { table: 'db.orphans', via: 'db.tree', column: 'tree_id' },
    ];
    const { receipt, reasons } = await cleanup(dataContext(profile(url, { rows: entries })), real);
    expect(reasons).toEqual([]);
    expect(receipt.rows.map(({ table, deleted }) => [table, deleted])).toEqual([
      ['orphans', 6],
      ['tree', 31],
      ['notes', 8000],
      ['events', 8000],
    ]);
    expect(await sql("SELECT count(*)::int, bool_and(user_id = 'real') AS real FROM events")).toEqual([{ count: 4000, real: true }]);
  });

  test('of every shard goes', async () => {
    const shards = await Promise.all([0, 1].map(() => testDatabase(server, schema + data)));
    const stores = { db: { kind: 'postgres', shards: shards.map(({ url }) => url), shardBy: 'id % 2' } };
    const { receipt, reasons } = await cleanup(dataContext({ ...profile(''), stores }), real);
    expect(reasons).toEqual([]);
    expect(receipt.rows.map(({ shard, deleted }) => [shard, deleted])).toEqual([
      [0, 7],
      [0, 30],
      [0, 30],
      [1, 7],
      [1, 30],
      [1, 30],
    ]);
  });

  test('that is written late is waited for', async () => {
    const { url, sql } = await testDatabase(server, schema + data);
    const context = dataContext(profile(url));
    let late = 3;
    const sleep = context.world.clock.sleep;
    const clock = {
      ...context.world.clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (ms < 1000 && late-- > 0)
          await sql(
            "WITH r AS (INSERT INTO reservations (user_id) VALUES ('load-test-user-late') RETURNING id) INSERT INTO payments (reservation_id) SELECT id FROM r",
          );
        return sleep(ms, signal);
      },
    };
    const { receipt, reasons } = await cleanup({ ...context, world: { ...context.world, clock } }, real);
    expect(reasons).toEqual([]);
    expect(receipt.rows.map(({ deleted }) => deleted)).toEqual([7, 33, 33]);
  });
});

describe('what the profile does not list is not deleted', () => {
  test('a table that references test rows is refused beforehand, with the line to add; later its parent alone stays', async () => {
    const setup = `${schema}${data} CREATE SCHEMA billing; CREATE TABLE billing.invoices (id int, reservation int REFERENCES reservations ON DELETE CASCADE);
      INSERT INTO billing.invoices SELECT 1, id FROM reservations LIMIT 3;`;
    const { url, sql } = await testDatabase(server, setup);
    const hint = 'Add to cleanup.rows in the profile: - {table: db.billing.invoices, via: db.reservations, column: reservation}';
    expect(await failure(checkCleanup(dataContext(profile(url)), false))).toMatchObject({
      reason: 'refused',
      message: 'db: a table that cleanup does not list references test data',
      hint,
      lines: ['3 rows now: billing.invoices (reservation) references reservations, ON DELETE CASCADE'],
    });
    expect(await failure(seed(dataContext(profile(url, { seed: [users] }))))).toMatchObject({ reason: 'refused', hint });
    expect(await sql(count('users'))).toEqual([{ count: 0 }]);
    const { receipt, reasons } = await cleanup(dataContext(profile(url)), real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
      ['queue_entries', 7, 0],
      ['payments', 30, 0],
      ['reservations', 0, 30],
    ]);
    expect(receipt.lines).toEqual([
      {
        kind: 'left',
        store: 'db',
        shard: null,
        what: 'db.reservations',
        count: 30,
        why: 'db: a table that cleanup does not list references test data',
        command: hint,
      },
    ]);
    expect(await sql(count('billing.invoices'))).toEqual([{ count: 3 }]);
    const added = [...rows, { table: 'db.billing.invoices', via: 'db.reservations', column: 'reservation' }];
    const context = dataContext(profile(url, { rows: added }));
    expect((await cleanup(context, real)).reasons).toEqual([]);
    expect(context.events).toContainEqual({
      type: 'noted',
      code: 'side-effect',
      effect: 'db: billing.invoices (reservation) references reservations with ON DELETE CASCADE',
    });
  });

  test('also where that table is still empty', async () => {
    const { url } = await testDatabase(server, `${schema}${data} CREATE TABLE seats (id int, reservation int REFERENCES reservations);`);
    expect(await failure(checkCleanup(dataContext(profile(url)), false))).toMatchObject({
      reason: 'refused',
      message: 'db: a table that cleanup does not list references test data',
      hint: 'Add to cleanup.rows in the profile: - {table: db.seats, via: db.reservations, column: reservation}',
      lines: ['0 rows now: seats (reservation) references reservations, ON DELETE NO ACTION'],
    });
  });

  test.each(['CASCADE', 'NO ACTION', 'SET NULL'])(
    'a row of others in a listed table keeps back what it references, and no more: %s',
    async (rule) => {
      const { url, sql } = await testDatabase(
        server,
        `${schema}${data} ALTER TABLE queue_entries ADD reservation int REFERENCES reservations ON DELETE ${rule};
      INSERT INTO queue_entries (user_id, reservation) VALUES ('real', 1);`,
      );
      await checkCleanup(dataContext(profile(url)), false);
      const { receipt, reasons } = await cleanup(dataContext(profile(url)), real);
      expect(reasons).toEqual(['cleanup-not-proven']);
      expect(receipt.rows.find(({ table }) => table === 'reservations')).toMatchObject({ deleted: 29, left: 1 });
      expect(receipt.lines).toMatchObject([
        { kind: 'left', what: 'db.reservations', count: 1, why: expect.stringMatching(/queue_entries/) },
      ]);
      expect(await sql('SELECT user_id, reservation FROM queue_entries')).toEqual([{ user_id: 'real', reservation: 1 }]);
    },
  );

  test.each([
    ['a few', 50],
    ['many', 30_000],
  ])('a row of others that comes to reference test data right now does not go along: %s', async (_, many) => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE reservations (id int PRIMARY KEY, user_id text); INSERT INTO reservations SELECT n, 'load-test-user-' || n FROM generate_series(1, ${many}) n;
       CREATE TABLE payments (id int, user_id text, reservation_id int REFERENCES reservations ON DELETE CASCADE); CREATE INDEX ON payments (reservation_id);`,
    );
    const entries = [
      { table: 'db.reservations', column: 'user_id' },
      { table: 'db.payments', column: 'user_id' },
    ];
    await sql("BEGIN; INSERT INTO payments VALUES (1, 'real', 5)");
    const context = whenWaiting(dataContext(profile(url, { rows: entries })), () => sql('COMMIT'));
    expect(await cleanup(context, real)).toMatchObject({
      reasons: ['cleanup-not-proven'],
      receipt: { rows: [{}, { table: 'reservations', deleted: many - 1, left: 1 }] },
    });
    expect(await sql('SELECT user_id FROM payments')).toEqual([{ user_id: 'real' }]);
  });

  test('rows that row-level security hides might go along: what they may reference stays', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE orders (id text PRIMARY KEY); INSERT INTO orders VALUES ('load-test-user-1'); CREATE TABLE users (id text PRIMARY KEY); INSERT INTO users VALUES ('user-1');
       CREATE TABLE notes (user_id text, order_id text REFERENCES orders ON DELETE CASCADE, owner text REFERENCES users ON DELETE SET NULL);
       INSERT INTO notes VALUES ('real', 'load-test-user-1', 'user-1'); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
       CREATE ROLE veiled LOGIN PASSWORD 'pw'; GRANT ALL ON ALL TABLES IN SCHEMA public TO veiled; CREATE POLICY p ON notes TO veiled USING (user_id <> 'real');`,
    );
    const entries = [
      { table: 'db.orders', column: 'id' },
      { table: 'db.notes', column: 'user_id' },
    ];
    const seeds = [{ table: 'db.users', rows: 1, columns: { id: 'user-{n}' } }];
    const veiled = asRole(url, 'veiled', 'pw');
    const message = expect.stringMatching(/may hide rows of notes from the role veiled, and a foreign key would pass/);
    const ours = dataContext(profile(veiled, { rows: entries }));
    expect(await failure(checkCleanup(ours, false))).toMatchObject({ reason: 'refused', message });
    expect((await cleanup(ours, real)).receipt.lines).toContainEqual(
      expect.objectContaining({ kind: 'left', what: 'db.orders', count: 1, why: message }),
    );
    const seeded = await cleanup(dataContext(profile(veiled, { rows: [], seed: seeds })), { dryRun: false, seeded: true });
    expect(seeded.receipt.lines).toContainEqual(
      expect.objectContaining({ kind: 'left', what: 'users (db.users)', count: 1, why: message }),
    );
    expect(await sql('SELECT * FROM notes')).toEqual([{ user_id: 'real', order_id: 'load-test-user-1', owner: 'user-1' }]);
  });

  test('triggers and rules are shown beforehand', async () => {
    const setup = `${schema} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
      CREATE TRIGGER audit AFTER DELETE ON reservations FOR EACH ROW EXECUTE FUNCTION f();`;
    const { url } = await testDatabase(server, setup);
    const context = dataContext(profile(url));
    await cleanup(context, real);
    expect(context.events).toContainEqual({
      type: 'noted',
      code: 'side-effect',
      effect: 'db: reservations has the trigger audit, which runs AFTER DELETE for each row',
    });
  });

  test('also those that only a partition has', async () => {
    const setup = `CREATE TABLE things (user_id text) PARTITION BY HASH (user_id); CREATE TABLE things_0 PARTITION OF things FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
      CREATE TRIGGER everywhere AFTER DELETE ON things FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER here AFTER DELETE ON things_0 FOR EACH ROW EXECUTE FUNCTION f();`;
    const { url } = await testDatabase(server, setup);
    const context = dataContext(profile(url, { rows: [{ table: 'db.things', column: 'user_id' }] }));
    await cleanup(context, real);
    expect(context.events.filter(({ type }) => type === 'noted')).toMatchObject([
      { effect: 'db: things has the trigger everywhere, which runs AFTER DELETE for each row' },
      { effect: 'db: things_0, a part of things, has the trigger here, which runs AFTER DELETE for each row' },
    ]);
  });

  test.each([
    [[{ table: 'db.payments', via: 'db.reservations' }], 'invalid-profile', /not listed above/],
    [[rows[0], { table: 'db.queue_entries', via: 'db.reservations' }], 'invalid-profile', /no foreign key/],
    [
      [rows[0], { table: 'db.queue_entries', via: 'db.reservations', column: 'user_id' }],
      'invalid-profile',
      /queue_entries\.user_id cannot hold what public\.reservations\.id is/,
    ],
    [[{ table: 'db.reservations', column: 'id' }], 'invalid-profile', /has to hold text, as a prefix is looked for/],
    [[{ table: 'db.reservations', column: 'user' }], 'unavailable', /no column user/],
    [[{ table: 'db.bookings', column: 'user_id' }], 'unavailable', /no table bookings/],
  ])('%j', async (entries, reason, message) => {
    const { url } = await testDatabase(server, schema);
    expect(await failure(cleanup(dataContext(profile(url, { rows: entries })), real))).toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });
});

describe('what cannot be deleted ends in 113, not in a loop', () => {
  test('a trigger that swallows deletes, one that raises, a foreign lock', async () => {
    const trigger = (body: string) => `${schema}${data} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
      CREATE TRIGGER t BEFORE DELETE ON queue_entries FOR EACH ROW EXECUTE FUNCTION f();`;
    const swallowing = await testDatabase(server, trigger('RETURN NULL;'));
    const swallowed = await cleanup(dataContext(profile(swallowing.url)), real);
    expect(swallowed.reasons).toEqual(['cleanup-not-proven']);
    expect(swallowed.receipt.rows.map(({ left }) => left)).toEqual([7, 0, 0]);
    expect(swallowed.receipt.lines).toMatchObject([
      {
        kind: 'left',
        what: 'db.queue_entries',
        count: 7,
        why: expect.stringMatching(/^rows remain in queue_entries although DELETE reported no error; likely causes: a trigger/),
      },
    ]);
    const raising = await testDatabase(server, trigger("RAISE EXCEPTION 'never';"));
    const raised = await cleanup(dataContext(profile(raising.url)), real);
    expect(raised.reasons).toEqual(['cleanup-not-proven']);
    expect(raised.receipt.lines).toMatchObject([{ kind: 'left', count: 7, why: expect.stringMatching(/queue_entries: never/) }]);
  });

  test.each([
    ['no foreign key', ''],
    ['ON DELETE SET NULL', 'REFERENCES reservations ON DELETE SET NULL'],
    ['ON DELETE CASCADE', 'REFERENCES reservations ON DELETE CASCADE'],
  ])('a row stays that others are found through which cannot go: %s', async (_, reference) => {
    const setup = `CREATE TABLE reservations (id int PRIMARY KEY, user_id text); CREATE TABLE payments (id int, reservation_id int ${reference});
      INSERT INTO reservations SELECT n, 'load-test-user-' || n FROM generate_series(1, 10) n; INSERT INTO payments SELECT n, n FROM generate_series(1, 10) n;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 3 THEN RETURN NULL; END IF; RETURN OLD; END $$;
      CREATE TRIGGER t BEFORE DELETE ON payments FOR EACH ROW EXECUTE FUNCTION f();`;
    const { url, sql } = await testDatabase(server, setup);
    const entries = [
      { table: 'db.reservations', column: 'user_id' },
      { table: 'db.payments', via: 'db.reservations', column: 'reservation_id' },
    ];
    const { receipt, reasons } = await cleanup(dataContext(profile(url, { rows: entries })), real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows.map(({ deleted, left }) => [deleted, left])).toEqual([
      [9, 1],
      [9, 1],
    ]);
    expect(await sql('SELECT * FROM payments')).toEqual([{ id: 3, reservation_id: 3 }]);
  });

  test('seeded rows that are swallowed, or hidden, count as left', async () => {
    const swallowing = await testDatabase(
      server,
      `CREATE TABLE words (word text UNIQUE); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER t BEFORE DELETE ON words FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO words VALUES ('w1'), ('w2');`,
    );
    const words = profile(swallowing.url, { rows: [], seed: [{ table: 'db.words', rows: 2, columns: { word: 'w{n}' } }] });
    const kept = await cleanup(dataContext(words), { dryRun: false, seeded: true });
    expect(kept.reasons).toEqual(['cleanup-not-proven']);
    expect(kept.receipt.rows).toMatchObject([{ table: 'words', deleted: 0, left: 2 }]);
    const hiding = await testDatabase(
      server,
      `CREATE TABLE users (id text PRIMARY KEY); INSERT INTO users SELECT 'user-' || n FROM generate_series(1, 5) n; CREATE ROLE blinkered LOGIN PASSWORD 'pw';
       GRANT SELECT, DELETE ON users TO blinkered; ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users TO blinkered USING (id <> 'user-2');`,
    );
    const url = asRole(hiding.url, 'blinkered', 'pw');
    const parts = profile(url, { rows: [], seed: [{ table: 'db.users', rows: 5, columns: { id: 'user-{n}' } }] });
    const hidden = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect(hidden.reasons).toEqual(['cleanup-not-proven']);
    expect(hidden.receipt.lines[0]).toMatchObject({
      kind: 'unknown',
      what: 'users',
      why: expect.stringMatching(/may hide rows of it from the role blinkered/),
    });
  });

  test('a row that cannot go keeps back no others; a lock is waited for', async () => {
    const guarded = `CREATE TABLE big (id int, user_id text); INSERT INTO big SELECT n, 'load-test-user-' || n FROM generate_series(1, 6000) n;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 3000 THEN RAISE EXCEPTION 'not me'; END IF; RETURN OLD; END $$;
      CREATE TRIGGER t BEFORE DELETE ON big FOR EACH ROW EXECUTE FUNCTION f();`;
    const stubborn = await testDatabase(server, guarded);
    const entries = [{ table: 'db.big', column: 'user_id' }];
    const one = await cleanup(dataContext(profile(stubborn.url, { rows: entries })), real);
    expect(one.receipt.rows).toMatchObject([{ deleted: 5999, left: 1 }]);
    expect(one.receipt.lines).toMatchObject([{ kind: 'left', count: 1, why: 'db: public.big: not me' }]);

    const { url } = await testDatabase(server, `${schema}${data}`);
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query("BEGIN; SELECT * FROM queue_entries WHERE user_id = 'load-test-user-r1-3' FOR UPDATE");
    const two = await cleanup(
      whenWaiting(dataContext(profile(url)), () => holder.query('ROLLBACK')),
      real,
    );
    await holder.end();
    expect(two.reasons).toEqual([]);
    expect(two.receipt).toMatchObject({ proven: true, rows: [{ deleted: 7 }, { deleted: 30 }, { deleted: 30 }] });
  });

  test('row-level security: rows that it keeps, and rows that it hides', async () => {
    const setup = (
      policy: string,
    ) => `${schema}${data} DO $$ BEGIN CREATE ROLE guarded LOGIN PASSWORD 'pw'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO guarded; ALTER TABLE queue_entries ENABLE ROW LEVEL SECURITY; ${policy}`;
    const keeping = await testDatabase(
      server,
      setup('CREATE POLICY see ON queue_entries FOR SELECT USING (true); CREATE POLICY del ON queue_entries FOR DELETE USING (id > 3);'),
    );
    const kept = await cleanup(dataContext(profile(asRole(keeping.url, 'guarded', 'pw'))), real);
    expect(kept.reasons).toEqual(['cleanup-not-proven']);
    expect(kept.receipt.rows[0]).toMatchObject({ deleted: 4, left: 3, role: 'guarded' });
    const hiding = await testDatabase(server, setup('CREATE POLICY see ON queue_entries USING (id > 3);'));
    const hidden = await cleanup(dataContext(profile(asRole(hiding.url, 'guarded', 'pw'))), real);
    expect(hidden.reasons).toEqual(['cleanup-not-proven']);
    expect(hidden.receipt.rows[0]).toMatchObject({ deleted: 4, left: 0 });
    expect(hidden.receipt.lines).toContainEqual(
      expect.objectContaining({
        kind: 'unknown',
        what: 'queue_entries',
        why: expect.stringMatching(/may hide rows of it from the role guarded/),
      }),
    );
  });

  test('a missing permission keeps back the entry and what it refers to, and is told beforehand with the GRANT', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${schema}${data} CREATE ROLE halfway LOGIN PASSWORD 'pw'; GRANT SELECT, DELETE ON reservations, payments TO halfway; GRANT SELECT ON queue_entries TO halfway;`,
    );
    const parts = profile(asRole(url, 'halfway', 'pw'));
    const command = 'As the owner, run: GRANT DELETE ON "public"."queue_entries" TO "halfway";';
    expect(await failure(checkCleanup(dataContext(parts), false))).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(/may not DELETE on public\.queue_entries/),
      hint: command,
    });
    expect(await sql(count('payments'))).toEqual([{ count: 30 }]);
    const { reasons, receipt } = await cleanup(dataContext(parts), real);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'left', what: 'db.queue_entries', command }));
    expect(receipt.rows.find(({ table }) => table === 'payments')).toMatchObject({ left: 0 });
  });

  test('where a delete is passed on, so is one to lock rows', async () => {
    const { url } = await testDatabase(
      server,
      `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (user_id text, order_id int REFERENCES orders ON DELETE SET NULL);
       CREATE ROLE remover LOGIN PASSWORD 'pw'; GRANT SELECT, DELETE ON orders, notes TO remover;`,
    );
    const entries = ['orders', 'notes'].map((table) => ({ table: `db.${table}`, column: 'user_id' }));
    expect(await failure(checkCleanup(dataContext(profile(asRole(url, 'remover', 'pw'), { rows: entries })), false))).toMatchObject({
      reason: 'unavailable',
      hint: 'As the owner, run: GRANT UPDATE ON "public"."orders" TO "remover";',
    });
  });

  test('with --seeded, so is one on a seeded table', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${schema}${data} CREATE ROLE narrow LOGIN PASSWORD 'pw'; GRANT SELECT, DELETE ON reservations, payments, queue_entries TO narrow; GRANT SELECT ON users TO narrow;`,
    );
    const parts = profile(asRole(url, 'narrow', 'pw'), { seed: [users] });
    const command = 'As the owner, run: GRANT DELETE ON "public"."users" TO "narrow";';
    expect(await failure(checkCleanup(dataContext(parts), true))).toMatchObject({ reason: 'unavailable', hint: command });
    await sql("INSERT INTO users VALUES ('user-1', 'user1@test.com', 'Test User 1')");
    const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    const why = expect.stringContaining('may not DELETE on public.users');
    expect(receipt.lines).toEqual([expect.objectContaining({ kind: 'left', count: 1, why, command })]);
    expect(await sql(count('payments'))).toEqual([{ count: 0 }]);
  });
});

test('a seed that no row can hold is no reason to leave the test data', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${schema}${data} CREATE TABLE codes (id int, code varchar(3) UNIQUE); INSERT INTO codes VALUES (1, 'abc');`,
  );
  const seeds = [
    { table: 'db.codes', rows: 1, columns: { id: 'x{n}', code: 'a{n}' } },
    { table: 'db.codes', rows: 1, columns: { id: '{n}', code: 'abcdef{n}' } },
  ];
  const { receipt, reasons } = await cleanup(dataContext(profile(url, { seed: seeds })), { dryRun: false, seeded: true });
  expect(reasons).toEqual([]);
  expect(receipt.rows.slice(3)).toMatchObject([
    { deleted: 0, left: 0 },
    { deleted: 0, left: 0 },
  ]);
  await sql("INSERT INTO codes VALUES (2, 'a1')");
  const found = await cleanup(dataContext(profile(url, { seed: seeds })), { dryRun: false, seeded: true });
  expect(found.receipt.lines).toMatchObject([
    {
      kind: 'left',
      what: 'codes (db.codes)',
      count: 1,
      why: expect.stringMatching(/no row can hold what this set says now: invalid input syntax for type integer: "x1"/),
    },
  ]);
  expect(await sql(count('codes'))).toEqual([{ count: 2 }]);
});

test('nor to leave the tables after it uncounted', async () => {
  const { url } = await testDatabase(server, `${schema}${data} CREATE TABLE codes (id int PRIMARY KEY); INSERT INTO codes VALUES (1);`);
  const seeds = [
    { table: 'db.codes', rows: 2, columns: { id: 'x{n}' } },
    { table: 'db.users', rows: 2, columns: { id: 'user-{n}' } },
  ];
  const { receipt, reasons } = await cleanup(dataContext(profile(url, { seed: seeds })), real);
  expect(reasons).toEqual([]);
  expect(receipt.others.slice(3)).toMatchObject([
    { table: 'codes', after: 1 },
    { table: 'users', after: 0 },
  ]);
});

test('with --seeded, rows go that certainly are of a set, hold what was seeded, and that nobody references; the others are told', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${schema} CREATE TABLE cards (id int, owner text REFERENCES users ON DELETE CASCADE); CREATE TABLE tags (word text, tag uuid UNIQUE); CREATE TABLE plain (word text, owner text);`,
  );
  const tagged = { table: 'db.tags', rows: 2, columns: { word: 'w', tag: '{uuid}' } };
  const owned = { table: 'db.plain', rows: 20, columns: { word: 'o', owner: '{users.id}' } };
  const parts = profile(url, { seed: [users, tagged, owned] });
  await seed(dataContext(profile(url, { seed: [users, tagged] })));
  await sql("INSERT INTO plain SELECT 'o', id FROM users");
  await sql("UPDATE users SET name = 'Bob' WHERE id = 'user-7'");
  await sql("INSERT INTO cards VALUES (1, 'user-9')");
  await sql("INSERT INTO users VALUES ('real', 'real@x', 'Real'); INSERT INTO tags VALUES ('w', NULL), ('w', gen_random_uuid())");
  expect((await cleanup(dataContext(parts), { dryRun: true, seeded: true })).receipt.rows.slice(3)).toMatchObject([
    { table: 'plain', deleted: 0, left: null },
    { table: 'tags', deleted: 0, left: 2 },
    { table: 'users', deleted: 0, left: 18 },
  ]);
  const { receipt, reasons } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.rows.slice(3)).toMatchObject([
    { table: 'plain', which: 'seeded: plain', deleted: 0, left: null },
    { table: 'tags', deleted: 2, left: 0 },
    { table: 'users', deleted: 18, left: 2 },
  ]);
  const place = { store: 'db', shard: null };
  expect(receipt.lines).toEqual([
    {
      kind: 'unknown',
      ...place,
      what: 'plain (db.plain)',
      count: null,
      why: 'no unique key of theirs holds {n} or {uuid}, so they cannot be distinguished from rows of others (20 now hold what was seeded)',
      command: expect.stringMatching(/unique in its table, or list the table/),
    },
    {
      kind: 'left',
      ...place,
      what: 'users (db.users)',
      count: 1,
      why: 'changed since the seed: row 7 (id "user-7")',
      command: 'loadctl seed --env test --reset',
    },
    {
      kind: 'left',
      ...place,
      what: 'users (db.users)',
      count: 1,
      why: 'rows of db.cards reference it',
      command: 'add to cleanup.rows: - {table: db.cards, via: users, column: owner}',
    },
  ]);
  expect(await sql('SELECT id FROM users ORDER BY 1')).toEqual([{ id: 'real' }, { id: 'user-7' }, { id: 'user-9' }]);
  expect(await sql('SELECT count(*)::int FROM tags')).toEqual([{ count: 2 }]);
});

test('with --seeded, rows stay that may as well be other people’s, and a seed says so beforehand', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE accounts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, city text, at timestamptz); INSERT INTO accounts (city) VALUES ('c1'), ('c1'), ('c2'), ('c9');`,
  );
  for (const key of [undefined, 'city']) {
    const step = { table: 'db.accounts', rows: 3, columns: { city: 'c{n}' }, ...(key === undefined ? {} : { key }) };
    const parts = profile(url, { rows: [], seed: [step] });
    const context = dataContext(parts);
    if (key === undefined) await expect(seed(context)).rejects.toMatchObject({ reason: 'invalid-profile' });
    else await seed(context).catch(() => undefined);
    if (key !== undefined)
      expect(context.events).toContainEqual({
        type: 'warned',
        code: 'seeded-rows-uncertain',
        place: { store: 'db', shard: null },
        table: 'accounts (db.accounts)',
        fix: 'seed a column with {n} or {uuid} that is unique in its table, or list the table under cleanup.rows',
      });
    const before = await sql('SELECT * FROM accounts ORDER BY id');
    const { receipt, reasons } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows).toMatchObject([{ table: 'accounts', deleted: 0, left: null }]);
    expect(receipt.lines).toMatchObject([{ kind: 'unknown', count: null, why: expect.stringMatching(/no unique key of theirs holds/) }]);
    expect(await sql('SELECT * FROM accounts ORDER BY id')).toEqual(before);
  }
});

test('a dry run with --seeded foretells what the real one does: children that go first hold back nothing', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE homes (owner text PRIMARY KEY REFERENCES users); CREATE TABLE orders (id serial PRIMARY KEY, user_id text REFERENCES users);`,
  );
  const seeds = [
    { table: 'db.users', rows: 30, columns: { id: 'user-{n}' } },
    { table: 'db.homes', rows: 30, columns: { owner: '{users.id}' } },
  ];
  const parts = profile(url, { rows: [], seed: seeds });
  await seed(dataContext(parts));
  const told = (await cleanup(dataContext(parts), { dryRun: true, seeded: true })).receipt;
  expect(told.rows.map(({ table, left }) => [table, left])).toEqual([
    ['homes', 30],
    ['users', 30],
  ]);
  expect(told.notes.filter((note) => note.includes('stay'))).toEqual([]);
  const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect(receipt.rows.map(({ table, deleted }) => [table, deleted])).toEqual([
    ['homes', 30],
    ['users', 30],
  ]);
});

test('an interrupted cleanup with --seeded says how many seeded rows may still be there', async () => {
  const { url } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)');
  const parts = profile(url, { rows: [], seed: [{ table: 'db.users', rows: 60_000, columns: { id: 'user-{n}' } }] });
  await seed(dataContext(parts));
  const stop = new AbortController();
  const context = dataContext(parts, { signal: stop.signal });
  const emit: typeof context.emit = (event) => {
    if (event.type === 'step-progressed') stop.abort();
  };
  const { receipt, reasons } = await cleanup({ ...context, emit }, { dryRun: false, seeded: true });
  expect(reasons).toEqual(['cleanup-not-proven', 'interrupted']);
  const [{ deleted, left } = expect.unreachable()] = receipt.rows;
  expect([deleted > 0, deleted + (left ?? 0)]).toEqual([true, 60_000]);
});

test('with --seeded, a seeded row stays that somebody comes to reference right now', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE cards (id int, owner text REFERENCES users ON DELETE CASCADE);`,
  );
  const parts = profile(url, { rows: [], seed: [{ table: 'db.users', rows: 20, columns: { id: 'user-{n}' } }] });
  await seed(dataContext(parts));
  await sql("BEGIN; INSERT INTO cards VALUES (1, 'user-5')");
  const context = whenWaiting(dataContext(parts), () => sql('COMMIT'));
  const { receipt } = await cleanup(context, { dryRun: false, seeded: true });
  expect(receipt.rows).toMatchObject([{ table: 'users', deleted: 19, left: 1 }]);
  expect(receipt.lines).toMatchObject([{ kind: 'left', count: 1, why: 'rows of db.cards reference it' }]);
  expect(await sql('SELECT owner FROM cards')).toEqual([{ owner: 'user-5' }]);
});

test('with --seeded, seeded rows go that only seeded rows of their table reference', async () => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE staff (id text PRIMARY KEY, boss text REFERENCES staff)');
  const parts = profile(url, { rows: [], seed: [{ table: 'db.staff', rows: 5, columns: { id: 'user-{n}', boss: 'user-1' } }] });
  await seed(dataContext(parts));
  const { receipt, reasons } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect(reasons).toEqual([]);
  expect(receipt.rows).toMatchObject([{ table: 'staff', deleted: 5, left: 0 }]);
  expect(await sql(count('staff'))).toEqual([{ count: 0 }]);
});

test('a role needs to see no more than its tables, and may be made to hurry', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${schema}${data} CREATE SCHEMA private; CREATE SEQUENCE private.numbers; CREATE ROLE modest LOGIN PASSWORD 'pw';
     GRANT SELECT, DELETE ON reservations, payments, queue_entries TO modest; ALTER ROLE modest SET idle_session_timeout = '100ms';`,
  );
  const parts = profile(asRole(url, 'modest', 'pw'));
  const { reasons } = await cleanup(dataContext({ ...parts, cleanup: { ...parts.cleanup, settle: '400ms' } }), real);
  expect(reasons).toEqual([]);
  expect(await sql(count('reservations'))).toEqual([{ count: 0 }]);
});

test('an interrupted cleanup ends even where a cable was pulled', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE TABLE things (user_id text); INSERT INTO things SELECT 'load-test-user-' || n FROM generate_series(1, 200000) n;`,
  );
  const proxy = await startPostgresProxy(server.port);
  const stop = new AbortController();
  const parts = profile(proxy.through(url), { rows: [{ table: 'db.things', column: 'user_id' }] });
  const context = dataContext(parts, { signal: stop.signal });
  let asked: Promise<unknown> | undefined;
  const emit: typeof context.emit = (event) => {
    if (event.type !== 'step-progressed' || asked !== undefined) return;
    const sent = proxy.statements.length;
    proxy.freeze();
    asked = expect.poll(() => proxy.statements.length).toBeGreaterThan(sent);
  };
  const cleaning = cleanup({ ...context, emit }, real);
  await expect.poll(() => asked, { timeout: 10_000 }).toBeDefined();
  await asked;
  const interruptedAt = performance.now();
  stop.abort();
  expect((await cleaning).reasons).toEqual(['cleanup-not-proven', 'interrupted']);
  expect(performance.now() - interruptedAt).toBeLessThan(15_000);
});

test('an interrupted cleanup says so and can be run again', async () => {
  const { url, sql } = await testDatabase(server, schema + data);
  const controller = new AbortController();
  const context = dataContext(profile(url), { signal: controller.signal });
  const emit: typeof context.emit = (event) => {
    if (event.type === 'step-progressed') controller.abort();
  };
  const { receipt, reasons } = await cleanup({ ...context, emit }, real);
  expect(reasons).toEqual(['cleanup-not-proven', 'interrupted']);
  expect(receipt.rows[0]).toMatchObject({ table: 'queue_entries', deleted: 7, left: 0 });
  expect(await sql(count('queue_entries'))).toEqual([{ count: 0 }]);
  expect(receipt.lines).toContainEqual(
    expect.objectContaining({ kind: 'unknown', why: 'the cleanup was interrupted', command: 'loadctl cleanup --env test' }),
  );
  expect((await cleanup(dataContext(profile(url)), real)).reasons).toEqual([]);
});
