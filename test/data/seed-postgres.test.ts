import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import type { LoadctlEvent } from '../../src/core/events.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { tableText } from '../../src/profile/words/names.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { asRole, testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const users = { table: 'db.users', rows: 1000, columns: { id: 'user-{n}', email: 'user{n}@test.com', name: 'Test User {n}' } };
const usersTable = 'CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE NOT NULL, name text, created_at timestamptz DEFAULT now());';

function profile(url: string, seedSteps: unknown[], more: Partial<DataProfile> = {}): DataProfile {
  return { stores: { db: { kind: 'postgres', url } }, seed: seedSteps, ...more };
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: LoadctlError) => error,
  );
}

describe('rows', () => {
  test('are created once; seeding again finds them and burns no sequence', async () => {
    const { url, sql } = await testDatabase(server, `${usersTable} ALTER TABLE users ADD number serial;`);
    const first = await seed(dataContext(profile(url, [users])));
    expect(first.stores).toMatchObject([{ store: 'db', shard: null, what: 'users', created: 1000, alreadyThere: 0, conflicts: 0 }]);
    const before = await sql(
      "SELECT md5(string_agg(u::text, E'\\n' ORDER BY id)) AS hash, (SELECT last_value FROM users_number_seq) FROM users u",
    );
    const second = await seed(dataContext(profile(url, [users])));
    expect(second.stores).toMatchObject([{ created: 0, alreadyThere: 1000, conflicts: 0 }]);
    expect(
      await sql("SELECT md5(string_agg(u::text, E'\\n' ORDER BY id)) AS hash, (SELECT last_value FROM users_number_seq) FROM users u"),
    ).toEqual(before);
    expect(await sql("SELECT email, name FROM users WHERE id = 'user-1000'")).toEqual([
      { email: 'user1000@test.com', name: 'Test User 1000' },
    ]);
  });

  test('that a crash left half done are completed', async () => {
    const { url } = await testDatabase(server, `${usersTable} INSERT INTO users VALUES ('user-7', 'user7@test.com', 'Test User 7');`);
    expect((await seed(dataContext(profile(url, [users])))).stores).toMatchObject([{ created: 999, alreadyThere: 1 }]);
  });

  test('with other values, or in the way of a unique value, are conflicts: listed, and nothing is written', async () => {
    const setup = `${usersTable} INSERT INTO users VALUES ('user-3', 'user3@test.com', 'Bob'), ('zoe', 'user9@test.com', 'Zoe');`;
    const { url, sql } = await testDatabase(server, setup);
    const error = await failure(seed(dataContext(profile(url, [users]))));
    expect(error).toMatchObject({ reason: 'seeding-failed' });
    expect(error.lines).toEqual([
      'db: public.users: name differs (1)',
      '  row 3 (id "user-3"): name is "Bob", not "Test User 3"',
      'db: public.users: another row has the same email (1)',
      '  row 9 (email "user9@test.com")',
    ]);
    expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 2 }]);
  });

  test.each([
    ['an expression', 'CREATE UNIQUE INDEX ON users (lower(name))', /duplicate key .*lower\(name\)/],
    ['a part of the table', "CREATE UNIQUE INDEX ON users (lower(name)) WHERE lower(name) = 'test user 12'", /duplicate key/],
    ['an exclusion', 'ALTER TABLE users ADD EXCLUDE USING btree ((lower(name)) WITH =)', /conflicting key value/],
  ])('that a key over %s keeps out are found by the first ones, and none stays', async (_, key, words) => {
    const { url, sql } = await testDatabase(server, `${usersTable} INSERT INTO users VALUES ('tom', 'tom@x', 'TEST USER 12'); ${key}`);
    for (const rows of [1000, 20_000]) {
      const error = await failure(seed(dataContext(profile(url, [{ ...users, rows }]))));
      expect(error).toMatchObject({ reason: 'seeding-failed', hint: expect.stringMatching(/Nothing of this seed is in\.$/) });
      expect(error.lines).toEqual([
        'db: public.users: cannot be inserted as seeded (1)',
        expect.stringMatching(new RegExp(`^ {2}row 12\\d? .*another row is in the way: ${words.source}`)),
      ]);
      expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 1 }]);
    }
  });

  test('are not taken for equal because a collation or a case-insensitive type says so', async () => {
    const setup = `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE users (id text COLLATE blind PRIMARY KEY, email text, name text); INSERT INTO users VALUES ('USER-1', 'user1@test.com', 'Test User 1');`;
    const { url } = await testDatabase(server, setup);
    const error = await failure(seed(dataContext(profile(url, [users]))));
    expect(error.lines).toEqual(['db: public.users: id differs (1)', '  row 1 (id "user-1"): id is "USER-1", not "user-1"']);
  });

  test('keep the type that they have in YAML', async () => {
    const setup = `CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN document AS jsonb;
      CREATE TABLE things (id int PRIMARY KEY, missing text DEFAULT 'x', yes bool, price numeric(10,2), ratio float8, tags text[], grid int[][], doc jsonb, plain json,
        docs jsonb[], dom document, state mood, word varchar(20), stamp timestamptz, raw bytea, place point, span int4range)`;
    const { url, sql } = await testDatabase(server, setup);
    const columns = {
      id: '{n}',
      missing: null,
      yes: true,
      price: 12.5,
      ratio: 0.1,
      tags: ['a,b', 'c"d\\', 'NULL', null, '{n}'],
      grid: [
        [1, 2],
        [3, 4],
      ],
      doc: { id: 'user-{n}', deep: [1, null, { q: '"' }] },
      plain: 'text {n}',
      docs: [{ a: 1 }, 'x'],
      dom: [1, 2],
      state: 'happy',
      word: 5,
      stamp: '2026-01-01T00:00:00Z',
      raw: '\\x00ff',
      place: '(1,2)',
      span: '[1,5)',
    };
    const step = { table: 'db.things', rows: 3, columns };
    const machine: Machine = {};
    for (const created of [3, 0])
      expect((await seed(dataContext(profile(url, [step]), { machine }))).stores).toMatchObject([{ created, alreadyThere: 3 - created }]);
    const [row] = await sql(
      'SELECT *, docs::text AS docs, place::text AS place, raw::text AS raw, stamp::text AS stamp FROM things WHERE id = 2',
    );
    expect(row).toMatchObject({
      id: 2,
      missing: null,
      yes: true,
      price: '12.50',
      ratio: 0.1,
      tags: ['a,b', 'c"d\\', 'NULL', null, '2'],
      grid: [
        [1, 2],
        [3, 4],
      ],
      doc: { id: 'user-2', deep: [1, null, { q: '"' }] },
      plain: 'text 2',
      docs: '{"{\\"a\\": 1}","\\"x\\""}',
      dom: [1, 2],
      state: 'happy',
      word: '5',
      raw: '\\x00ff',
      place: '(1,2)',
      span: '[1,5)',
    });
    const changed = { ...step, columns: { ...columns, place: '(1,3)', plain: 'other' } };
    const error = await failure(seed(dataContext(profile(url, [changed]), { machine })));
    expect(error.lines).toEqual([
      'db: public.things: plain, place differ (3)',
      ...[1, 2, 3].map((n) => `  row ${n} (id "${n}"): plain is "\\"text ${n}\\"", not "\\"other\\""; place is "(1,2)", not "(1,3)"`),
    ]);
  });

  test('reach tables and columns with any name', async () => {
    const setup = `CREATE SCHEMA "we.ird"; CREATE TABLE "we.ird"."select ""x""; DROP TABLE y" ("from" text PRIMARY KEY, "ünï'cödé" text, "a.b" int, n int);
      CREATE TABLE "Dotted.Name" (id text PRIMARY KEY); CREATE SCHEMA app; CREATE TABLE app.things (id text PRIMARY KEY);`;
    const { url, sql } = await testDatabase(server, setup);
    const name = 'select "x"; DROP TABLE y';
    const steps = [
      {
        table: tableText({ store: 'db', schema: 'we.ird', table: name }),
        rows: 2,
        columns: { from: "k'{n}", "ünï'cödé": 'ß{n}', 'a.b': 4, n: 5 },
      },
      { table: 'db."Dotted.Name"', rows: 1, columns: { id: 'x{n}' } },
      { table: 'db.app.things', rows: 1, columns: { id: 'x{n}' } },
    ];
    await seed(dataContext(profile(url, steps)));
    expect((await seed(dataContext(profile(url, steps)))).stores.map(({ alreadyThere }) => alreadyThere)).toEqual([2, 1, 1]);
    expect(await sql(`SELECT * FROM "we.ird"."select ""x""; DROP TABLE y" ORDER BY 1 LIMIT 1`)).toEqual([
      { from: "k'1", "ünï'cödé": 'ß1', 'a.b': 4, n: 5 },
    ]);
  });

  test('that nothing tells apart are refused, whatever is there', async () => {
    const { url, sql } = await testDatabase(
      server,
      "CREATE TABLE log (id serial PRIMARY KEY, line text); INSERT INTO log (line) SELECT 'line ' || n FROM generate_series(1, 300000) n",
    );
    const context = dataContext(profile(url, [{ table: 'db.log', rows: 10, columns: { line: 'line {n}' } }]));
    expect(await failure(seed(context))).toMatchObject({
      reason: 'invalid-profile',
      message: 'db: log (db.log) seeds no unique key of its table, so its rows cannot be found again',
    });
    expect(await sql('SELECT count(*)::int FROM log')).toEqual([{ count: 300_000 }]);
  });

  test('by a key without an index are refused where there are many to look through', async () => {
    const { url, sql } = await testDatabase(
      server,
      "CREATE TABLE notes (id text, line text); INSERT INTO notes SELECT 'x' || n, 'y' FROM generate_series(1, 5000) n",
    );
    const parts = profile(url, [{ table: 'db.notes', key: 'id', rows: 5, columns: { id: 'n{n}', line: 'same' } }]);
    const error = await failure(seed(dataContext(parts)));
    expect(error).toMatchObject({
      reason: 'invalid-profile',
      hint: expect.stringMatching(/CREATE INDEX CONCURRENTLY ON "public"\."notes" \("id"\);/),
    });
    await sql('CREATE INDEX ON notes (id)');
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 5, alreadyThere: 0 }]);
  });

  test('by a key without an index in a long table that inherits are refused: each would be looked for in all of it', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE TABLE "Old" () INHERITS (users); INSERT INTO "Old" SELECT 'x' || n, 'y' || n FROM generate_series(1, 5000) n;`,
    );
    const parts = profile(url, [users]);
    expect(await failure(seed(dataContext(parts)))).toMatchObject({
      reason: 'invalid-profile',
      message: expect.stringContaining('has no index in public."Old", which inherits from public.users'),
      hint: 'Create it: CREATE INDEX CONCURRENTLY ON public."Old" ("id");',
    });
    await sql('CREATE INDEX ON "Old" (id)');
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 1000, alreadyThere: 0 }]);
  });

  test('by a key that nothing in the table makes unique are there once, however often they are seeded', async () => {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE notes (id text, line text)');
    const parts = profile(url, [{ table: 'db.notes', key: 'id', rows: 5, columns: { id: 'n{n}', line: 'same' } }]);
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 5, alreadyThere: 0 }]);
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 0, alreadyThere: 5 }]);
    expect(await sql('SELECT count(*)::int FROM notes')).toEqual([{ count: 5 }]);
  });

  test('of fixed length are as long as their column says, in arrays and behind domains, too', async () => {
    const { url } = await testDatabase(
      server,
      'CREATE DOMAIN word AS char(4); CREATE DOMAIN words AS char(4)[]; CREATE TABLE t (id varchar(9) PRIMARY KEY, one word, many char(4)[], more words, other word[], bits bit(3))',
    );
    const columns = { id: 'user-{n}', one: 'a', many: ['a'], more: ['a'], other: ['a'], bits: '101' };
    const parts = profile(url, [{ table: 'db.t', rows: 3, columns }]);
    for (const created of [3, 0]) expect((await seed(dataContext(parts))).stores).toMatchObject([{ created }]);
    expect((await cleanup(dataContext(parts), { dryRun: false, seeded: true })).receipt.lines).toEqual([]);
  });

  test('of a domain over an enum are held against what is there', async () => {
    const { url } = await testDatabase(
      server,
      "CREATE TYPE mood AS ENUM ('ok', 'bad'); CREATE DOMAIN shown AS mood; CREATE TABLE moods (id int PRIMARY KEY, mood shown); CREATE TABLE keyed (id int, mood shown, PRIMARY KEY (id, mood));",
    );
    const parts = (mood: string, table = 'moods') => profile(url, [{ table: `db.${table}`, rows: 2, columns: { id: '{n}', mood } }]);
    const machine: Machine = {};
    for (const created of [2, 0]) expect((await seed(dataContext(parts('ok'), { machine }))).stores).toMatchObject([{ created }]);
    for (const created of [2, 0]) expect((await seed(dataContext(parts('ok', 'keyed'), { machine }))).stores).toMatchObject([{ created }]);
    expect((await failure(seed(dataContext(parts('bad'), { machine })))).lines[1]).toMatch(/mood is "ok", not "bad"/);
  });

  test('go into partitioned tables, identity columns and tables with late constraints', async () => {
    const setup = `CREATE TABLE parts (id int, day date, name text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
      CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE ids (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, twice int GENERATED ALWAYS AS (id * 2) STORED);
      CREATE TABLE late (id int PRIMARY KEY, slot int UNIQUE DEFERRABLE INITIALLY DEFERRED, parent int REFERENCES late DEFERRABLE INITIALLY DEFERRED);`;
    const { url, sql } = await testDatabase(server, setup);
    const steps = [
      { table: 'db.parts', rows: 3, columns: { id: '{n}', day: '2026-01-05', name: 'x' } },
      { table: 'db.ids', rows: 3, columns: { id: '{n+2000000}', name: 'x' } },
      { table: 'db.late', rows: 3, columns: { id: '{n}', slot: '{n}', parent: '{n}' } },
    ];
    const machine: Machine = {};
    for (const created of [3, 0])
      expect((await seed(dataContext(profile(url, steps), { machine }))).stores.map((one) => one.created)).toEqual([
        created,
        created,
        created,
      ]);
    expect(await sql('SELECT twice FROM ids ORDER BY 1')).toEqual([{ twice: 4_000_002 }, { twice: 4_000_004 }, { twice: 4_000_006 }]);
    const generated = await failure(seed(dataContext(profile(url, [{ table: 'db.ids', rows: 1, columns: { twice: 2 } }]))));
    expect(generated).toMatchObject({ reason: 'invalid-profile' });
    const dangling = await failure(seed(dataContext(profile(url, [{ table: 'db.late', rows: 1, columns: { id: 9, parent: 99 } }]))));
    expect(dangling).toMatchObject({ reason: 'seeding-failed' });
    const shadowed = [{ table: 'db.late', rows: 1, columns: { id: 9, slot: 2 } }];
    expect(await failure(seed(dataContext(profile(url, shadowed), { machine })))).toMatchObject({ reason: 'seeding-failed' });
  });

  test('may reference each other in the listed order', async () => {
    const { url } = await testDatabase(server, `${usersTable} CREATE TABLE accounts (id text PRIMARY KEY, owner text REFERENCES users);`);
    const accounts = { table: 'db.accounts', rows: 10, columns: { id: 'a{n}', owner: 'user-{n}' } };
    await seed(dataContext(profile(url, [users, accounts])));
    const other = await testDatabase(server, `${usersTable} CREATE TABLE accounts (id text PRIMARY KEY, owner text REFERENCES users);`);
    expect(await failure(seed(dataContext(profile(other.url, [accounts, users]))))).toMatchObject({
      reason: 'seeding-failed',
      hint: expect.stringMatching(/^Seed the rows that it references first/),
    });
  });

  test('that a trigger changes as the transaction ends fail the seed, and none is left', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET name = upper(name) WHERE id = NEW.id; RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER late AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();`,
    );
    const error = await failure(seed(dataContext(profile(url, [users]))));
    expect(error.lines?.[0]).toMatch(/name differs from what this seed wrote: a trigger/);
    expect(await sql('SELECT * FROM users')).toEqual([]);
  });

  test('that a trigger or row-level security swallows or changes fail the seed', async () => {
    const trigger = (body: string) => `${usersTable} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
      CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();`;
    const swallowing = await testDatabase(server, trigger(`IF NEW.id = 'user-5' THEN RETURN NULL; END IF; RETURN NEW;`));
    const swallowed = await failure(seed(dataContext(profile(swallowing.url, [users]))));
    expect(swallowed.lines).toEqual([expect.stringMatching(/cannot be inserted as seeded/), expect.stringMatching(/row 5 .*discarded it/)]);
    expect(await swallowing.sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
    const changing = await testDatabase(server, trigger(`NEW.name := upper(NEW.name); RETURN NEW;`));
    expect((await failure(seed(dataContext(profile(changing.url, [{ ...users, rows: 1 }]))))).lines).toEqual([
      expect.stringMatching(/name differs from what this seed wrote: a trigger/),
      '  row 1 (id "user-1"): name is "TEST USER 1", not "Test User 1"',
    ]);
    const secured = await testDatabase(
      server,
      `${usersTable} CREATE ROLE guarded LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT ON users TO guarded; ALTER TABLE users ENABLE ROW LEVEL SECURITY;
       CREATE POLICY p ON users TO guarded USING (id <> 'user-2') WITH CHECK (true); INSERT INTO users VALUES ('user-2', 'x', 'y');`,
    );
    const hidden = await failure(seed(dataContext(profile(asRole(secured.url, 'guarded', 'pw'), [users]))));
    expect(hidden).toMatchObject({
      reason: 'seeding-failed',
      lines: [expect.stringMatching(/as seeded/), expect.stringMatching(/row 2 .*another row is in the way/)],
    });
  });
});

describe('what cannot be seeded says so in one line', () => {
  test.each([
    ['varchar(6)', 'user-9{n}', 'too long'],
    ['cut', 'user-9{n}', 'too long'],
    ['varchar(6)[]', ['user-9{n}'], 'too long'],
    ['cuts', ['user-9{n}'], 'too long'],
    ['bit(3)[]', ['10{n}1'], 'does not match'],
  ])('a text that %s would have to cut: a row of others that equals what is left of it stays', async (type, value, why) => {
    const key = Array.isArray(value) ? 'id text PRIMARY KEY, value' : 'id';
    const setup = `CREATE DOMAIN cut AS varchar(6); CREATE DOMAIN cuts AS varchar(6)[]; CREATE TABLE t (${key} ${type}${Array.isArray(value) ? '' : ' PRIMARY KEY'});`;
    const { url, sql } = await testDatabase(server, Array.isArray(value) ? setup : `${setup} INSERT INTO t VALUES ('user-9');`);
    const columns = Array.isArray(value) ? { id: 'user-{n}', value } : { id: value };
    const parts = profile(url, [{ table: 'db.t', rows: 3, columns }]);
    const before = await sql('SELECT * FROM t');
    expect(await failure(seed(dataContext(parts)))).toMatchObject({ reason: 'seeding-failed', message: expect.stringContaining(why) });
    await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect(await sql('SELECT * FROM t')).toEqual(before);
  });

  test.each([
    [{ id: 'x', nope: 1 }, 'unavailable', /has no column nope/],
    [{ id: 'a\u0000b' }, 'seeding-failed', /cannot store/],
    [{ id: 'x', email: null }, 'seeding-failed', /null value in column "email"/],
    [{ id: 'x', email: 'e', created_at: 'never' }, 'seeding-failed', /invalid input syntax/],
  ])('%j', async (columns, reason, message) => {
    const { url } = await testDatabase(server, usersTable);
    const error = await failure(seed(dataContext(profile(url, [{ table: 'db.users', rows: 1, columns }]))));
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message), hint: expect.any(String) });
  });

  test('a missing table, a view', async () => {
    const { url } = await testDatabase(server, 'CREATE VIEW users AS SELECT 1 AS id');
    expect((await failure(seed(dataContext(profile(url, [{ ...users, table: 'db.user' }]))))).message).toMatch(
      /no table user in the database test\d+ \(searched public\)/,
    );
    expect((await failure(seed(dataContext(profile(url, [users]))))).message).toMatch(/not a table/);
  });

  test('a value that is too large for its index', async () => {
    const { url } = await testDatabase(server, usersTable);
    const email = Array.from({ length: 4000 }, (_, n) => Math.sin(n)).join('');
    const huge = { ...users, rows: 1, columns: { ...users.columns, email } };
    expect(await failure(seed(dataContext(profile(url, [huge]))))).toMatchObject({
      reason: 'seeding-failed',
      message: expect.stringMatching(/users rejected the seed: index row/),
    });
  });

  test('a missing permission names the GRANT', async () => {
    const { url } = await testDatabase(server, `${usersTable} CREATE ROLE reader LOGIN PASSWORD 'pw'; GRANT SELECT ON users TO reader;`);
    const error = await failure(seed(dataContext(profile(asRole(url, 'reader', 'pw'), [users]))));
    expect(error).toMatchObject({ reason: 'unavailable', hint: 'As the owner, run: GRANT INSERT ON "public"."users" TO "reader";' });
  });
});

test('an interrupted seed says what is in, and leaves no session behind', async () => {
  const { url, sql } = await testDatabase(server, `${usersTable} INSERT INTO users VALUES ('user-7', 'user7@test.com', 'Test User 7');`);
  const parts = profile(url, [{ ...users, rows: 60_000 }]);
  const interruptedAt = async (moment: (event: LoadctlEvent) => boolean) => {
    const controller = new AbortController();
    const context = dataContext(parts, { signal: controller.signal });
    const emit: typeof context.emit = (event) => void (moment(event) && controller.abort());
    const error = await failure(seed({ ...context, emit }));
    await expect
      .poll(() => sql("SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'loadctl/%'"))
      .toEqual([{ count: 0 }]);
    return error;
  };
  expect(await interruptedAt(({ type }) => type === 'phase-started')).toMatchObject({
    reason: 'interrupted',
    message: 'seeding was interrupted; nothing was written',
  });
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 1 }]);
  for (const limit of [1000, 20_000]) {
    const error = await interruptedAt((event) => event.type === 'step-progressed' && event.done > limit);
    const [{ count } = {}] = await sql('SELECT count(*)::int FROM users');
    expect(error).toMatchObject({
      reason: 'interrupted',
      message: `seeding was interrupted; ${Number(count).toLocaleString('en-US')} of 60,000 rows are in`,
      hint: 'The same command resumes from there.',
    });
  }
});

test('a value that its column cannot hold is told with table and column, many rows or few', async () => {
  const { url, sql } = await testDatabase(server, "CREATE TYPE tier AS ENUM ('gold'); CREATE TABLE people (id int PRIMARY KEY, tier tier)");
  await sql("INSERT INTO people VALUES (-1, 'gold')");
  for (const rows of [3, 30_000]) {
    const wrong = { table: 'db.people', rows, columns: { id: '{n}', tier: 'platinum' } };
    expect(await failure(seed(dataContext(profile(url, [wrong]))))).toMatchObject({
      reason: 'seeding-failed',
      message: expect.stringMatching(
        /^db: public\.people rejected the seed: invalid input value for enum tier: "platinum" \(column tier\)$/,
      ),
    });
    const noNumber = { table: 'db.people', rows, columns: { id: 'x{n}' } };
    expect(await failure(seed(dataContext(profile(url, [noNumber]))))).toMatchObject({
      reason: 'seeding-failed',
      message: expect.stringMatching(/invalid input syntax for type integer: "x1" \(column id\)$/),
    });
  }
});

test('a row of a table that inherits is in the way, not there: nothing references it, and no constraint sees it', async () => {
  const { url, sql } = await testDatabase(
    server,
    `${usersTable} CREATE TABLE vips () INHERITS (users); INSERT INTO vips VALUES ('user-3', 'user3@test.com', 'Test User 3'), ('vip', 'user5@test.com', 'Vip');
     CREATE TABLE orders (id text PRIMARY KEY, owner text REFERENCES users);`,
  );
  const orders = { table: 'db.orders', rows: 10, columns: { id: 'o-{n}', owner: 'user-{n}' } };
  const error = await failure(seed(dataContext(profile(url, [{ ...users, rows: 10 }, orders]))));
  expect(error).toMatchObject({ message: '1 row conflicts with existing data; nothing was written' });
  expect(error.lines).toEqual(['db: public.users: a row of a table that inherits from it has the same id (1)', '  row 3 (id "user-3")']);
  await sql("DELETE FROM vips WHERE id = 'user-3'");
  expect((await seed(dataContext(profile(url, [{ ...users, rows: 10 }, orders])))).stores).toMatchObject([
    { created: 10 },
    { created: 10 },
  ]);
  expect((await seed(dataContext(profile(url, [{ ...users, rows: 10 }, orders])))).stores).toMatchObject([
    { alreadyThere: 10 },
    { alreadyThere: 10 },
  ]);
});

test('rows that conflict are what is told, not that others cannot refer to them', async () => {
  const { url, sql } = await testDatabase(
    server,
    'CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE); CREATE TABLE homes (owner text PRIMARY KEY REFERENCES users)',
  );
  await sql("INSERT INTO users VALUES ('real', 'user2@test')");
  const steps = [
    { table: 'db.users', rows: 3, columns: { id: 'user-{n}', email: 'user{n}@test' } },
    { table: 'db.homes', rows: 3, columns: { owner: '{users.id}' } },
  ];
  expect(await failure(seed(dataContext(profile(url, steps))))).toMatchObject({
    reason: 'seeding-failed',
    message: '1 row conflicts with existing data; nothing was written',
  });
});

test('an interrupted seed of many new rows keeps what is in, and the next one goes on from there', async () => {
  const { url, sql } = await testDatabase(server, usersTable);
  const controller = new AbortController();
  const parts = profile(url, [{ ...users, rows: 500_000 }]);
  const error = await failure(
    seed({
      ...dataContext(parts, { signal: controller.signal }),
      emit: (event) => {
        if (event.type === 'step-progressed' && event.done > 30_000) controller.abort();
      },
    }),
  );
  expect(error).toMatchObject({ reason: 'interrupted', hint: 'The same command resumes from there.' });
  // What was cancelled may still be ending.
  await expect.poll(() => sql("SELECT FROM pg_stat_activity WHERE application_name LIKE 'loadctl/%'")).toEqual([]);
  const [{ count } = {}] = await sql('SELECT count(*)::int FROM users');
  const [, said = ''] = /^seeding was interrupted; ([\d,]+) of 500,000 rows are in$/.exec(error.message) ?? [];
  expect(Number(said.replaceAll(',', ''))).toBe(count);
  expect(Number(count)).toBeGreaterThan(30_000);
  expect(Number(count)).toBeLessThan(500_000);
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 500_000 - Number(count), alreadyThere: count }]);
  expect(await sql("SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM users WHERE name LIKE 'Test User %'")).toEqual([
    { count: 500_000, ids: 500_000 },
  ]);
});

test('many new rows that the server refuses halfway are taken back', async () => {
  const { url, sql } = await testDatabase(server, `${usersTable} ALTER TABLE users ADD CHECK (id <> 'user-70000');`);
  const error = await failure(seed(dataContext(profile(url, [{ ...users, rows: 100_000 }]))));
  expect(error).toMatchObject({ reason: 'seeding-failed' });
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
});

test('a store that is refused halfway leaves nothing in any other', async () => {
  const few = await testDatabase(server, usersTable);
  const many = await testDatabase(server, 'CREATE TABLE codes (id int PRIMARY KEY CHECK (id < 119000))');
  const stores = { a: { kind: 'postgres', url: few.url }, b: { kind: 'postgres', url: many.url } };
  const codes = { table: 'b.codes', rows: 120_000, columns: { id: '{n}' } };
  expect(await failure(seed(dataContext({ stores, seed: [{ ...users, table: 'a.users' }, codes] })))).toMatchObject({
    reason: 'seeding-failed',
  });
  expect(await few.sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
  expect(await many.sql('SELECT count(*)::int FROM codes')).toEqual([{ count: 0 }]);
});

test('rows that cannot be taken back are told', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE TABLE codes (id int PRIMARY KEY CHECK (id < 119000)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
     CREATE TRIGGER t BEFORE DELETE ON codes FOR EACH ROW EXECUTE FUNCTION f();`,
  );
  const context = dataContext(profile(url, [{ table: 'db.codes', rows: 120_000, columns: { id: '{n}' } }]));
  const error = await failure(seed(context));
  expect(error).toMatchObject({ reason: 'seeding-failed' });
  expect(context.events).toContainEqual({
    type: 'warned',
    code: 'seed-not-taken-back',
    place: { store: 'db', shard: null },
    what: 'codes',
    why: expect.stringMatching(/^[\d,]+ rows are left$/),
    command: 'loadctl cleanup --env test --seeded',
  });
  expect(error.message).toMatch(/rejected the seed: .*; [\d,]+ of 120,000 rows are in$/);
});

test('a role that may not delete seeds as much as one transaction writes, and is asked to be let delete for more', async () => {
  const { url, sql } = await testDatabase(
    server,
    "CREATE TABLE codes (id int PRIMARY KEY CHECK (id < 7000)); CREATE ROLE writer LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT ON codes TO writer;",
  );
  const codes = (rows: number, plus = 0) =>
    profile(asRole(url, 'writer', 'pw'), [{ table: 'db.codes', rows, columns: { id: plus === 0 ? '{n}' : `{n+${plus}}` } }]);
  expect(await failure(seed(dataContext(codes(6000))))).toMatchObject({
    reason: 'unavailable',
    hint: expect.stringContaining('GRANT DELETE ON "public"."codes" TO "writer";'),
  });
  expect(await failure(seed(dataContext(codes(5000, 5000))))).toMatchObject({ reason: 'seeding-failed' });
  expect(await sql('SELECT count(*)::int FROM codes')).toEqual([{ count: 0 }]);
  await seed(dataContext(codes(5000)));
  expect(await sql('SELECT count(*)::int FROM codes')).toEqual([{ count: 5000 }]);
});

test('many new rows may refer to rows of their own table that come before them', async () => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff)');
  const rows = 60_000;
  await seed(dataContext(profile(url, [{ table: 'db.staff', rows, columns: { id: '{n}', boss: 1 } }])));
  expect(await sql('SELECT count(*)::int AS staff FROM staff')).toEqual([{ staff: rows }]);
});

test('rows may refer to a table further down where that is looked at late, as many as one transaction writes', async () => {
  const { url, sql } = await testDatabase(
    server,
    'CREATE TABLE cars (id text PRIMARY KEY); CREATE TABLE trips (id text PRIMARY KEY, car text REFERENCES cars DEFERRABLE INITIALLY DEFERRED)',
  );
  const steps = (rows: number) => [
    { table: 'db.trips', rows, columns: { id: 'trip-{n}', car: 'car-{n}' } },
    { table: 'db.cars', rows, columns: { id: 'car-{n}' } },
  ];
  const refused = await failure(seed(dataContext(profile(url, steps(2501)))));
  expect(refused).toMatchObject({
    reason: 'invalid-profile',
    message: 'db: trips (db.trips) references cars (db.cars), which comes after it, and there are more than 5,000 rows to write',
  });
  const fitting = profile(url, steps(2500), { cleanup: { settle: '10ms' } });
  await seed(dataContext(fitting));
  const both = 'SELECT (SELECT count(*)::int FROM cars) AS cars, (SELECT count(*)::int FROM trips) AS trips';
  expect(await sql(both)).toEqual([{ cars: 2500, trips: 2500 }]);
  const { reasons } = await cleanup(dataContext(fitting), { dryRun: false, seeded: true });
  expect([reasons, await sql(both)]).toEqual([[], [{ cars: 0, trips: 0 }]]);
});

test.each(['CASCADE', 'NO ACTION'])(
  'rows that reference each other in a ring (%s) could not be removed: 112, until one column is left out',
  async (action) => {
    const key = (to: string) => `int REFERENCES ${to} ON DELETE ${action} DEFERRABLE INITIALLY DEFERRED`;
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE c (id int PRIMARY KEY, a ${key('a')}); CREATE TABLE b (id int PRIMARY KEY, c ${key('c')});
     ALTER TABLE a ADD CONSTRAINT a_b_fkey FOREIGN KEY (b) REFERENCES b ON DELETE ${action} DEFERRABLE INITIALLY DEFERRED;`,
    );
    const ring = (columns: object) => [
      { table: 'db.a', rows: 10, columns: { id: '{n+900000}', ...columns } },
      { table: 'db.c', rows: 10, columns: { id: '{n+900000}', a: '{n+900000}' } },
      { table: 'db.b', rows: 10, columns: { id: '{n+900000}', c: '{n+900000}' } },
    ];
    const machine: Machine = {};
    const refused = await failure(seed(dataContext(profile(url, ring({ b: '{n+900000}' })), { machine })));
    expect(refused).toMatchObject({ reason: 'refused', hint: 'Leave one of these columns out of the seed: a.b; b.c; c.a.' });
    expect(refused.lines).toEqual([
      '  a (db.a) references b (db.b) by b (a_b_fkey)',
      '  b (db.b) references c (db.c) by c (b_c_fkey)',
      '  c (db.c) references a (db.a) by a (c_a_fkey)',
    ]);
    expect(await sql('SELECT FROM a')).toEqual([]);
    const open = profile(url, ring({}), { cleanup: { settle: '10ms' } });
    await seed(dataContext(open, { machine }));
    const { reasons } = await cleanup(dataContext(open, { machine }), { dryRun: false, seeded: true });
    expect([reasons, await sql('SELECT FROM a')]).toEqual([[], []]);
  },
);

test('time limits that a role has for other people’s queries end no connection of the seed', async () => {
  const { url, sql } = await testDatabase(
    server,
    `CREATE TABLE slow (id int PRIMARY KEY, word text); CREATE ROLE hasty LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT, DELETE ON slow TO hasty;
     ALTER ROLE hasty SET statement_timeout = '100ms'; ALTER ROLE hasty SET transaction_timeout = '100ms'; ALTER ROLE hasty SET idle_session_timeout = '500ms';
     CREATE FUNCTION takes_time(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN length(md5(md5(md5($1)))) > 0; END $$;
     ALTER TABLE slow ADD CHECK (takes_time(word));`,
  );
  const steps = [{ table: 'db.slow', rows: 120_000, columns: { id: '{n}', word: 'w{n}' } }];
  await seed(dataContext(profile(asRole(url, 'hasty', 'pw'), steps)));
  expect(await sql('SELECT count(*)::int FROM slow')).toEqual([{ count: 120_000 }]);
});

test('shards are filled by the trailing digits of the key, all of them or none', async () => {
  const shards = await Promise.all([0, 1, 2, 3].map(() => testDatabase(server, usersTable)));
  const stores = { db: { kind: 'postgres', shards: shards.map(({ url }) => url), shardBy: 'id % 4' } };
  await shards[2]?.sql("INSERT INTO users VALUES ('user-6', 'x', 'y')");
  expect((await failure(seed(dataContext({ stores, seed: [users] })))).lines).toEqual([
    'db shard 2: public.users: email, name differ (1)',
    expect.stringMatching(/^ {2}row 6 /),
  ]);
  for (const shard of shards) expect(await shard.sql("SELECT count(*)::int FROM users WHERE id <> 'user-6'")).toEqual([{ count: 0 }]);
  await shards[2]?.sql('DELETE FROM users');
  const report = await seed(dataContext({ stores, seed: [users] }));
  expect(report.stores.map(({ shard, created }) => [shard, created])).toEqual([
    [0, 250],
    [1, 250],
    [2, 250],
    [3, 250],
  ]);
  expect(await shards[3]?.sql('SELECT id FROM users ORDER BY length(id), id LIMIT 2')).toEqual([{ id: 'user-3' }, { id: 'user-7' }]);
  const nothing = { ...users, columns: { ...users.columns, id: 'user-{n}x' } };
  expect((await failure(seed(dataContext({ stores, seed: [nothing] })))).message).toMatch(/does not end in digits/);
  const uneven = { db: { ...stores.db, shardBy: 'id % 3' } };
  expect(await failure(seed(dataContext({ stores: uneven, seed: [users] })))).toMatchObject({ reason: 'invalid-profile' });
});

test('rows of everybody else are counted before the test', async () => {
  const { url } = await testDatabase(
    server,
    `${usersTable} INSERT INTO users SELECT 'real-' || n, n, 'x' FROM generate_series(1, 10) n;
    CREATE TABLE reservations (id serial, user_id text); INSERT INTO reservations (user_id) VALUES ('load-test-user-1'), ('real-1'), (null);`,
  );
  const cleanup = { prefix: 'load-test-user-', rows: [{ table: 'db.reservations', column: 'user_id' }] };
  const report = await seed(dataContext(profile(url, [{ ...users, rows: 50_000 }], { cleanup })));
  expect(report.before?.others).toEqual([
    { store: 'db', shard: null, table: 'reservations', rows: 2 },
    { store: 'db', shard: null, table: 'users', rows: 10 },
  ]);
  expect(report.stores[0]?.rowsPerSecond).toBeGreaterThan(5000);
});

describe('what a failed seed takes back leaves others alone', () => {
  const small = { table: 'db.small', rows: 30, columns: { id: 's-{n}', n: '{n}' } };
  const smallTable = 'CREATE TABLE small (id text PRIMARY KEY, n int CHECK (n <> 5));';

  /** Seeds 6,000 rows and then some of which the 5th, which is not among those that are tried, is refused; somebody writes between the two. */
  async function failAfter(url: string, first: object, between: () => Promise<unknown>): Promise<LoadctlError> {
    const context = dataContext(profile(url, [first, small]));
    let written: Promise<unknown> | undefined;
    const emit = (event: LoadctlEvent) => {
      context.emit(event);
      if (event.type === 'step-finished' && event.result === 'seeded') written ??= between();
    };
    const error = await failure(seed({ ...context, emit }));
    await written;
    return error;
  }

  test('who wrote the same row, of a key that need not be unique', async () => {
    const { url, sql } = await testDatabase(
      server,
      `CREATE TABLE events (kind text, note text); CREATE INDEX ON events (kind); ${smallTable}`,
    );
    const events = { table: 'db.events', rows: 6000, key: 'kind', columns: { kind: 'k-{n}' } };
    await failAfter(url, events, () => sql("INSERT INTO events VALUES ('k-7', 'alice')"));
    expect(await sql('SELECT kind, note FROM events ORDER BY note')).toEqual([
      { kind: 'k-7', note: 'alice' },
      { kind: 'k-7', note: null },
    ]);
  });

  test('who references one by CASCADE, in a table whose rows are hidden from the role: nothing goes, and that is told', async () => {
    const { url, sql } = await testDatabase(
      server,
      `${usersTable} CREATE TABLE notes (user_id text REFERENCES users ON DELETE CASCADE, note text); CREATE INDEX ON notes (user_id); ${smallTable}
       CREATE ROLE unseeing LOGIN PASSWORD 'pw'; GRANT ALL ON ALL TABLES IN SCHEMA public TO unseeing; GRANT CREATE ON SCHEMA public TO unseeing;
       ALTER TABLE notes ENABLE ROW LEVEL SECURITY;`,
    );
    const many = { ...users, rows: 6000 };
    const error = await failAfter(asRole(url, 'unseeing', 'pw'), many, () => sql("INSERT INTO notes VALUES ('user-7', 'alice')"));
    expect(error.message).toMatch(/6,000 of 6,030 rows are in/);
    expect(await sql('SELECT note FROM notes')).toEqual([{ note: 'alice' }]);
  });
});
