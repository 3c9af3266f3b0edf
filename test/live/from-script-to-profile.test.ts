import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { workplace } from '../support/loadctl.js';

/* docs/from-script-to-profile.md, section by section: its schema, its profile, what it says the application writes. */

interface Example {
  readonly title: string;
  /** Blocks by what stands behind their fence: `sql schema`, `yaml`, `redis written`. */
  block(kind: string): string;
}

const page = readFileSync(new URL('../../docs/from-script-to-profile.md', import.meta.url), 'utf8');
const examples = page
  .split(/^## /m)
  .slice(1)
  .map((section): Example => {
    const blocks = new Map([...section.matchAll(/^```([a-z ]+)\n(.*?)^```$/gms)].map(([, kind = '', text = '']) => [kind, text]));
    return { title: section.slice(0, section.indexOf('\n')), block: (kind) => blocks.get(kind) ?? '' };
  });

let postgres: PostgresServer;
let redis: RedisServer;
let client: Redis;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  client = new Redis(redis.url);
});
afterAll(async () => {
  client.disconnect();
  await Promise.all([postgres.stop(), redis.stop()]);
});

async function inRedis(lines: string): Promise<void> {
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const [command = '', ...words] = line.split(' ');
    await client.call(command, ...words);
  }
}

async function keysOf(): Promise<unknown> {
  const keys = (await client.keys('*')).sort();
  return Promise.all(keys.map(async (key) => [key, await client.dump(key)]));
}

/** Everything in the database, whoever's it is. */
async function contentOf(sql: TestDatabase['sql']): Promise<unknown> {
  const tables = await sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1");
  return Promise.all(tables.map(async ({ relname }) => [relname, await sql(`SELECT t::text FROM ${relname} AS t ORDER BY 1`)]));
}

test('the page has five examples', () => {
  expect(examples.map(({ title }) => title)).toEqual([
    'The script and the schema',
    'Customers with UUIDs',
    'Numbers',
    'Ids that the database makes',
    'A queue',
  ]);
});

test('the first profile is whole, and its script is one', async () => {
  const [first] = examples;
  const at = workplace({ 'profiles/dev.yaml': first?.block('yaml') ?? '', 'profiles/shop.js': first?.block('js') ?? '' });
  const { code, stdout, stderr } = await at.loadctl(['plan', '--env', 'dev']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/users\.id[\s\S]*carts/);
});

test.each(examples)('$title', async ({ block }) => {
  await client.flushall();
  const { url, sql } = await testDatabase(postgres, block('sql schema'));
  await inRedis(block('redis schema'));
  const text = block('yaml').replace('${DB_URL}', url).replace('${REDIS_URL}', redis.url).replace('settle: 2s', 'settle: 50ms');
  const { stores, seed: sets, cleanup: entries }: DataProfile = parse(text);
  const parts: DataProfile = {
    stores,
    ...(sets === undefined ? {} : { seed: sets }),
    ...(entries === undefined ? {} : { cleanup: entries }),
  };
  const machine: Machine = {};
  const before = [await contentOf(sql), await keysOf()];
  await seed(dataContext(parts, { machine }));
  const seeded = [await contentOf(sql), await keysOf()];
  await sql(block('sql written'));
  await inRedis(block('redis written'));

  const first = await cleanup(dataContext(parts, { machine }), { dryRun: false, seeded: false });
  expect(first.reasons).toEqual([]);
  expect(first.receipt.rows.some(({ deleted }) => deleted >= 100)).toBe(true);
  expect(first.receipt.lines.every(({ kind }) => kind === 'kept')).toBe(true);
  expect(first.receipt.lines.length).toBeGreaterThan(0);
  const last = await cleanup(dataContext(parts, { machine }), { dryRun: false, seeded: true });
  expect(last.reasons).toEqual([]);
  expect(last.receipt.lines).toEqual([]);
  expect(seeded).not.toEqual(before);
  // Only Bob came meanwhile, and he is nobody's to delete.
  const others = block('sql written').includes("'Bob'") ? [{ name: 'Alice' }, { name: 'Bob' }] : undefined;
  if (others === undefined) expect([await contentOf(sql), await keysOf()]).toEqual(before);
  else {
    expect(await sql('SELECT name FROM customers ORDER BY 1')).toEqual(others);
    expect(await sql('SELECT count(*)::int FROM orders')).toEqual([{ count: 2 }]);
  }
});
