import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { asRole, type TestDatabase, testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';

let postgres: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()]);
});

/** A shop that nobody made with loadctl in mind. */
const shop = `
CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent');
CREATE DOMAIN mail AS text CHECK (VALUE ~ '^[^@ ]+@[^@ ]+[.][a-z]+$');
CREATE TABLE countries (code char(2) PRIMARY KEY CHECK (code = upper(code)), name text NOT NULL UNIQUE);
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email mail NOT NULL UNIQUE,
  country char(2) NOT NULL REFERENCES countries,
  tier text NOT NULL CHECK (tier IN ('gold', 'silver')),
  credit numeric(6,2) NOT NULL CHECK (credit >= 250 AND credit < 1000),
  favourite order_status NOT NULL,
  settings jsonb NOT NULL,
  tags text[] NOT NULL,
  born date,
  referred_by bigint REFERENCES customers,
  created_at timestamptz NOT NULL DEFAULT now(),
  label text GENERATED ALWAYS AS ('customer ' || tier) STORED);
CREATE TABLE products (sku text PRIMARY KEY, price numeric(8,2) NOT NULL CHECK (price > 0));
CREATE TABLE orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_id bigint NOT NULL REFERENCES customers,
  paid_by bigint REFERENCES customers,
  status order_status NOT NULL DEFAULT 'new',
  placed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "Order Items" (
  order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
  line smallint NOT NULL,
  sku text NOT NULL REFERENCES products,
  quantity int NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, line));
CREATE TABLE audit (id bigserial PRIMARY KEY, what text);
INSERT INTO countries VALUES ('DE', 'Germany');
INSERT INTO customers (email, country, tier, credit, favourite, settings, tags) VALUES ('alice@example.com', 'DE', 'gold', 300, 'new', '{"a": 1}', '{x}');
INSERT INTO products VALUES ('A-1', 9.5), ('B-2', 1);
INSERT INTO orders (customer_id) SELECT id FROM customers;
INSERT INTO "Order Items" SELECT id, 1, 'B-2', 3 FROM orders;
`;

const script = `import http from 'k6/http';
import { check, sleep } from 'k6';
export const options = {
  scenarios: {
    browse: { executor: 'constant-vus', vus: 3, duration: '4s', exec: 'browse' },
    buy: { executor: 'per-vu-iterations', vus: 2, iterations: 6, maxDuration: '20s', exec: 'buy' },
  },
  thresholds: { http_req_duration: ['p(95)<1500', 'p(99)<4000'], http_req_failed: [{ threshold: 'rate<0.01', abortOnFail: false }], checks: ['rate>0.9'] },
};
const customer = () => 900000001 + Math.floor(Math.random() * 80);
export function browse() {
  check(http.get(__ENV.BASE_URL + '/orders?customer=' + customer(), { tags: { name: 'GET /orders' } }), { ok: (r) => r.status === 200 });
  sleep(0.2);
}
export function buy() {
  check(http.post(__ENV.BASE_URL + '/orders?customer=' + customer(), null, { tags: { name: 'POST /orders' } }), { ok: (r) => r.status === 201 });
  sleep(0.1);
}
`;

/** The shop's service: it writes orders of its customers, and a session of each into the cache. */
async function startShop(databaseUrl: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  const cache = new Redis(redis.url);
  const order = async (customer: string) => {
    const made = await pool.query('INSERT INTO orders (customer_id, paid_by) VALUES ($1, $1) RETURNING id', [customer]);
    await pool.query(`INSERT INTO "Order Items" VALUES ($1, 1, 'A-1', 2)`, [made.rows[0].id]);
    await cache.set(`session:load-test-user-${customer}`, made.rows[0].id);
  };
  const server = createServer((request, response) => {
    const customer = new URL(request.url ?? '', 'http://shop').searchParams.get('customer') ?? '';
    const work = request.method === 'POST' ? order(customer) : pool.query('SELECT count(*) FROM orders WHERE customer_id = $1', [customer]);
    work.then(
      () => response.writeHead(request.method === 'POST' ? 201 : 200).end('{}'),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    cache.disconnect();
    await pool.end();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Everything in the database, whoever's it is. */
async function contentOf(sql: TestDatabase['sql']): Promise<unknown> {
  const tables = await sql(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1`,
  );
  return Promise.all(tables.map(async ({ name }) => [name, await sql(`SELECT t::text FROM ${name} AS t ORDER BY 1`)]));
}

const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);

/** Files below the folder, but for what loadctl keeps of runs. */
function filesIn(place: Workplace): string[] {
  const all = readdirSync(place.folder, { recursive: true, withFileTypes: true });
  const names = all.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(place.folder.length + 1));
  return names.filter((name) => !/^(\.loadctl|tmp)\//.test(name)).sort();
}

describe('init for a script and a schema of somebody else', () => {
  test('what it writes is ready, seeds, runs and cleans up with a proven receipt; the database was only read', async () => {
    const { url, sql } = await testDatabase(postgres, shop);
    const target = await startShop(url);
    const at = workplace({ 'load/shop.js': script, '.gitignore': 'node_modules/\n.env' });
    const before = await contentOf(sql);

    const said = await at.loadctl(['init', '--url', target, '--script', 'load/shop.js', '--db', url, '--redis', redis.url, '--yes']);
    expect(said, said.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(await contentOf(sql)).toEqual(before);
    expect(said.stdout).toContain('loadctl test --env dev');
    for (const file of filesIn(at)) expect(at.read(file), file).not.toContain(passwordOf(url));
    expect(at.read('.gitignore')).toBe('node_modules/\n.env\n.loadctl/\n.env.*\n!.env.example\n');
    expect(at.read('.env.example')).toMatch(/^DB_PASSWORD=$/m);
    console.log(at.read('profiles/base.yaml'), at.read('profiles/dev.yaml'));

    const env = { DB_PASSWORD: passwordOf(url) };
    for (const environment of ['dev', 'staging', 'prod']) {
      const planned = await at.loadctl(['plan', '--env', environment], environment === 'dev' ? env : {});
      expect(planned, planned.stderr + planned.stdout).toMatchObject({ code: 0 });
    }
    const tested = await at.loadctl(['test', '--env', 'dev', '--seeded'], env);
    console.log(tested.stdout, tested.stderr);
    expect(tested, tested.stderr).toMatchObject({ code: 0 });
    expect(tested.stdout).toContain('CLEAN');
    expect(await contentOf(sql)).toEqual(before);
  });
});
