import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

/*
 * 2,000 generated cases: a table and columns of any name, and values of any text. What Postgres can store comes back to the
 * letter; what it cannot is refused with words, and nothing of it is written.
 */
const cases = 2000;
const together = 50;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const odd = fc.constantFrom(
  "'",
  '"',
  '""',
  ';',
  '--',
  '/*',
  '\\',
  '\\.',
  '\\N',
  '%',
  '_',
  '$1',
  '$$',
  '.',
  ' ',
  '\t',
  '\n',
  '\r',
  'ü',
  '表',
  '🦄',
  '\u202e',
  '{',
  '}',
  'E',
  'NULL',
);
const reserved = fc.constantFrom(
  'user',
  'select',
  'table',
  'order',
  'group',
  'all',
  'ctid',
  'n',
  't',
  's',
  'g',
  'key',
  'left',
  'row',
  'USER',
  'Select',
);
const word = fc
  .array(fc.oneof(odd, fc.string({ unit: 'grapheme', maxLength: 3 })), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));
/** Up to 55 bytes of anything that may be a name: a number makes it one of its own. */
const name = fc
  .oneof(reserved, word)
  .map((text) => Buffer.from(text.replaceAll('\0', '')).subarray(0, 50).toString().replaceAll('\ufffd', ''));
const value = fc
  .array(
    fc.oneof(
      odd,
      fc.constantFrom('\0', '\ud83e', '\b', '\f', '\v', '\x7f', '\ufeff', '\uffff'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

interface Case {
  readonly table: string;
  readonly column: string;
  readonly value: string;
}

const systemColumns = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'];
const generated = fc
  .sample(fc.record({ table: name, column: name, value }), { numRuns: cases, seed: 20_261_126 })
  .map(({ table, column, value: text }, index): Case => {
    const free = column === '' || systemColumns.includes(column) ? `${column}x` : column;
    return { table: `${table}${index}`, column: free, value: text };
  });

const quoted = pg.escapeIdentifier;
const template = (text: string) => text.replaceAll('{', '{{').replaceAll('}', '}}');
const storable = ({ value: text }: Case) => !text.includes('\0') && !/\p{Surrogate}/u.test(text);
const step = ({ table, column, value: text }: Case) => ({
  table: `db.${quoted(table)}`,
  rows: 1,
  columns: { 'i d': 'load-test-user-{n}', [column]: template(text) },
});

test('any name, and any text that can be stored, comes back to the letter, and is cleaned up again', async () => {
  const good = generated.filter(storable);
  expect(good.length).toBeGreaterThan(cases / 2);
  for (let from = 0; from < good.length; from += together) {
    const some = good.slice(from, from + together);
    const { url, sql } = await testDatabase(server);
    for (const { table, column } of some) await sql(`CREATE TABLE ${quoted(table)} ("i d" text PRIMARY KEY, ${quoted(column)} text)`);
    const rows = some.map(({ table }) => ({ table: `db.${quoted(table)}`, column: 'i d' }));
    const parts = {
      stores: { db: { kind: 'postgres', url } },
      seed: some.map(step),
      cleanup: { settle: '1ms', rows },
      guards: { receipt: 'count' },
    };
    await seed(dataContext(parts));
    for (const { table, column, value: text } of some) {
      expect(await sql(`SELECT "i d", ${quoted(column)} AS value FROM ${quoted(table)}`)).toEqual([
        { 'i d': 'load-test-user-1', value: text },
      ]);
      await sql(`INSERT INTO ${quoted(table)} VALUES ('load_test_user_1'), ('load-test-userX')`);
    }
    const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: false });
    expect([receipt.proven, receipt.rows.map(({ deleted }) => deleted)]).toEqual([true, some.map(() => 1)]);
    for (const { table } of some) expect(await sql(`SELECT count(*)::int FROM ${quoted(table)}`)).toEqual([{ count: 2 }]);
  }
});

test('text that cannot be stored is refused by name, and nothing is written', async () => {
  const bad = generated.filter((one) => !storable(one));
  expect(bad.length).toBeGreaterThan(100);
  const { url, sql } = await testDatabase(server);
  for (const one of bad) {
    await sql(`CREATE TABLE ${quoted(one.table)} ("i d" text PRIMARY KEY, ${quoted(one.column)} text)`);
    const outcome = seed(dataContext({ stores: { db: { kind: 'postgres', url } }, seed: [step(one)] }));
    await expect(outcome).rejects.toMatchObject({
      reason: 'seeding-failed',
      message: expect.stringContaining(`the value of ${one.column} holds a character that Postgres cannot store`),
    });
    expect(await sql(`SELECT count(*)::int FROM ${quoted(one.table)}`)).toEqual([{ count: 0 }]);
  }
});

test('a name that Postgres would cut is another table’s: refused', async () => {
  const long = 'x'.repeat(63);
  const { url, sql } = await testDatabase(server, `CREATE TABLE ${long} (id text PRIMARY KEY)`);
  const longer = { table: `db.${long}y`, rows: 1, columns: { id: '{n}' } };
  await expect(seed(dataContext({ stores: { db: { kind: 'postgres', url } }, seed: [longer] }))).rejects.toMatchObject({
    reason: 'unavailable',
  });
  expect(await sql(`SELECT * FROM ${long}`)).toEqual([]);
});
