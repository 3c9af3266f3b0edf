import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockForRun } from '../../src/phases/data/pool.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

/* What docs/data.md and docs/stores-postgres.md claim of a seed, where no other test is about it. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const parts = (url: string, more: Partial<DataProfile>): DataProfile => ({ stores: { db: { kind: 'postgres', url } }, ...more });

test('rows are told apart by the primary key, else by the narrowest unique one, else by `key`', async () => {
  const columns = { a: 'a-{n}', b: 'b-{n}', c: 'c-{n}', d: 'seeded' };
  const cases: [keys: string, more: object, told: string][] = [
    ['PRIMARY KEY (b), UNIQUE (a), UNIQUE (b, c)', {}, '(b "b-1")'],
    ['UNIQUE (a, b), UNIQUE (c)', {}, '(c "c-1")'],
    ['UNIQUE (a, b)', {}, '(a "a-1", b "b-1")'],
    ['CHECK (true)', { key: 'c' }, '(c "c-1")'],
  ];
  for (const [keys, more, told] of cases) {
    const { url } = await testDatabase(
      server,
      `CREATE TABLE t (a text, b text, c text, d text, ${keys}); INSERT INTO t VALUES ('a-1', 'b-1', 'c-1', 'changed')`,
    );
    const lines = ['db: public.t: d differs (1)', `  row 1 ${told}: d is "changed", not "seeded"`];
    await expect(seed(dataContext(parts(url, { seed: { t: { table: 'db.t', rows: 3, columns, ...more } } })))).rejects.toMatchObject({
      lines,
    });
  }
});

test('a seed writes over two connections, in short transactions, and rests after each as `cleanup.pause` says, else for 8% of the time that it took', async () => {
  for (const pause of ['7ms', undefined]) {
    const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY, name text)');
    const users = { table: 'db.users', rows: 200_000, columns: { id: 'user-{n}', name: 'x' } };
    const context = dataContext(parts(url, { seed: { users }, ...(pause === undefined ? {} : { cleanup: { pause } }) }));
    const slept: number[] = [];
    const sleep = (ms: number, signal?: AbortSignal) => {
      slept.push(ms);
      return context.world.clock.sleep(ms, signal);
    };
    const begun = performance.now();
    const seeding = seed({ ...context, world: { ...context.world, clock: { ...context.world.clock, sleep } } });
    const seen = watchWriters(sql, () => seeding);
    await seeding;
    const tookMs = performance.now() - begun;
    expect(Math.max(...(await seen).map(({ sessions }) => sessions))).toBe(2);
    expect(Math.max(...(await seen).map(({ longestMs }) => longestMs))).toBeLessThan(1500);
    const rests = slept.filter((ms) => ms > 0 && ms < 500);
    if (pause === undefined) {
      // Both connections rest: together for 8% of twice the time at most.
      expect(rests.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(0.16 * tookMs);
      expect(new Set(rests).size).toBeGreaterThan(3);
    } else expect(rests.filter((ms) => ms === 7).length).toBeGreaterThan(3);
  }
});

/** How many of ours write, and for how long the longest transaction has been open, over and over until the work is done. */
async function watchWriters(
  sql: (text: string) => Promise<Record<string, unknown>[]>,
  work: () => Promise<unknown>,
): Promise<{ sessions: number; longestMs: number }[]> {
  const seen: { sessions: number; longestMs: number }[] = [];
  let going = true;
  void work().finally(() => {
    going = false;
  });
  while (going) {
    const [row] = await sql(
      `SELECT count(*)::int AS sessions, coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float * 1000 AS longest
         FROM pg_stat_activity WHERE application_name = 'loadctl/seed' AND query ~ 'INSERT' AND state <> 'idle' AND datname = current_database()`,
    );
    seen.push({ sessions: Number(row?.sessions), longestMs: Number(row?.longest) });
  }
  return seen;
}

test('a row that only looks like the pool’s first is not it', async () => {
  const { url } = await testDatabase(
    server,
    `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     CREATE TABLE users (id text COLLATE blind PRIMARY KEY); INSERT INTO users VALUES ('USER-1'), ('user-2')`,
  );
  const context = dataContext(parts(url, { seed: { users: { table: 'db.users', rows: 2, columns: { id: 'user-{n}' } } } }));
  const profile = { ...context.profile, users: { strategy: 'pool' as const, from: { set: 'users', column: 'id' } } };
  await (await lockForRun({ ...context, profile })).release();
  expect(context.events.filter(({ type }) => type === 'warned')).toMatchObject([
    { code: 'pool-missing', row: 'users row 1 (id "user-1")' },
  ]);
});

const page = fileURLToPath(new URL('../../docs/stores-postgres.md', import.meta.url));

/** The rows of the page's table of settings: names, what holds while seeding, what holds for the lock. */
function settingsOfPage(): { names: string[]; seeding: string[]; lock: string[] }[] {
  const [, table = ''] = readFileSync(page, 'utf8').split('| setting | seeding, cleanup, receipt | the lock | what for |\n');
  const rows = table.split('\n\n')[0]?.split('\n').slice(1) ?? [];
  return rows.map((row) => {
    const [, names = '', seeding = '', lock = ''] = row.split('|').map((cell) => cell.trim());
    const values = (cell: string) => cell.split(', ').map((value) => value.replaceAll(' ', ''));
    return { names: [...names.matchAll(/`([\w*]+)`/g)].map(([, name = '']) => name), seeding: values(seeding), lock: values(lock) };
  });
}

/** Notes every setting that a session of this database makes, and makes it. */
const spy = `CREATE SCHEMA spy; CREATE TABLE spy.seen (id serial, application text, name text, value text);
  CREATE FUNCTION spy.set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO spy.seen (application, name, value) VALUES (current_setting('application_name'), $1, pg_catalog.set_config($1, $2, $3)); RETURN $2; END $$;`;

test('a session of ours may do what docs/stores-postgres.md says, and no more', async () => {
  const { url, sql } = await testDatabase(server, `${spy} CREATE TABLE users (id text PRIMARY KEY)`);
  await sql(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = spy, pg_catalog, public`);
  await seed(dataContext(parts(url, { seed: { users: { table: 'db.public.users', rows: 1, columns: { id: 'user-{n}' } } } })));
  const made = async (application: string) => {
    const rows = await sql('SELECT DISTINCT ON (name) name, value FROM spy.seen WHERE application LIKE $1 ORDER BY name, id DESC', [
      application,
    ]);
    return new Map(rows.map(({ name, value }) => [name, value]));
  };
  const [seeding, lock] = [await made('loadctl/seed'), await made('loadctl/seed by %')];
  const rows = settingsOfPage();
  expect(rows).toHaveLength(6);
  for (const row of rows.filter(({ names }) => !names.includes('tcp_keepalives_*'))) {
    const unset = (value?: string) => (value === '–' ? '0' : value);
    expect(row.names.map((name) => [name, seeding.get(name)])).toEqual(row.names.map((name, index) => [name, unset(row.seeding[index])]));
    expect(row.names.map((name) => [name, lock.get(name)])).toEqual(row.names.map((name, index) => [name, unset(row.lock[index])]));
  }
  for (const session of [seeding, lock])
    expect(
      ['tcp_keepalives_idle', 'tcp_keepalives_count', 'tcp_keepalives_interval', 'tcp_user_timeout'].map((name) => session.get(name)),
    ).toEqual(['10', '3', '5', '15000']);
});
