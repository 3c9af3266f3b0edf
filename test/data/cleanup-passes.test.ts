import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidPrefix } from '../../src/core/uuids.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { findFamily } from '../../src/stores/postgres/catalog/family.js';
import { findTable } from '../../src/stores/postgres/catalog/tables.js';
import { openSession, type Session } from '../../src/stores/postgres/connection/session.js';
import { findRows, rowsOf } from '../../src/stores/postgres/pages/look.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, somebodyWaits, type TestDatabase, testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const ours = "CASE WHEN n % 3 = 0 THEN 'user-' || n ELSE 'load-test-user-r-' || n END";
const many = 'generate_series(1, 30000) n';

const profile = (url: string, ...rows: object[]): DataProfile => ({
  stores: { db: { kind: 'postgres', url } },
  cleanup: { settle: '20ms', rows },
});
const byUser = (table: string) => ({ table: `db.${table}`, column: 'user_id' });

function sessionOf({ url }: TestDatabase): Promise<Session> {
  const address = { store: 'db', shard: null, url, tls: { mode: 'disable' } } as const;
  return openSession(address, { label: 'test', signal: new AbortController().signal, clock: dataContext({ stores: {} }).world.clock });
}

async function left({ sql }: TestDatabase, table: string): Promise<unknown> {
  const [row] = await sql(
    `SELECT count(*) FILTER (WHERE user_id LIKE 'load-test-user-%')::int AS ours, count(*)::int AS all FROM ${table}`,
  );
  return row;
}

describe('many rows go in passes', () => {
  test('over partitions of partitions, inherited tables and a table without a key', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE parts (id int, user_id text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
       CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10000);
       CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (10000) TO (99999) PARTITION BY HASH (id);
       CREATE TABLE parts_b0 PARTITION OF parts_b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE parts_b1 PARTITION OF parts_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       CREATE TABLE plain (user_id text, note text); CREATE TABLE heir () INHERITS (plain);
       INSERT INTO parts SELECT n, ${ours} FROM ${many};
       INSERT INTO plain SELECT ${ours}, 'x' FROM ${many}; INSERT INTO heir SELECT ${ours}, 'y' FROM ${many};`,
    );
    const context = dataContext(profile(database.url, byUser('parts'), byUser('plain')));
    const { receipt } = await cleanup(context, { dryRun: false, seeded: false });
    expect([receipt.proven, receipt.rows.map(({ table, deleted, left: rest }) => [table, deleted, rest])]).toEqual([
      true,
      expect.arrayContaining([
        ['parts', 20_000, 0],
        ['plain', 40_000, 0],
      ]),
    ]);
    expect([await left(database, 'parts'), await left(database, 'plain')]).toEqual([
      { ours: 0, all: 10_000 },
      { ours: 0, all: 20_000 },
    ]);
    expect(
      receipt.statements
        .filter(({ sql }) => sql.startsWith('DELETE'))
        .map(({ rows }) => rows)
        .sort(),
    ).toEqual([20_000, 40_000]);
  });

  test('children before parents, by way of them, with what they are told to delete', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE reservations (id int PRIMARY KEY, user_id text); CREATE TABLE payments (id int PRIMARY KEY, reservation int REFERENCES reservations);
       INSERT INTO reservations SELECT n, ${ours} FROM ${many}; INSERT INTO payments SELECT n, n FROM ${many};`,
    );
    const { receipt } = await cleanup(
      dataContext(profile(database.url, byUser('reservations'), { table: 'db.payments', via: 'db.reservations' })),
      { dryRun: false, seeded: false },
    );
    expect(receipt.proven).toBe(true);
    expect(await database.sql('SELECT count(*)::int FROM payments')).toEqual([{ count: 10_000 }]);
    expect(await left(database, 'reservations')).toEqual({ ours: 0, all: 10_000 });
  });

  test('a row that cannot go keeps back none but itself: 113, and why', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE things (id int PRIMARY KEY, user_id text);
       CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'row % stays', OLD.id; END $$;
       CREATE TRIGGER keep BEFORE DELETE ON things FOR EACH ROW WHEN (OLD.id IN (100, 20000)) EXECUTE FUNCTION keep();
       INSERT INTO things SELECT n, ${ours} FROM ${many};`,
    );
    const { receipt, reasons } = await cleanup(dataContext(profile(database.url, byUser('things'))), { dryRun: false, seeded: false });
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows).toMatchObject([{ deleted: 19_998, left: 2 }]);
    expect(receipt.lines).toMatchObject([{ kind: 'left', count: 2, why: expect.stringMatching(/row (100|20000) stays/) }]);
  });

  test('triggers that let nothing go end in 113 soon, not in a loop', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE things (id int PRIMARY KEY, user_id text);
       CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nothing goes'; END $$;
       CREATE TRIGGER keep BEFORE DELETE ON things FOR EACH ROW EXECUTE FUNCTION keep();
       INSERT INTO things SELECT n, ${ours} FROM ${many};`,
    );
    const context = dataContext(profile(database.url, byUser('things')));
    const { receipt, reasons } = await cleanup(context, { dryRun: false, seeded: false });
    expect([reasons, receipt.rows[0]?.left]).toEqual([['cleanup-not-proven'], 20_000]);
    expect(receipt.lines).toMatchObject([{ kind: 'left', count: 20_000, why: expect.stringContaining('nothing goes') }]);
    // The look, the sweeps, one delete in each of a few: not one in each of the 30 looks that there are at most.
    expect(context.events.filter(({ type }) => type === 'step-started').length).toBeLessThan(10);
  });

  test('a row that somebody holds is waited for, and goes when it is let go of', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE things (id int PRIMARY KEY, user_id text); INSERT INTO things SELECT n, ${ours} FROM ${many};`,
    );
    await database.sql('BEGIN');
    await database.sql('SELECT 1 FROM things WHERE id = 100 FOR UPDATE');
    const context = dataContext(profile(database.url, byUser('things')));
    const cleaning = cleanup(context, { dryRun: false, seeded: false });
    await expect
      .poll(() => context.events.findLast((event) => event.type === 'step-progressed'), { timeout: 20_000 })
      .toMatchObject({ done: expect.toSatisfy((done: number) => done > 10_000) });
    await database.sql('COMMIT');
    expect((await cleaning).receipt).toMatchObject({ proven: true, rows: [{ deleted: 20_000, left: 0 }] });
  });

  test('somebody who has the whole table to himself for a while is waited for', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE things (id int PRIMARY KEY, user_id text); INSERT INTO things SELECT n, ${ours} FROM generate_series(1, 300000) n;`,
    );
    const context = dataContext(profile(database.url, byUser('things')));
    /** Until two of the cleanup's transactions have waited for it: longer than either may. */
    const aloneForAWhile = async () => {
      await database.sql('BEGIN; LOCK TABLE things IN ACCESS EXCLUSIVE MODE');
      await somebodyWaits(database.sql, 2);
      await database.sql('COMMIT');
    };
    let alone: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      if (event.type !== 'step-progressed') return;
      alone ??= aloneForAWhile();
    };
    const { receipt } = await cleanup({ ...context, emit }, { dryRun: false, seeded: false });
    await alone;
    expect(receipt).toMatchObject({ proven: true, rows: [{ deleted: 200_000, left: 0 }] });
  });

  test('a role that may not touch the partitions themselves goes by way of their parent', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE parts (id int, user_id text) PARTITION BY RANGE (id); CREATE TABLE parts_a PARTITION OF parts DEFAULT;
       INSERT INTO parts SELECT n, ${ours} FROM ${many};
       CREATE ROLE outsider LOGIN PASSWORD 'pw'; GRANT SELECT, DELETE ON parts TO outsider;`,
    );
    const { receipt } = await cleanup(dataContext(profile(asRole(database.url, 'outsider', 'pw'), byUser('parts'))), {
      dryRun: false,
      seeded: false,
    });
    expect(receipt).toMatchObject({ proven: true, rows: [{ deleted: 20_000, left: 0 }] });
  });

  test('a long table is looked at in ranges of pages where no index helps, partitions too, each in a transaction of its own', async () => {
    const database = await testDatabase(
      server,
      `CREATE TABLE things (id int, user_id text) PARTITION BY HASH (id); CREATE TABLE things_0 PARTITION OF things FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 10);
       CREATE TABLE things_1 PARTITION OF things FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 10);
       INSERT INTO things SELECT n, ${ours} FROM generate_series(1, 90000) n; ANALYZE things;`,
    );
    const session = await sessionOf(database);
    const asked: string[] = [];
    const watched: Session = {
      ...session,
      query: (sql, values) => {
        asked.push(sql);
        return session.query(sql, values);
      },
    };
    const looking = { session: watched, clock: dataContext({ stores: {} }).world.clock };
    const family = await findFamily(session, await findTable(session, 'things'));
    const found = await findRows(looking, family, "t.user_id LIKE 'load-test-user-%'");
    expect([rowsOf(found), found.length > 1]).toEqual([60_000, true]);
    // All of a transaction is one message: nothing is ever idle in one.
    const looks = asked.flatMap((sql) => /^BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; .*; (SELECT .*); COMMIT$/s.exec(sql)?.[1] ?? []);
    expect(looks.length).toBe(asked.filter((sql) => sql !== 'ROLLBACK').length);
    expect(await database.sql(`EXPLAIN ${looks.at(-1)}`)).toContainEqual({
      'QUERY PLAN': expect.stringContaining('Tid Range Scan on things_1'),
    });
    const few = await findRows(looking, family, "t.user_id = 'load-test-user-r-1'");
    expect(few).toMatchObject([{ kind: 'places', rows: 1 }]);
    await session.close();
  });
});

describe('rows without a text of their own', () => {
  test('go by a namespace of UUIDs, and random ones stay', async () => {
    const prefix = uuidPrefix('load-test');
    const { url, sql } = await testDatabase(server, 'CREATE TABLE orders (customer uuid)');
    const own = [`${prefix}000-8000-000000000000`, `${prefix}abc-9def-0123456789ab`, `${prefix}fff-bfff-ffffffffffff`];
    await sql('INSERT INTO orders SELECT unnest($1::uuid[])', [own]);
    await sql('INSERT INTO orders SELECT gen_random_uuid() FROM generate_series(1, 1000)');
    const { receipt } = await cleanup(dataContext(profile(url, { table: 'db.orders', column: 'customer', uuid: 'load-test' })), {
      dryRun: false,
      seeded: false,
    });
    expect(receipt.rows).toMatchObject([{ deleted: 3, left: 0 }]);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 1000 }]);
  });

  test.each([[{}, /is uuid; it has to hold text/]])('a column of another kind is refused: %j', async (more, message) => {
    const { url } = await testDatabase(server, 'CREATE TABLE orders (customer uuid)');
    const entry = { table: 'db.orders', column: 'customer', ...more };
    await expect(cleanup(dataContext(profile(url, entry)), { dryRun: false, seeded: false })).rejects.toMatchObject({
      reason: 'invalid-profile',
      message: expect.stringMatching(message),
    });
  });
});
