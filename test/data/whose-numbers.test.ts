import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

/* Sequences that come to seeded numbers by ways that are not in the column's own default, and everything that makes numbers collide. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const parts = (url: string, columns: Record<string, unknown>) => ({
  stores: { db: { kind: 'postgres', url } },
  seed: { orders: { table: 'db.orders', rows: 100, columns } },
});

const draws = "CREATE SEQUENCE s START 900000050; CREATE FUNCTION draw() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('s') $$;";

test.each([
  [
    'the default of a domain',
    "CREATE SEQUENCE s START 900000050; CREATE DOMAIN order_id AS bigint DEFAULT nextval('s'); CREATE TABLE orders (id order_id PRIMARY KEY)",
  ],
  [
    'a domain over such a domain',
    "CREATE SEQUENCE s START 900000050; CREATE DOMAIN some_id AS bigint DEFAULT nextval('s'); CREATE DOMAIN order_id AS some_id; CREATE TABLE orders (id order_id PRIMARY KEY)",
  ],
  [
    'a function that a function in the default calls',
    `${draws} CREATE FUNCTION "Next Id"() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN public . draw (); END $$; CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT "Next Id"())`,
  ],
  [
    'functions with a body that the server has parsed',
    `CREATE SEQUENCE s START 900000050; CREATE FUNCTION draw() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT nextval('s'); END;
     CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT draw(); END; CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT next_id())`,
  ],
  [
    'a function that a trigger before inserts calls',
    `${draws} CREATE TABLE orders (id bigint PRIMARY KEY); CREATE FUNCTION number_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := draw(); RETURN NEW; END $$;
     CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION number_it()`,
  ],
])('by %s: 112', async (_, setup) => {
  const { url, sql } = await testDatabase(server, setup);
  await expect(seed(dataContext(parts(url, { id: '{n+900000000}' })))).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringContaining('the sequence public.s numbers public.orders.id and is at 900000050'),
  });
  expect(await sql('SELECT FROM orders')).toEqual([]);
});

test('a function that is named like a part of one that is called draws nothing', async () => {
  const { url } = await testDatabase(
    server,
    `${draws} CREATE FUNCTION withdraw() RETURNS bigint LANGUAGE sql AS $$ SELECT 7::bigint $$;
     CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql AS $$ SELECT withdraw() $$; CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT next_id())`,
  );
  expect((await seed(dataContext(parts(url, { id: '{n+900000000}' })))).stores).toMatchObject([{ created: 100 }]);
});

const coded = 'CREATE TABLE orders (code text PRIMARY KEY, no serial, tenant text DEFAULT';

test.each([
  ['among a part of the rows', `${coded} 'main', gone bool DEFAULT false); CREATE UNIQUE INDEX ON orders (no) WHERE NOT gone`, '{n}'],
  ['beside a column that is not seeded', `${coded} 'main', UNIQUE (tenant, no))`, '{n}'],
  ['by an exclusion', `${coded} 'main', EXCLUDE USING btree (no WITH =))`, '{n}'],
  [
    'by an expression',
    "CREATE SEQUENCE s; CREATE TABLE orders (code text PRIMARY KEY, no text DEFAULT 'ORD-' || nextval('s')); CREATE UNIQUE INDEX ON orders (lower(no))",
    'ORD-{n}',
  ],
])('unique %s: 112', async (_, setup, no) => {
  const { url, sql } = await testDatabase(server, setup);
  await expect(seed(dataContext(parts(url, { code: 'c-{n}', no })))).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/the sequence public\.\w+ numbers public\.orders\.no and is at 1: it has come to 1\.\.100, or will/),
  });
  await sql("INSERT INTO orders (code) VALUES ('real')");
});

test('a column that need not be unique is told what becomes of its sequence', async () => {
  const { url, sql } = await testDatabase(server, `${coded} 'main'); CREATE UNIQUE INDEX ON orders (code) INCLUDE (no)`);
  const context = dataContext(parts(url, { code: 'c-{n}', no: '{n}' }));
  expect((await seed(context)).stores).toMatchObject([{ created: 100 }]);
  expect(context.events).toContainEqual(
    expect.objectContaining({ code: 'sequence-stays', set: 'orders', sequence: 'public.orders_no_seq', next: '1' }),
  );
  await sql("INSERT INTO orders (code) VALUES ('real')");
});
