import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { previewStores } from '../../src/phases/data/preview.js';
import { resetSeeded } from '../../src/phases/data/reset.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, testDatabase } from '../servers/sql.js';

/* What a database engineer found: rows of others that went, or the test's that stayed, under a receipt that said CLEAN. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const own = { dryRun: false, seeded: false };
const all = { dryRun: false, seeded: true };
const users = { table: 'db.users', rows: 10, columns: { id: 'user-{n}', name: 'Test' } };
const usersTable = 'CREATE TABLE users (id text PRIMARY KEY, name text);';

function profile(url: string, parts: Omit<DataProfile, 'stores'>): DataProfile {
  return { stores: { db: { kind: 'postgres', url } }, ...parts, cleanup: { settle: '20ms', ...parts.cleanup } };
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

describe('certain, or left', () => {
  test('rows that refer to a constant may be anybody’s: they are not seeded, and those that were stay, which is told', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE u (id text PRIMARY KEY, tier text); CREATE TABLE notes (id serial PRIMARY KEY, tier text, word text);
       INSERT INTO notes (tier, word) VALUES ('gold', 'x'), ('gold', 'x')`,
    );
    const parts = profile(url, {
      seed: {
        u: { table: 'db.u', rows: 2, columns: { id: 'u-{n}', tier: 'gold' } },
        notes: { table: 'db.notes', rows: 2, columns: { tier: '{u.tier}', word: 'x' } },
      },
    });
    await expect(seed(dataContext(parts))).rejects.toMatchObject({
      reason: 'invalid-profile',
      message: 'db: notes (db.notes) seeds no unique key of its table, so its rows cannot be found again',
    });
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(await sql('SELECT tier, word FROM notes')).toEqual([
      { tier: 'gold', word: 'x' },
      { tier: 'gold', word: 'x' },
    ]);
    expect(await sql('SELECT id FROM u')).toEqual([]);
    expect(receipt.lines).toMatchObject([{ kind: 'unknown', what: 'notes (db.notes)', count: null }]);
  });

  test('a real row that equals a seeded constant stays', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE countries (code text PRIMARY KEY, name text); INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France')`,
    );
    const parts = profile(url, { seed: { c: { table: 'db.countries', rows: 1, columns: { code: 'DE', name: 'Germany' } } } });
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([
      { kind: 'unknown', what: 'c (db.countries)', why: expect.stringMatching(/cannot be distinguished from rows of others/) },
    ]);
    expect(await sql('SELECT code FROM countries ORDER BY 1')).toEqual([{ code: 'DE' }, { code: 'FR' }]);
  });

  test('look-alikes of a set stay: neighbours, leading zeros, other cases, other digits', async () => {
    const { url, sql } = await testDatabase(server, usersTable);
    const alike = ['user-0', 'user-01', 'user-11', 'USER-1', 'user-1 ', 'user-١', 'user-500', 'xuser-1', 'user--1'];
    await sql('INSERT INTO users SELECT unnest($1::text[]), $2', [alike, 'Test']);
    const parts = profile(url, { seed: { users } });
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual([]);
    expect(receipt.rows).toMatchObject([{ deleted: 10, left: 0 }]);
    expect((await sql('SELECT id FROM users')).map(({ id }) => id).sort()).toEqual([...alike].sort());
  });

  test('rows that were changed, and rows that others reference, stay: 113, which, and what to type', async () => {
    const { url, sql } = await testDatabase(server, `${usersTable} CREATE TABLE cards (id serial, owner text REFERENCES users);`);
    const parts = profile(url, { seed: { users } });
    await seed(dataContext(parts));
    await sql("UPDATE users SET name = 'Bob' WHERE id = 'user-3'; INSERT INTO cards (owner) VALUES ('user-5')");
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows).toMatchObject([{ deleted: 8, left: 2 }]);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', count: 1, why: 'changed since the seed: row 3 (id "user-3")', command: 'loadctl seed --env test --reset' },
      { kind: 'left', count: 1, why: 'rows of db.cards reference it', command: expect.stringContaining('{table: db.cards, via: users') },
    ]);
  });

  test('triggers and rules of a seeded table are told before its rows come or go, and only then', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE TABLE gone (id text); CREATE RULE note AS ON DELETE TO users DO ALSO INSERT INTO gone VALUES (OLD.id);
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
       CREATE TRIGGER t AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION f();`,
    );
    await sql('CREATE TRIGGER early BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()');
    const parts = profile(url, { seed: { users } });
    const seeding = dataContext(parts);
    await expect(seed(seeding)).rejects.toMatchObject({ reason: 'seeding-failed' });
    expect(seeding.events).toContainEqual({
      type: 'noted',
      code: 'side-effect',
      effect: 'db: users has the trigger early, which runs BEFORE INSERT for each row',
    });
    await sql('DROP TRIGGER early ON users');
    await seed(dataContext(parts));
    const effects = async (options: typeof all) => {
      const context = dataContext(parts);
      await cleanup(context, options);
      return context.events.flatMap((event) => (event.type === 'noted' && event.code === 'side-effect' ? [event.effect] : []));
    };
    const set = ['db: users has the rule note on DELETE', 'db: users has the trigger t, which runs AFTER DELETE for each row'];
    const shown = async (seeded: boolean) => (await previewStores(dataContext(parts), { seeds: false, cleans: true, seeded })).lines;
    expect([await shown(false), await shown(true)]).toEqual([[], set]);
    expect(await effects(own)).toEqual([]);
    expect(await effects(all)).toEqual(set);
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
  });

  test('a trigger that makes a profile row for each account: the table to list is named, and listed it all goes', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE accounts (id text PRIMARY KEY); CREATE TABLE profiles (id serial PRIMARY KEY, account text REFERENCES accounts);
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO profiles (account) VALUES (NEW.id); RETURN NEW; END $$;
       CREATE TRIGGER t AFTER INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION f();
       INSERT INTO accounts VALUES ('acc-real')`,
    );
    const accounts = { table: 'db.accounts', rows: 20, columns: { id: 'acc-{n}' } };
    const parts = profile(url, { seed: { accounts } });
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toEqual([
      {
        kind: 'left',
        store: 'db',
        shard: null,
        what: 'accounts (db.accounts)',
        count: 20,
        why: 'rows of db.profiles reference them',
        command: 'add to cleanup.rows: - {table: db.profiles, via: accounts, column: account}',
      },
    ]);
    const listed = profile(url, {
      seed: { accounts },
      cleanup: { rows: [{ table: 'db.profiles', via: 'accounts', column: 'account' }] },
    });
    expect((await cleanup(dataContext(listed), all)).reasons).toEqual([]);
    expect(await sql('SELECT account FROM profiles')).toEqual([{ account: 'acc-real' }]);
  });
});

describe('numbers', () => {
  const numbered = (columns: Record<string, unknown>) => ({ orders: { table: 'db.orders', rows: 100, columns } });

  test('a default that draws from a sequence which nothing owns: 112', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE SEQUENCE not_owned START 900000001; CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('not_owned'), what text);
       INSERT INTO orders (what) SELECT 'real' FROM generate_series(1, 40)`,
    );
    const parts = profile(url, { seed: numbered({ id: '{n+900000000}', what: 'x' }) });
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/the sequence public\.not_owned numbers public\.orders\.id and is at 900000041/),
    });
    expect((await cleanup(dataContext(parts), all)).reasons).toEqual(['cleanup-not-proven']);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 40 }]);
  });

  test('a column that references an identity over two keys: 112', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY (START 900000001) PRIMARY KEY); CREATE TABLE accounts (id bigint PRIMARY KEY REFERENCES people);
       CREATE TABLE orders (n serial, account bigint PRIMARY KEY REFERENCES accounts);
       INSERT INTO people SELECT FROM generate_series(1, 30); INSERT INTO accounts SELECT id FROM people; INSERT INTO orders (account) SELECT id FROM accounts`,
    );
    const parts = profile(url, { seed: numbered({ account: '{n+900000000}' }) });
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/public\.people_id_seq reaches, over foreign keys, public\.orders\.account/),
    });
    expect((await cleanup(dataContext(parts), all)).reasons).toEqual(['cleanup-not-proven']);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 30 }]);
  });

  test('a function in a default that draws from a sequence: 112', async () => {
    const { url } = await testDatabase(
      server,
      `CREATE SEQUENCE s START 900000050; CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('s') $$;
       CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT next_id(), what text)`,
    );
    expect(await failure(seed(dataContext(profile(url, { seed: numbered({ id: '{n+900000000}' }) }))))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/the sequence public\.s numbers public\.orders\.id/),
    });
  });

  test.each([
    ['assigns', "BEGIN NEW.id := nextval('s'); RETURN NEW; END", 'id', '{n+900000000}'],
    [
      'selects, in other spelling',
      'BEGIN IF NEW . "Id" IS NULL THEN SELECT NEXTVAL (\'public.s\') INTO NEW . "Id"; END IF; RETURN NEW; END',
      '"Id"',
      '{n+900000000}',
    ],
    ['makes a text of', "BEGIN NEW.no := 'ORD-' || nextval('s'::regclass); RETURN NEW; END", 'no', 'ORD-{n+900000000}'],
  ])('a trigger before inserts that %s a sequence’s value: 112', async (_, body, column, value) => {
    const type = column === 'no' ? 'text' : 'bigint';
    const { url } = await testDatabase(
      server,
      `CREATE SEQUENCE s START 900000050; CREATE TABLE orders (${column} ${type} PRIMARY KEY, what text);
       CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS $$ ${body} $$;
       CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION draw()`,
    );
    const name = column.replaceAll('"', '');
    expect(await failure(seed(dataContext(profile(url, { seed: numbered({ [name]: value, what: 'x' }) }))))).toMatchObject({
      reason: 'refused',
      message: expect.stringContaining(`the sequence public.s numbers public.orders.${name}`),
    });
  });

  test('a trigger that draws a sequence for another column, or not at inserts, numbers nothing', async () => {
    const { url } = await testDatabase(
      server,
      `CREATE SEQUENCE s START 900000050; CREATE TABLE orders (id bigint PRIMARY KEY, what text, no bigint);
       CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.no := nextval('s'); RETURN NEW; END $$;
       CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := nextval('s'); RETURN NEW; END $$;
       CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION draw();
       CREATE TRIGGER u BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION again()`,
    );
    const { stores } = await seed(dataContext(profile(url, { seed: numbered({ id: '{n+900000000}', what: 'x' }) })));
    expect(stores).toMatchObject([{ created: 100 }]);
  });

  test('of which a record has only some: it says which', async () => {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE orders (id bigint PRIMARY KEY, what text)');
    const of = (rows: number) => profile(url, { seed: { orders: { ...numbered({ id: '{n+900000000}', what: 'x' }).orders, rows } } });
    const machine: Machine = {};
    await seed(dataContext(of(60), { machine }));
    await sql("INSERT INTO orders VALUES (900000080, 'real')");
    expect(await failure(seed(dataContext(of(100), { machine })))).toMatchObject({
      reason: 'refused',
      message: expect.stringContaining('before-test.json has rows 1 to 60 of orders, not those up to 100'),
    });
  });

  test('into a serial: 112 where the application’s next insert would fail, else what becomes of the sequence is told', async () => {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE orders (id serial PRIMARY KEY, what text)');
    expect(await failure(seed(dataContext(profile(url, { seed: numbered({ id: '{n}', what: 'x' }) }))))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(
        /the sequence public\.orders_id_seq numbers public\.orders\.id and is at 1: it has come to 1\.\.100, or will/,
      ),
      hint: expect.stringMatching(/\{n\+900000000000\}/),
    });
    const apart = profile(url, { seed: numbered({ id: '{n+900000000}', what: 'x' }) });
    const machine: Machine = {};
    const context = dataContext(apart, { machine });
    await seed(context);
    expect(context.events).toContainEqual(
      expect.objectContaining({ code: 'sequence-stays', set: 'orders', sequence: 'public.orders_id_seq', next: '1' }),
    );
    await sql("INSERT INTO orders (what) VALUES ('the application’s')");
    const { reasons } = await cleanup(dataContext(apart, { machine }), all);
    expect(reasons).toEqual([]);
    expect(await sql('SELECT id FROM orders')).toEqual([{ id: 1 }]);
  });

  test('that others have already: 112; and nobody who has no record of the first seed takes them out', async () => {
    const { url, sql } = await testDatabase(
      server,
      "CREATE TABLE orders (id bigint PRIMARY KEY, what text); INSERT INTO orders VALUES (900000050, 'x')",
    );
    const parts = profile(url, { seed: numbered({ id: '{n+900000000}', what: 'x' }) });
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/1 row has a number of the set orders \(db\.orders\) already/),
    });
    await sql('DELETE FROM orders');
    const machine: Machine = {};
    await seed(dataContext(parts, { machine }));
    const elsewhere = await cleanup(dataContext(parts), all);
    expect(elsewhere.reasons).toEqual(['cleanup-not-proven']);
    expect(elsewhere.receipt.rows).toMatchObject([{ deleted: 0, left: 100 }]);
    expect(elsewhere.receipt.lines).toMatchObject([{ kind: 'left', count: 100, why: expect.stringMatching(/before-test\.json has none/) }]);
    expect((await cleanup(dataContext(parts, { machine }), all)).reasons).toEqual([]);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 0 }]);
  });
});

test('numbers in a table that is listed after they were seeded are not the test’s: 113, and 112 for the next seed', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE nums (id bigint PRIMARY KEY); CREATE TABLE lines (id serial, n bigint); CREATE TABLE invoices (no bigint, what text); INSERT INTO invoices VALUES (900000001, 'real')`,
  );
  const machine: Machine = {};
  const nums = { table: 'db.nums', rows: 10, columns: { id: '{n+900000000}' } };
  const lines = { table: 'db.lines', column: 'n', in: 'nums.id' };
  const invoices = { table: 'db.invoices', column: 'no', in: 'nums.id' };
  const of = (...rows: object[]) => profile(url, { seed: { nums }, cleanup: { rows } });
  await seed(dataContext(of(lines), { machine }));
  await sql('INSERT INTO lines (n) VALUES (900000003), (17)');
  const { receipt, reasons } = await cleanup(dataContext(of(lines, invoices), { machine }), own);
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.rows).toMatchObject([
    { table: 'invoices', deleted: 0, left: 1 },
    { table: 'lines', deleted: 1, left: 0 },
  ]);
  expect(receipt.lines).toContainEqual(
    expect.objectContaining({
      kind: 'unknown',
      what: 'db.invoices',
      count: 1,
      why: expect.stringContaining('db.invoices.no was not looked at when nums was seeded'),
    }),
  );
  expect(await failure(seed(dataContext(of(lines, invoices), { machine })))).toMatchObject({
    reason: 'refused',
    message: expect.stringContaining('invoices has rows already'),
  });
  await sql('DELETE FROM invoices');
  await seed(dataContext(of(lines, invoices), { machine }));
  await sql("INSERT INTO invoices VALUES (900000001, 'the test’s')");
  expect((await cleanup(dataContext(of(lines, invoices), { machine }), all)).reasons).toEqual([]);
  expect(await sql('SELECT n FROM lines')).toEqual([{ n: '17' }]);
});

describe('numbers beside a constant', () => {
  const inventory = 'CREATE TABLE inv (tenant text, no int, status text, PRIMARY KEY (tenant, no));';
  const stock = (columns: Record<string, unknown>) => ({ inv: { table: 'db.inv', rows: 5, columns } });

  test.each([
    ['a constant', { tenant: 'acme', no: '{n}' }],
    ['a pick', { tenant: '{pick:acme|acme}', no: '{n}' }],
  ])('%s makes no key of theirs certain: 112 where others have it, 113 without a record', async (_, columns) => {
    const { url, sql } = await testDatabase(server, `${inventory} INSERT INTO inv VALUES ('acme', 3, 'paid'), ('real', 4, 'paid')`);
    const parts = profile(url, { seed: stock(columns) });
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/1 row has a number of the set inv \(db\.inv\) already/),
    });
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([{ kind: 'left', count: 1, why: expect.stringMatching(/before-test\.json has none of inv/) }]);
    expect(await sql('SELECT tenant, no FROM inv ORDER BY no')).toEqual([
      { tenant: 'acme', no: 3 },
      { tenant: 'real', no: 4 },
    ]);
  });

  test('in a range that was free, a record makes them certain', async () => {
    const { url, sql } = await testDatabase(server, `${inventory} INSERT INTO inv VALUES ('real', 3, 'paid')`);
    const machine: Machine = {};
    const parts = profile(url, { seed: stock({ tenant: 'acme', no: '{n}' }) });
    await seed(dataContext(parts, { machine }));
    expect((await cleanup(dataContext(parts, { machine }), all)).reasons).toEqual([]);
    expect(await sql('SELECT tenant FROM inv')).toEqual([{ tenant: 'real' }]);
  });

  test('a sequence behind the number is looked at: at the seed, and at a cleanup that finds it has come near', async () => {
    const { url, sql } = await testDatabase(server, inventory);
    const machine: Machine = {};
    const parts = profile(url, { seed: stock({ tenant: 'acme', no: '{n}' }) });
    await seed(dataContext(parts, { machine }));
    await sql("CREATE SEQUENCE inv_no; ALTER TABLE inv ALTER no SET DEFAULT nextval('inv_no')");
    const { receipt, reasons } = await cleanup(dataContext(parts, { machine }), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', count: 5, why: expect.stringMatching(/sequence public\.inv_no numbers public\.inv\.no/) },
    ]);
    await sql('TRUNCATE inv');
    expect(await failure(seed(dataContext(parts)))).toMatchObject({ reason: 'refused', message: expect.stringMatching(/public\.inv_no/) });
  });

  test('a reference that goes round to ids of the test is as certain as they are', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE TABLE lines (owner text REFERENCES users, no int, PRIMARY KEY (owner, no));
       INSERT INTO users VALUES ('real', 'x'); INSERT INTO lines VALUES ('real', 3)`,
    );
    const lines = { table: 'db.lines', rows: 25, columns: { owner: '{users.id}', no: '{n}' } };
    const parts = profile(url, { seed: { users, lines } });
    await seed(dataContext(parts));
    expect((await cleanup(dataContext(parts), all)).reasons).toEqual([]);
    expect(await sql('SELECT owner, no FROM lines')).toEqual([{ owner: 'real', no: 3 }]);
  });
});

describe('what is remembered of a seed', () => {
  const seeding = (rows: number) => ({ users: { ...users, rows } });

  test('seeded 60 and cleaned with 50: 113 with the command, which then takes all 60', async () => {
    const { url, sql } = await testDatabase(server, usersTable);
    const machine: Machine = {};
    await seed(dataContext(profile(url, { seed: seeding(60) }), { machine }));
    const fewer = await cleanup(dataContext(profile(url, { seed: seeding(50) }), { machine }), all);
    expect(fewer.reasons).toEqual(['cleanup-not-proven']);
    expect(fewer.receipt.lines).toMatchObject([
      { kind: 'left', what: 'users (db.users)', count: 10, command: 'loadctl cleanup --env test --seeded --set seed.users.rows=60' },
    ]);
    expect(fewer.receipt.others).toMatchObject([{ table: 'users', before: 0, after: 0 }]);
    const rest = await cleanup(dataContext(profile(url, { seed: seeding(60) }), { machine }), all);
    expect(rest.reasons).toEqual([]);
    expect(rest.receipt.rows).toMatchObject([{ deleted: 10, left: 0 }]);
    expect(rest.receipt.others).toMatchObject([{ table: 'users', before: 0, after: 0 }]);
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
  });

  test('a set that the profile does not have any more is told: kept, and with --seeded left, with what to do', async () => {
    const { url, sql } = await testDatabase(server, `${usersTable} CREATE TABLE carts (id serial, user_id text);`);
    const machine: Machine = {};
    const carts = { rows: [{ table: 'db.carts', column: 'user_id' }] };
    await seed(dataContext(profile(url, { seed: seeding(10), cleanup: carts }), { machine }));
    const without = profile(url, { cleanup: carts });
    const kept = await cleanup(dataContext(without, { machine }), own);
    expect(kept.reasons).toEqual([]);
    expect(kept.receipt.lines).toEqual([{ kind: 'kept', store: 'db', shard: null, what: 'users (db.users)', count: 10 }]);
    const left = await cleanup(dataContext(without, { machine }), all);
    expect(left.reasons).toEqual(['cleanup-not-proven']);
    expect(left.receipt.lines).toMatchObject([
      {
        kind: 'left',
        count: 10,
        command:
          'loadctl cleanup --env test --seeded --set \'seed.users={"table":"db.users","rows":10,"columns":{"id":"user-{n}","name":"Test"}}\'',
      },
    ]);
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 10 }]);
  });

  test('what was seeded into another database is noted, and stays remembered', async () => {
    const [one, two] = [await testDatabase(server, usersTable), await testDatabase(server, usersTable)];
    const machine: Machine = {};
    await seed(dataContext(profile(one.url, { seed: seeding(10) }), { machine }));
    const there = await cleanup(dataContext(profile(two.url, { seed: seeding(10) }), { machine }), all);
    expect(there.reasons).toEqual([]);
    expect(there.receipt.notes.join()).toMatch(
      /seeded from here before, where this profile does not reach: users \(10 rows\) in db at 127/,
    );
    expect(machine.before?.seeded).toMatchObject([{ set: 'users', rows: 10 }]);
    expect((await cleanup(dataContext(profile(one.url, { seed: seeding(10) }), { machine }), all)).receipt.rows).toMatchObject([
      { deleted: 10 },
    ]);
    expect(machine.before?.seeded).toEqual([]);
  });

  test('without the file the ten are others’', async () => {
    const { url, sql } = await testDatabase(server, usersTable);
    await seed(dataContext(profile(url, { seed: seeding(60) })));
    const { receipt, reasons } = await cleanup(dataContext(profile(url, { seed: seeding(50) })), all);
    expect(reasons).toEqual([]);
    expect(receipt.others).toMatchObject([{ table: 'users', before: null, after: 10 }]);
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 10 }]);
  });

  test('rows of UUID customers that the application wrote are found by the set', async () => {
    const { url, sql } = await testDatabase(
      server,
      'CREATE TABLE customers (id uuid PRIMARY KEY); CREATE TABLE orders (id serial PRIMARY KEY, customer uuid)',
    );
    const parts = profile(url, {
      seed: { customers: { table: 'db.customers', rows: 48, columns: { id: '{uuid}' } } },
      cleanup: { rows: [{ table: 'db.orders', column: 'customer', in: 'customers.id' }] },
    });
    await seed(dataContext(parts));
    await sql(
      'INSERT INTO orders (customer) SELECT id FROM customers; INSERT INTO orders (customer) SELECT gen_random_uuid() FROM generate_series(1, 9)',
    );
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect(reasons).toEqual([]);
    expect(receipt.rows).toMatchObject([{ table: 'orders', which: 'customer is in customers.id', deleted: 48, left: 0 }]);
    expect(receipt.lines).toMatchObject([{ kind: 'kept', what: 'customers (db.customers)', count: 48 }]);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 9 }]);
  });
});

describe('conflicts', () => {
  test('of one cause are one line, with three examples', async () => {
    const { url } = await testDatabase(
      server,
      `${usersTable} INSERT INTO users SELECT 'user-' || n, 'Other' FROM generate_series(1, 50) n`,
    );
    const error = await failure(seed(dataContext(profile(url, { seed: { users: { ...users, rows: 100 } } }))));
    expect(error).toMatchObject({ reason: 'seeding-failed', message: '50 rows conflict with existing data; nothing was written' });
    expect(error.lines).toEqual([
      'db: public.users: name differs (50)',
      '  row 1 (id "user-1"): name is "Other", not "Test"',
      '  row 2 (id "user-2"): name is "Other", not "Test"',
      '  row 3 (id "user-3"): name is "Other", not "Test"',
      '  … and 47 more',
    ]);
  });

  test('of a set with itself, and of rows that a trigger changes, are the profile’s to fix: no `--reset`', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE);
       CREATE TABLE small (id text PRIMARY KEY, name text);
       CREATE FUNCTION lowercase() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$;
       CREATE TRIGGER t BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION lowercase()`,
    );
    const collide = { users: { table: 'db.users', rows: 3, columns: { id: 'user-{n}', email: 'one@test.com' } } };
    const small = { small: { table: 'db.small', rows: 3, columns: { id: 's-{n}', name: 'Test {n}' } } };
    const wrong = [
      { sets: collide, message: 'db: public.users: rows of this set have a value in common that must be unique' },
      { sets: small, message: 'db: public.small: rows are not there as they were written' },
    ];
    for (const { sets, message } of wrong) {
      const error = await failure(seed(dataContext(profile(url, { seed: sets }))));
      expect(error).toMatchObject({ reason: 'seeding-failed', message });
      expect(error.hint).not.toContain('--reset');
    }
    await sql("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
    await sql("CREATE TABLE loose (id text COLLATE ci PRIMARY KEY, name text); INSERT INTO loose VALUES ('S-2', 'real')");
    const loose = { loose: { table: 'db.loose', rows: 3, columns: { id: 's-{n}', name: 'Test' } } };
    expect((await failure(seed(dataContext(profile(url, { seed: loose }))))).hint).not.toContain('--reset');
    await sql("INSERT INTO users VALUES ('alice', 'one@test.com')");
    const other = { users: { table: 'db.users', rows: 1, columns: { id: 'user-{n}', email: 'one@test.com' } } };
    const error = await failure(seed(dataContext(profile(url, { seed: other }))));
    expect(error).toMatchObject({ message: '1 row conflicts with existing data; nothing was written' });
    expect(error.hint).not.toContain('--reset');
  });

  test('with seeded rows that were changed name `seed --reset`, which lists them, keeps referenced ones and lets the next seed in', async () => {
    const { url, sql } = await testDatabase(server, `${usersTable} CREATE TABLE cards (id serial, owner text REFERENCES users);`);
    const parts = profile(url, { seed: { users: { ...users, rows: 100 } } });
    await seed(dataContext(parts));
    await sql("UPDATE users SET name = 'Bob' WHERE id IN ('user-3', 'user-4', 'user-5'); INSERT INTO cards (owner) VALUES ('user-4')");
    const refusal = await failure(seed(dataContext(parts)));
    expect(refusal.hint).toContain('loadctl seed --env test --reset');
    const shown: unknown[] = [];
    const refused = resetSeeded(dataContext(parts), async (changed) => {
      shown.push(...changed);
      throw new Error('not confirmed');
    });
    await expect(refused).rejects.toThrow('not confirmed');
    expect(shown).toMatchObject([
      { what: 'users (db.users)', count: 3, examples: [expect.stringContaining('"user-3"'), expect.any(String), expect.any(String)] },
    ]);
    expect(await sql("SELECT count(*)::int FROM users WHERE name = 'Bob'")).toEqual([{ count: 3 }]);
    const context = dataContext(parts);
    await resetSeeded(context, () => Promise.resolve());
    expect(context.events).toContainEqual(expect.objectContaining({ code: 'changed-seed-removed', removed: 2, kept: 1 }));
    expect(await sql("SELECT id FROM users WHERE name = 'Bob'")).toEqual([{ id: 'user-4' }]);
    await sql("DELETE FROM cards; UPDATE users SET name = 'Test' WHERE id = 'user-4'");
    const { stores } = await seed(dataContext(parts));
    expect(stores).toMatchObject([{ created: 2, alreadyThere: 98 }]);
  });
});

describe('stores', () => {
  test('two that reach one table: 112; two in one database are one session of work each', async () => {
    const { url, sql } = await testDatabase(server, `${usersTable} CREATE TABLE carts (id serial, user_id text);`);
    const stores = { db: { kind: 'postgres', url }, shop: { kind: 'postgres', url } };
    const twice: DataProfile = {
      stores,
      cleanup: {
        settle: '20ms',
        rows: [
          { table: 'db.carts', column: 'user_id' },
          { table: 'shop.carts', column: 'user_id' },
        ],
      },
    };
    expect(await failure(cleanup(dataContext(twice), own))).toMatchObject({
      reason: 'refused',
      message: 'the stores db and shop reach one table, carts',
    });
    expect(await failure(seed(dataContext({ ...twice, seed: { users } })))).toMatchObject({ reason: 'refused' });
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
    const both: DataProfile = {
      stores,
      seed: { users },
      cleanup: { settle: '20ms', rows: [{ table: 'shop.carts', column: 'user_id', in: 'users.id' }] },
    };
    await seed(dataContext(both));
    await sql("INSERT INTO carts (user_id) VALUES ('user-1'), ('real')");
    expect((await cleanup(dataContext(both), all)).reasons).toEqual([]);
    expect(await sql('SELECT user_id FROM carts')).toEqual([{ user_id: 'real' }]);
  });

  test('two in one database as two roles, with keys across: each sees to its own tables, and it all goes', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE TABLE orders (id text PRIMARY KEY, user_id text REFERENCES users); CREATE TABLE bookings (id int PRIMARY KEY, user_id text);
       CREATE TABLE notes (booking int REFERENCES bookings, user_id text); INSERT INTO bookings VALUES (1, 'load-test-user-1'), (2, 'alice');
       INSERT INTO notes VALUES (1, 'load-test-user-1'), (2, 'alice'); INSERT INTO users VALUES ('alice', 'real'); INSERT INTO orders VALUES ('real', 'alice');
       CREATE ROLE shopper LOGIN PASSWORD 'pw'; GRANT ALL ON ALL TABLES IN SCHEMA public TO shopper`,
    );
    const parts: DataProfile = {
      stores: {
        db: { kind: 'postgres', url },
        shop: { kind: 'postgres', url: asRole(url, 'shopper', 'pw').replace('127.0.0.1', 'localhost') },
      },
      seed: { users, orders: { table: 'shop.orders', rows: 20, columns: { id: 'o-{n}', user_id: '{users.id}' } } },
      cleanup: {
        settle: '20ms',
        rows: [
          { table: 'db.bookings', column: 'user_id' },
          { table: 'shop.notes', column: 'user_id' },
        ],
      },
    };
    await seed(dataContext(parts));
    const { receipt, reasons } = await cleanup(dataContext(parts), all);
    expect([reasons, receipt.lines]).toEqual([[], []]);
    expect(
      await sql(
        'SELECT id FROM users UNION ALL SELECT id FROM orders UNION ALL SELECT user_id FROM notes UNION ALL SELECT user_id FROM bookings',
      ),
    ).toEqual([{ id: 'alice' }, { id: 'real' }, { id: 'alice' }, { id: 'alice' }]);
  });

  test('a table by one and a part of it by another: 112', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE things (id int, user_id text) PARTITION BY RANGE (id); CREATE TABLE things_0 PARTITION OF things FOR VALUES FROM (0) TO (10);
       CREATE TABLE plain (user_id text); CREATE TABLE heir () INHERITS (plain); INSERT INTO things VALUES (1, 'load-test-user-1')`,
    );
    for (const at of [url, `${url}?application_name=another`]) {
      for (const [whole, part] of [
        ['things', 'things_0'],
        ['plain', 'heir'],
      ]) {
        const rows = [
          { table: `db.${whole}`, column: 'user_id' },
          { table: `shop.${part}`, column: 'user_id' },
        ];
        const stores = { db: { kind: 'postgres', url }, shop: { kind: 'postgres', url: at } };
        expect(await failure(cleanup(dataContext({ stores, cleanup: { settle: '20ms', rows } }), own))).toMatchObject({
          reason: 'refused',
          message: expect.stringMatching(/^the stores (db and shop|shop and db) reach one table/),
        });
      }
    }
    expect(await sql('SELECT id FROM things')).toEqual([{ id: 1 }]);
  });

  test('two in one database with a key across: one order, whichever store a table is of', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE orders (id int PRIMARY KEY, user_id text); CREATE TABLE notes (order_id int REFERENCES orders ON DELETE CASCADE, user_id text);
       INSERT INTO orders SELECT n, 'load-test-user-' || n FROM generate_series(1, 5) n; INSERT INTO notes SELECT n, 'load-test-user-' || n FROM generate_series(1, 5) n; INSERT INTO notes VALUES (NULL, 'real');`,
    );
    const parts: DataProfile = {
      stores: { db: { kind: 'postgres', url }, shop: { kind: 'postgres', url } },
      cleanup: {
        settle: '20ms',
        rows: [
          { table: 'db.orders', column: 'user_id' },
          { table: 'shop.notes', column: 'user_id' },
        ],
      },
    };
    const { receipt, reasons } = await cleanup(dataContext(parts), own);
    expect([reasons, receipt.rows.map(({ store, table, deleted }) => [store, table, deleted])]).toEqual([
      [],
      [
        ['shop', 'notes', 5],
        ['db', 'orders', 5],
      ],
    ]);
    expect(receipt.others.map(({ store, table, after }) => [store, table, after])).toEqual([
      ['shop', 'notes', 1],
      ['db', 'orders', 0],
    ]);
    expect(await sql('SELECT user_id FROM notes')).toEqual([{ user_id: 'real' }]);
  });
});
