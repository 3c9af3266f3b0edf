import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { pieceReader, type RowSource, render } from '../../src/profile/templates/pieces.js';
import { piecesSql } from '../../src/stores/postgres/rows/made-rows.js';
import { dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const word = fc
  .oneof(fc.constantFrom("'", '\\', '"', '%', 'ü', '🦄', '$1', ' '), fc.string({ maxLength: 4 }))
  .map((text) => text.replace(/[{}|\0]/g, ''));
const part = fc.oneof(
  word,
  fc.constantFrom('{n}', '{n+900000000}', '{n-20}', '{uuid}', '{{', '}}', '{now}', '{users.id}'),
  fc.tuple(fc.maxSafeInteger(), fc.nat(2 ** 40)).map(([low, more]) => `{int:${low % 2 ** 50}..${(low % 2 ** 50) + more}}`),
  fc.array(word, { minLength: 1, maxLength: 4 }).map((options) => `{pick:${options.join('|') || 'x'}}`),
);
const template = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(''));
const source: RowSource = { random: 'x', startedAt: '2026-11-26T10:00:00.000Z', refer: () => ({ value: "u'{n}-{uuid}", rows: 7, source }) };

test('Postgres makes the same text of every template as loadctl', async () => {
  const { sql } = await testDatabase(server);
  const templates = fc.sample(template, { numRuns: 2000, seed: 20_261_126 });
  const reader = pieceReader(source);
  const all = templates.map((text, index) => reader.text(text, `f${index}`));
  for (let from = 0; from < all.length; from += 200) {
    const some = all.slice(from, from + 200);
    const [row = {}] = await sql(
      `SELECT ARRAY[${some.map((pieces) => piecesSql(pieces, 'g.n')).join(', ')}] AS made FROM (SELECT 12::bigint AS n) AS g`,
    );
    expect(row.made).toEqual(some.map((pieces) => render(pieces, 12)));
  }
});

const shop = `CREATE TYPE tier AS ENUM ('gold', 'silver');
  CREATE TABLE users (id uuid PRIMARY KEY, tier tier NOT NULL, tags text[], facts jsonb, born timestamptz, serial int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE orders (id int PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, pieces int NOT NULL, twice int GENERATED ALWAYS AS (pieces * 2) STORED);`;
const users = {
  table: 'db.users',
  rows: 40,
  columns: {
    id: '{uuid}',
    tier: '{pick:gold|silver}',
    tags: ['{pick:a|b}', null, 't{n}'],
    facts: { level: '{int:1..3}', n: null },
    born: '{now}',
  },
};
const orders = { table: 'db.orders', rows: 100, columns: { id: '{n}', user_id: '{users.id}', pieces: '{int:1..100}' } };

function parts({ url }: TestDatabase) {
  return { stores: { db: { kind: 'postgres', url } }, seed: [users, orders] };
}

test('tables that refer to one another are seeded, seeded again without a change, and taken out', async () => {
  const database = await testDatabase(server, shop);
  const machine: Machine = {};
  expect((await seed(dataContext(parts(database), { machine }))).stores.map(({ created }) => created)).toEqual([40, 100]);
  const first = await database.sql('SELECT * FROM users JOIN orders ON orders.user_id = users.id ORDER BY orders.id');
  expect(first).toHaveLength(100);
  expect(new Set(first.map(({ tier }) => tier))).toEqual(new Set(['gold', 'silver']));
  expect(
    (await seed(dataContext(parts(database), { machine }))).stores.map(({ created, alreadyThere }) => [created, alreadyThere]),
  ).toEqual([
    [0, 40],
    [0, 100],
  ]);
  expect(await database.sql('SELECT * FROM users JOIN orders ON orders.user_id = users.id ORDER BY orders.id')).toEqual(first);
  const { receipt } = await cleanup(dataContext(parts(database), { machine }), { dryRun: false, seeded: true });
  expect(receipt.rows.map(({ table, deleted, left }) => [table, deleted, left])).toEqual([
    ['orders', 100, 0],
    ['users', 40, 0],
  ]);
});

test('another random text makes other rows of the same table', async () => {
  const database = await testDatabase(server, shop);
  await seed(dataContext({ ...parts(database), seed: [users] }));
  const more = { ...users, random: 7 };
  expect((await seed(dataContext({ ...parts(database), seed: [more] }))).stores).toMatchObject([{ created: 40 }]);
  expect(await database.sql('SELECT count(*)::int FROM users')).toEqual([{ count: 80 }]);
});

const sharded = 'CREATE TABLE users (id text PRIMARY KEY, name text); CREATE TABLE orders (id text PRIMARY KEY, user_id text);';

test.each([
  ['crc32(id) % 3', "SELECT id FROM users WHERE crc32(convert_to(id, 'UTF8')) % 3 <> $1"],
  ['md5(id) % 3', "SELECT id FROM users WHERE ('x' || left(md5(id), 8))::bit(32)::bigint % 3 <> $1"],
  [{ column: 'id', sql: 'abs(hashtext(key)) % 3' }, 'SELECT id FROM users WHERE abs(hashtext(id)) % 3 <> $1'],
])('rows find their shard by %j, each table by its own column', async (shardBy, elsewhere) => {
  const shards = await Promise.all([0, 1, 2].map(() => testDatabase(server, sharded)));
  const stores = { db: { kind: 'postgres', shards: shards.map(({ url }) => url), shardBy } };
  const seeds = [
    { table: 'db.users', rows: 90, columns: { id: 'user-{n}', name: 'x' } },
    { table: 'db.orders', rows: 200, columns: { id: 'order-{n}', user_id: '{users.id}' }, shardBy: 'user_id' },
  ];
  const report = await seed(dataContext({ stores, seed: seeds }));
  expect(report.stores.filter(({ what }) => what === 'users').reduce((sum, { created }) => sum + created, 0)).toBe(90);
  for (const [shard, { sql }] of shards.entries()) {
    expect((await sql('SELECT count(*)::int FROM users'))[0]?.count).toBeGreaterThan(10);
    expect(await sql(elsewhere, [shard])).toEqual([]);
    expect(await sql('SELECT id FROM orders WHERE user_id NOT IN (SELECT id FROM users)')).toEqual([]);
  }
  expect((await seed(dataContext({ stores, seed: seeds }))).stores.every(({ created }) => created === 0)).toBe(true);
  const { receipt } = await cleanup(dataContext({ stores, seed: seeds }), { dryRun: false, seeded: true });
  expect(receipt.rows.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(290);
  for (const { sql } of shards) expect(await sql('SELECT id FROM users UNION SELECT id FROM orders')).toEqual([]);
});

test.each([
  ['hashtext(key)', /gives -\d+ to \d+, and the shards are 0 to 1/],
  ['nullif(1, 1)', /no shard number for some rows/],
  ['nonsense(key)', /shardBy.sql failed: function nonsense/],
  ['0) FROM users; DROP TABLE users; SELECT (0', /shardBy.sql failed/],
  ['(SELECT 1 FROM pg_advisory_lock(1)), (WITH x AS (DELETE FROM users RETURNING 1) SELECT 1 FROM x)', /shardBy.sql failed/],
])('a rule in SQL that is %s is refused, and changes nothing', async (rule, message) => {
  const shards = await Promise.all([0, 1].map(() => testDatabase(server, `${sharded} INSERT INTO users VALUES ('real', 'x');`)));
  const stores = { db: { kind: 'postgres', shards: shards.map(({ url }) => url), shardBy: { column: 'id', sql: rule } } };
  const step = { table: 'db.users', rows: 20, columns: { id: 'user-{n}', name: 'x' } };
  await expect(seed(dataContext({ stores, seed: [step] }))).rejects.toMatchObject({
    reason: 'invalid-profile',
    message: expect.stringMatching(message),
  });
  for (const { sql } of shards) expect(await sql('SELECT * FROM users')).toEqual([{ id: 'real', name: 'x' }]);
});
