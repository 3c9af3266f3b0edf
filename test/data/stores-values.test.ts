import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\',
        '\\N',
        '\\.',
        '\t',
        '\n',
        '\r',
        '\r\n',
        "'",
        '"',
        '$1',
        '$$',
        ';--',
        '%',
        '_',
        '{',
        '}',
        '{}',
        ',',
        'NULL',
        '\b',
        '\f',
        '\v',
        '\u0001',
        '\u2028',
        '\ufeff',
        '🦄',
        'é',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

const template = (value: string) => value.replaceAll('{', '{{').replaceAll('}', '}}');

test('any text comes back as it was written: from COPY, from SQL, in arrays and in JSON', async () => {
  const values = fc.sample(hostile, { numRuns: 300, seed: 20_261_123 });
  const names = values.map((_, index) => `c${index}`);
  const table = `CREATE TABLE hostile (id text PRIMARY KEY, list text[], document json, ${names.map((name) => `${name} text`).join(', ')})`;
  const { url, sql } = await testDatabase(server, table);
  const columns = {
    id: 'row-{n}',
    list: values.map(template),
    document: { values: values.map(template) },
    ...Object.fromEntries(values.map((value, index) => [`c${index}`, template(value)])),
  };
  const parts = { stores: { db: { kind: 'postgres', url } }, seed: [{ table: 'db.hostile', rows: 3, columns }] };
  await seed(dataContext(parts));
  const [row = {}] = await sql("SELECT * FROM hostile WHERE id = 'row-2'");
  expect(names.map((name) => row[name])).toEqual(values);
  expect(row.list).toEqual(values);
  expect(row.document).toEqual({ values });
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 0, alreadyThere: 3 }]);
  const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
  expect(receipt.rows).toMatchObject([{ deleted: 3, left: 0 }]);
});

test('any prefix deletes what begins with it, and nothing else', async () => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE things (user_id text)');
  const prefixes = fc.sample(hostile, { numRuns: 60, seed: 7 }).map((text) => `load-test${text}`);
  for (const prefix of prefixes) {
    const context = dataContext({ stores: { db: { kind: 'postgres', url } } });
    const rows = [{ store: 'db', table: 'things', column: 'user_id' }];
    Object.assign(context.profile, { cleanup: { prefix, rows, keys: [], settle: 0 } });
    const alike = [prefix.slice(0, -1), prefix.toUpperCase(), ` ${prefix}`, prefix.replace('-', '_')].filter(
      (text) => !text.startsWith(prefix),
    );
    await sql('TRUNCATE things');
    await sql('INSERT INTO things SELECT unnest($1::text[])', [[prefix, `${prefix}-1`, ...alike]]);
    const { receipt } = await cleanup(context, { dryRun: false, seeded: false });
    expect([prefix, receipt.proven, receipt.rows[0]?.deleted]).toEqual([prefix, true, 2]);
    expect(await sql('SELECT count(*)::int FROM things')).toEqual([{ count: alike.length }]);
  }
});
