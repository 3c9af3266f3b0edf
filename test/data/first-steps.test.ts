import { chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { asRole, contentOf, passwordIn, testDatabase } from '../servers/sql.js';
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

/** Files below the folder, but for what loadctl keeps of runs. */
function filesIn(place: Workplace): string[] {
  const all = readdirSync(place.folder, { recursive: true, withFileTypes: true });
  const names = all.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(place.folder.length + 1));
  return names.filter((name) => !/^(\.loadctl|tmp)\//.test(name)).sort();
}

describe('init for a script and a schema of somebody else', () => {
  test('what it writes is ready, seeds, runs and cleans up with a proven receipt', async () => {
    const { url, sql } = await testDatabase(postgres, shop);
    const target = await startShop(url);
    const at = workplace({ 'load/shop.js': script, '.gitignore': 'node_modules/\n.env', '.env.example': 'PORT=1\nBASE_URL=http://shop' });
    const before = await contentOf(sql);

    const said = await at.loadctl(['init', '--url', target, '--script', 'load/shop.js', '--db', url, '--redis', redis.url, '--yes']);
    expect(said, said.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toContain('and DB_PASSWORD in .env:\n  loadctl doctor --env dev\n');
    expect(said.stdout).toContain('loadctl test --env dev');
    expect(filesIn(at)).toEqual([
      '.env.example',
      '.github/workflows/load-test.yml',
      '.gitignore',
      'load/shop.js',
      ...['base', 'dev', 'prod', 'staging'].map((name) => `profiles/${name}.yaml`),
    ]);
    for (const file of filesIn(at)) expect(at.read(file), file).not.toContain(passwordIn(url));
    expect(at.read('.gitignore')).toBe('node_modules/\n.env\n.loadctl/\n.env.*\n!.env.example\n');
    expect(at.read('.env.example')).toMatch(/^PORT=1\nBASE_URL=http:\/\/shop\n# loadctl: .*\n#.*\nDB_PASSWORD=\n/);
    expect(said.stdout).toContain('Lines added: .env.example, .gitignore');
    expect(at.read('load/shop.js')).toBe(script);
    const base = parse(at.read('profiles/base.yaml'));
    expect(base.sla).toEqual({ p95: '< 1500ms', p99: '< 4000ms', errors: '< 1%' });
    expect(parse(at.read('profiles/prod.yaml')).guards).toMatchObject({ level: 'production', maxVus: 5, maxDuration: '20s' });
    expect(at.read('profiles/base.yaml')).toMatch(/#.* buy: per-vu-iterations, up to 2 VUs, 12 iterations in 20s/);

    for (const environment of ['staging', 'prod']) {
      const planned = await at.loadctl(['plan', '--env', environment]);
      expect(planned, planned.stderr + planned.stdout).toMatchObject({ code: 0 });
    }
    at.file('.env', `DB_PASSWORD='${passwordIn(url)}'\n`);
    const ready = await at.loadctl(['doctor', '--env', 'dev', '--connect']);
    expect(ready, ready.stdout + ready.stderr).toMatchObject({ code: 0 });
    expect(ready.stdout).not.toContain('✖');
    const tested = await at.loadctl(['test', '--env', 'dev', '--seeded']);
    expect(tested, tested.stderr).toMatchObject({ code: 0 });
    expect(tested.stdout).toMatch(/^CLEAN /m);
    expect(tested.stdout).toMatch(/customers +db .* seeded: customers +100 +0$/m);
    expect(tested.stdout).toMatch(/orders +db .* customer_id is in customers.id +12 +0$/m);
    expect(await contentOf(sql)).toEqual(before);
  });

  test('the database is only read: a role that may read no table, and write none, is enough', async () => {
    const { url, sql } = await testDatabase(postgres, shop);
    await sql(
      `CREATE ROLE onlooker LOGIN PASSWORD 'look' CONNECTION LIMIT 2; REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO onlooker`,
    );
    const everything = async () => [await contentOf(sql), await sql('SELECT sequencename, last_value FROM pg_sequences ORDER BY 1')];
    const at = workplace({ 'load/shop.js': script });
    const before = await everything();
    const looked = await at.loadctl(['init', '--script', 'load/shop.js', '--db', asRole(url, 'onlooker', 'look'), '--yes']);
    expect(looked, looked.stderr).toMatchObject({ code: 0 });
    expect(await everything()).toEqual(before);
    const { seed, cleanup } = parse(at.read('profiles/base.yaml'));
    expect(Object.keys(seed)).toEqual(['countries', 'customers']);
    expect(seed.customers.columns).toMatchObject({
      id: '{n+900000000}',
      country: '{countries.code}',
      tier: 'gold',
      credit: 250,
      settings: {},
      tags: [],
    });
    expect(seed.customers.columns).not.toHaveProperty('label');
    expect(cleanup.rows).toHaveLength(3);
    const other = workplace({ 'load/shop.js': script });
    await other.loadctl(['init', '--script', 'load/shop.js', '--db', url, '--yes']);
    expect(other.read('profiles/base.yaml')).toBe(at.read('profiles/base.yaml'));
  });

  test('without a terminal the catalog is read after --yes alone; what is there stays, and is named', async () => {
    const { url } = await testDatabase(postgres, shop);
    const at = workplace({ 'load/shop.js': script });
    const unasked = await at.loadctl(['init', '--db', url]);
    expect(unasked).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/may loadctl read the catalog of test\d+ at 127.0.0.1:\d+\?[\s\S]*--yes/),
    });
    const unknown = await at.loadctl(['init', '--db', url, '--tables', 'custmers', '--yes']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('audit, countries, customers, orders, products') });
    const wrong = await at.loadctl(['init', '--db', asRole(url, 'postgres', 'not-the-password'), '--yes']);
    expect(wrong.code).toBe(115);
    expect(wrong.stderr).not.toContain('not-the-password');
    const nowhere = await at.loadctl(['init', '--script', 'load/none.js']);
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('load/none.js does not exist') });
    const no = await at.loadctl(['init', '--tables', 'customers', '--yes']);
    expect(no).toMatchObject({ code: 2, stderr: expect.stringContaining('no --db says which') });
    expect(filesIn(at)).toEqual(['load/shop.js']);
    at.file('profiles/staging.yaml', '# mine');
    const there = await at.loadctl(['init', '--db', url, '--yes']);
    expect(there).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('profiles/staging.yaml is there already: nothing was written'),
    });
    expect(filesIn(at)).toEqual(['load/shop.js', 'profiles/staging.yaml']);
  });

  test('a database is found whatever its name holds, and a password by PGPASSWORD or .pgpass', async () => {
    const url = await postgres.createDatabase('odd @/:+&=,;$% name');
    const without = new URL(url);
    without.password = '';
    const at = workplace();
    const unasked = await at.loadctl(['init', '--db', without.href, '--yes']);
    expect(unasked).toMatchObject({
      code: 115,
      stderr: expect.stringMatching(/asks for a password of the role postgres[\s\S]*PGPASSWORD/),
    });
    const made = await at.loadctl(['init', '--db', url, '--yes', '--no-ci']);
    expect(made, made.stderr).toMatchObject({ code: 0 });
    const known = await at.loadctl(['doctor', '--env', 'dev', '--connect'], { DB_PASSWORD: passwordIn(url) });
    expect(known.stdout).toMatch(/store db +✔ .*, odd @\/:\+&=,;\$% name as postgres$/m);
    at.file('profiles/dev.yaml', at.read('profiles/dev.yaml').replace(', password: "${DB_PASSWORD}"', ''));
    const pgpass = at.file('pgpass', `127.0.0.1:*:*:postgres:${passwordIn(url)}\n`);
    chmodSync(pgpass, 0o600);
    for (const env of [{ PGPASSWORD: passwordIn(url) }, { PGPASSFILE: pgpass }]) {
      const said = await at.loadctl(['doctor', '--env', 'dev', '--connect'], env);
      expect(said.stdout).toMatch(/store db +✔/);
      expect(said.stderr).toBe('');
    }
  });

  test('a database behind a socket that is not there is named with its fix', async () => {
    const at = workplace();
    const said = await at.loadctl(['init', '--db', `postgres://ann@${encodeURIComponent(at.folder)}/shop`, '--yes']);
    expect(said).toMatchObject({
      code: 115,
      stderr: expect.stringContaining(`there is no socket of a database in ${at.folder}: connect ENOENT`),
    });
  });
});
