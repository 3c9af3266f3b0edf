import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const users = 'CREATE TABLE users (id text PRIMARY KEY, name text);';

/** A service that looks for a user in the shard that its own rule names, and asks no cache. */
async function startService(urls: readonly string[], rule: (id: string) => number) {
  const clients = await Promise.all(
    urls.map(async (url) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      onTestFinished(() => client.end());
      return client;
    }),
  );
  return startTarget((request, response) => {
    const [, id] = /^\/users\/(.+)$/.exec(request.url ?? '') ?? [];
    if (id === undefined || request.headers['x-caller'] !== id) return false;
    void clients[rule(id)]?.query('SELECT 1 FROM users WHERE id = $1', [id]).then(({ rows }) => {
      response.writeHead(rows.length > 0 ? 200 : 404).end();
    });
    return true;
  });
}

const profile = (url: string, shards: readonly string[]) => `
target: {url: "${url}", lookup: {path: "/users/user-{n}", headers: {X-Caller: "user-{n}"}}}
workload: {script: ../script.js}
stores: {db: {kind: postgres, shards: ${JSON.stringify(shards)}, shardBy: id % 3}}
seed: {users: {table: db.users, rows: 30, columns: {id: "user-{n}", name: x}}}
`;

test.each([
  ['the same', (id: string) => Number(id.slice('user-'.length)) % 3, 0],
  ['another', (id: string) => (Number(id.slice('user-'.length)) + 1) % 3, 115],
])('a target with %s rule for its shards is found out by asking for a user of each', async (_, rule, code) => {
  const databases = await Promise.all([0, 1, 2].map(() => testDatabase(server, users)));
  const urls = databases.map(({ url }) => url);
  const target = await startService(urls, rule);
  const place = workplace({ 'profiles/dev.yaml': profile(target.url, urls), 'script.js': 'export default () => {};' });
  const early = await place.loadctl(['doctor', '--env', 'dev', '--ask']);
  expect([early.code, early.stdout]).toEqual([
    115,
    expect.stringMatching(/users row 3 \(id "user-3"\) is not there\s+Seed first: loadctl seed --env dev/),
  ]);
  expect(target.hits.size).toBe(0);
  expect((await place.loadctl(['seed', '--env', 'dev'])).code).toBe(0);

  const said = await place.loadctl(['doctor', '--env', 'dev', '--ask', '--json']);

  const { asked } = JSON.parse(said.stdout) as { asked: { shard: number; n: number; status: number; found: boolean }[] };
  expect(asked.map(({ shard, n }) => [shard, n])).toEqual([
    [0, 3],
    [1, 1],
    [2, 2],
  ]);
  expect([said.code, asked.map(({ found }) => found)]).toEqual([code, asked.map(() => code === 0)]);
  expect([...target.hits.keys()].sort()).toEqual(['GET /users/user-1', 'GET /users/user-2', 'GET /users/user-3']);
  const plain = await place.loadctl(['doctor', '--env', 'dev', '--ask']);
  expect(plain.stdout).toMatch(
    code === 0 ? /the target finds it \(GET \/users\/user-3: 200\)/ : /does not find it .*: 404\)\s+It looks elsewhere/,
  );
});

test('a user is asked for by an address, whatever is in the id', async () => {
  const database = await testDatabase(server, users);
  const target = await startTarget((request, response) => {
    response.writeHead(request.url === `/users/${encodeURIComponent('a/b #1?')}` ? 200 : 404).end();
    return true;
  });
  const place = workplace({
    'profiles/dev.yaml': `
target: {url: "${target.url}", lookup: {path: "/users/{users.id}"}}
workload: {script: ../script.js}
stores: {db: {kind: postgres, url: "${database.url}"}}
seed: {users: {table: db.users, rows: 1, columns: {id: "a/b #{n}?", name: x}}}
`,
    'script.js': 'export default () => {};',
  });
  expect((await place.loadctl(['seed', '--env', 'dev'])).code).toBe(0);
  const said = await place.loadctl(['doctor', '--env', 'dev', '--ask', '--json']);
  expect(JSON.parse(said.stdout).asked).toMatchObject([{ status: 200, found: true }]);
});

test('a profile that says nothing of how to ask: 104 with the words to add', async () => {
  const place = workplace({
    'profiles/dev.yaml': profile('http://127.0.0.1:1', [
      'postgres://127.0.0.1:1/x',
      'postgres://127.0.0.1:1/x',
      'postgres://127.0.0.1:1/x',
    ]).replace(/, lookup: .*\}\}\}/, '}'),
    'script.js': '',
  });
  const said = await place.loadctl(['doctor', '--env', 'dev', '--ask']);
  expect([said.code, said.stderr]).toEqual([104, expect.stringContaining('target: {lookup: {path: "/users/user-{n}"}}')]);
});
