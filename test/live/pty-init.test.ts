import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { passwordIn, testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, type InTerminal, startInTerminal } from '../support/pty.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const script = `import http from 'k6/http';
export const options = { scenarios: { browse: { executor: 'constant-vus', vus: 3, duration: '4s' } } };
export default () => http.get(__ENV.BASE_URL);`;
const schema = `CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE carts (id serial PRIMARY KEY, user_id text NOT NULL REFERENCES users);
CREATE TABLE products (sku text PRIMARY KEY); CREATE TABLE prices (sku text NOT NULL REFERENCES products)`;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const keys = { enter: '\r', down: '\x1b[B', space: ' ', interrupt: '\x03', left: '\x1b[D' } as const;

function init(at: Workplace, ...args: string[]): InTerminal {
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  return startInTerminal([process.execPath, bin, 'init', ...args], at.folder, { PATH, HOME, LOADCTL_K6 });
}

const withoutPassword = (url: string) => url.replace(`:${new URL(url).password}@`, '@');

const written = (at: Workplace) => readdirSync(at.folder).filter((name) => name !== 'tmp' && name !== '.loadctl');

describe.runIf(hasTerminals())('init on a terminal', () => {
  test('asks one after another, reads the catalog after a yes, and writes after another', async () => {
    const { url } = await testDatabase(postgres, schema);
    const at = workplace({ 'load/shop.js': script });
    const asked = init(at);
    const answer = async (question: string, ...typed: string[]) => {
      await asked.until(question);
      for (const text of typed) asked.type(text);
    };
    await answer('Where does the service answer?', 'http://127.0.0.1:3000', keys.enter);
    await answer('A k6 script of yours?', 'load/none.js', keys.enter);
    await answer('load/none.js does not exist', '\x7f'.repeat(7), 'shop.js ', keys.enter);
    await answer('A Postgres that needs test rows?', withoutPassword(url), keys.enter);
    await answer('Its password?', passwordIn(url), keys.enter);
    await answer('May loadctl read the catalog of', keys.enter);
    // carts, prices, products, users: users is chosen, and products with it.
    await answer('Which tables need test rows?', keys.down, keys.down, keys.space, keys.enter);
    await answer('A Redis that the service uses?', keys.enter);
    await answer('A GitHub workflow', keys.left, keys.enter);
    expect(written(at)).toEqual(['load']);
    await answer('Write profiles/base.yaml', keys.enter);

    expect(await asked.exitCode, asked.shown()).toBe(0);
    expect(asked.shown()).not.toContain(passwordIn(url));
    expect(at.read('profiles/dev.yaml')).not.toContain(passwordIn(url));
    expect(written(at).sort()).toEqual(['.env.example', '.gitignore', 'load', 'profiles']);
    const base = parse(at.read('profiles/base.yaml'));
    expect(base.workload).toEqual({ script: '../load/shop.js' });
    expect(base.seed).toEqual({
      products: { table: 'db.products', rows: 100, columns: { sku: 'product-{n}' } },
      users: { table: 'db.users', rows: 100, columns: { id: 'user-{n}' } },
    });
    expect(base.cleanup.rows).toEqual([
      { table: 'db.carts', column: 'user_id', in: 'users.id' },
      { table: 'db.prices', column: 'sku', in: 'products.sku' },
    ]);
    expect(parse(at.read('profiles/dev.yaml')).target.url).toBe('${BASE_URL:-http://127.0.0.1:3000}');
  });

  test('what a flag says is not asked', async () => {
    const at = workplace({ 'load/shop.js': script });
    const asked = init(at, '--url', 'http://127.0.0.1:3000', '--script', 'load/shop.js', '--redis', 'redis://127.0.0.1:6379', '--no-ci');
    await asked.until('A Postgres that needs test rows?');
    asked.type(keys.enter);
    await asked.until('Write profiles/base.yaml');
    asked.type(keys.enter);
    expect(await asked.exitCode, asked.shown()).toBe(0);
    expect(asked.shown()).not.toMatch(/Where does|A k6 script|A Redis|A GitHub/);
    expect(parse(at.read('profiles/base.yaml')).stores).toEqual({ cache: { kind: 'redis' } });
  });

  test('with --yes nothing is asked', async () => {
    const at = workplace();
    const asked = init(at, '--yes');
    expect(await asked.exitCode, asked.shown()).toBe(0);
    expect(asked.shown()).not.toMatch(/Where does|A k6 script|A Postgres|A Redis|A GitHub|Write profiles/);
    expect(written(at).sort()).toEqual(['.env.example', '.github', '.gitignore', 'k6', 'profiles']);
  });

  test.each(['Where does the service answer?', 'A Postgres that needs', 'Write profiles/base.yaml'])(
    'Ctrl-C ends it with 105, and nothing is written: %s',
    async (question) => {
      const at = workplace();
      const asked = init(at);
      const isOver = Promise.race([asked.until(question), asked.exitCode]);
      const order = [
        'Where does the service answer?',
        'A k6 script of yours?',
        'A Postgres that needs',
        'A Redis that',
        'A GitHub workflow',
      ];
      for (const each of order) {
        if (each === question) break;
        await asked.until(each);
        asked.type(keys.enter);
      }
      await isOver;
      asked.type(keys.interrupt);
      expect(await asked.exitCode, asked.shown()).toBe(105);
      expect(asked.shown()).toContain('nothing was written');
      expect(written(at)).toEqual([]);
    },
  );
});
