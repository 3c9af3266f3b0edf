import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Receipt } from '../../src/core/receipt.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';

/* A cleanup that is killed has noted what it was about to remove: the next one knows, and its CLEAN is true. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const rows = 1500;
const cleaning = ['cleanup', '--env', 'dev', '--seeded', '--json'];

interface Cleanup {
  readonly settle?: string;
  readonly wait?: string;
  readonly rows?: readonly object[];
}

function place(url: string, cleanup: Cleanup = {}, seeded = rows): Workplace {
  const profile = {
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: '../script.js' },
    stores: { db: { kind: 'postgres', url } },
    ...(seeded === 0 ? {} : { seed: { users: { table: 'db.users', rows: seeded, columns: { id: 'user-{n}', name: 'Test' } } } }),
    cleanup: { settle: '20ms', pause: '1ms', ...cleanup },
  };
  return workplace({ 'profiles/dev.yaml': JSON.stringify(profile), 'script.js': '' });
}

/** The numbers of one seed, so that a failure can be played again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const receiptOf = ({ stdout }: Said) => JSON.parse(stdout) as Receipt;

/** A cleanup may find the lock of one that was killed, until the server has noticed. */
async function cleaned(at: Workplace): Promise<Said> {
  for (;;) {
    const said = await at.loadctl(cleaning);
    if (said.code !== 112 || !said.stderr.includes('another loadctl')) return said;
  }
}

/** Kills a cleanup once `is` holds, or when it has ended. */
async function killedOnce(at: Workplace, is: () => Promise<boolean>, signal: NodeJS.Signals = 'SIGKILL'): Promise<Said> {
  const run = at.start(cleaning);
  let isOver = false;
  const over = run.said.then(() => {
    isOver = true;
  });
  await expect.poll(async () => isOver || (await is()), { interval: 1, timeout: 120_000 }).toBe(true);
  run.process.kill(signal);
  await over;
  return run.said;
}

async function count({ sql }: TestDatabase, what: string): Promise<number> {
  return Number((await sql(`SELECT count(*) FROM ${what}`))[0]?.count);
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const theirs = "users WHERE id !~ '^user-[0-9]+$'";

describe('seeded rows', () => {
  /** Others have more rows than before the seed: what is missing may be one of them, if nothing tells otherwise. */
  async function seeded(more = '', cleanup: Cleanup = {}) {
    const schema = `CREATE TABLE users (id text PRIMARY KEY, name text); INSERT INTO users VALUES ('alice', 'real'); ${more}`;
    const database = await testDatabase(server, schema);
    const at = place(database.url, cleanup);
    expect(await at.loadctl(['seed', '--env', 'dev'])).toMatchObject({ code: 0 });
    await database.sql("INSERT INTO users VALUES ('bob', 'real')");
    return { database, at };
  }

  const slow = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0002); RETURN OLD; END $$;
    CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow();`;

  test.each([
    ['by --seeded alone', {}],
    ['by an entry of theirs as well', { rows: [{ table: 'db.users', in: 'users.id', column: 'id' }] }],
  ])('that cleanups removed which were killed at random moments are not missing: CLEAN, %s', { timeout: 240_000 }, async (_, cleanup) => {
    const { database, at } = await seeded(slow, cleanup);
    const draw = numbers(15);
    const left: number[] = [rows];
    for (let kill = 1; kill <= 4; kill++) {
      const until = (left.at(-1) ?? 0) * (0.3 + 0.65 * draw());
      await killedOnce(at, async () => (await count(database, "users WHERE id ~ '^user-'")) < until);
      left.push(await count(database, "users WHERE id ~ '^user-'"));
    }
    expect(left.at(-1), `${left}`).toBeLessThan(rows);
    const there = left.at(-1);
    const said = await cleaned(at);
    expect([said.code, receiptOf(said).proven, receiptOf(said).lines], `${left}\n${said.stderr}`).toEqual([0, true, []]);
    expect(receiptOf(said).rows.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(there);
    expect([await count(database, 'users'), await count(database, theirs)]).toEqual([2, 2]);
  });

  test('of which one got another key meanwhile: that one is told, and no other', { timeout: 240_000 }, async () => {
    const { database, at } = await seeded(slow);
    await database.sql("UPDATE users SET id = 'renamed' WHERE id = 'user-7'");
    for (const until of [1200, 500]) await killedOnce(at, async () => (await count(database, 'users')) < until);
    const { code, stdout } = await cleaned(at);
    const lines = (JSON.parse(stdout) as Receipt).lines;
    expect([code, lines]).toMatchObject([
      113,
      [{ kind: 'unknown', count: 1, why: expect.stringContaining('it may have another key now') }],
    ]);
    await database.sql("DELETE FROM users WHERE id = 'renamed'; DELETE FROM users WHERE id = 'bob'");
    expect(await cleaned(at)).toMatchObject({ code: 0 });
  });

  /** A commit takes its time: loadctl can be killed while it waits for the answer. */
  const slowCommit = `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER late AFTER DELETE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.id = 'user-700') EXECUTE FUNCTION late();`;
  const isCommitting = async ({ sql }: TestDatabase) =>
    (
      await sql(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'loadctl%' AND query = 'COMMIT' AND wait_event = 'PgSleep'",
      )
    ).length > 0;
  const noSession = async ({ sql }: TestDatabase) =>
    (await sql("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'loadctl%'")).length === 0;

  test('of a commit that nobody heard of: the server is asked, and says whether they are gone', { timeout: 180_000 }, async () => {
    const { database, at } = await seeded(slowCommit);
    await killedOnce(at, () => isCommitting(database));
    const said = await cleaned(at);
    expect([said.code, receiptOf(said).lines, await count(database, 'users')], said.stderr).toEqual([0, [], 2]);
  });

  test('of a commit that the server has forgotten as well: unknown, never CLEAN', { timeout: 180_000 }, async () => {
    const { database, at } = await seeded(slowCommit);
    await killedOnce(at, () => isCommitting(database));
    await expect.poll(() => noSession(database), { timeout: 20_000 }).toBe(true);
    const gone = rows + 2 - (await count(database, 'users'));
    expect(gone).toBeGreaterThan(0);
    await forgetTransactions(database);
    const said = await cleaned(at);
    const [line, ...more] = receiptOf(said).lines;
    expect([said.code, more, await count(database, 'users')], said.stderr).toEqual([113, [], 2]);
    expect(line).toMatchObject({ kind: 'unknown', why: expect.stringContaining('the server no longer knows') });
    expect(line?.count).toBeLessThanOrEqual(gone);
  });

  /** Has the server forget what became of every transaction that is over: of so many it keeps a file, which goes as a whole. */
  async function forgetTransactions({ url, sql }: TestDatabase): Promise<void> {
    await sql(`CREATE TABLE burn (n int); DO $$ BEGIN FOR n IN 1..1100000 LOOP
      BEGIN INSERT INTO burn VALUES (n); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END; END LOOP; END $$; DROP TABLE burn`);
    await sql('ALTER DATABASE template0 ALLOW_CONNECTIONS true');
    const names = await sql('SELECT datname FROM pg_database');
    for (const { datname } of names) {
      const there = new URL(url);
      there.pathname = `/${datname}`;
      await (await connected(there.toString())).query('VACUUM FREEZE');
    }
    await sql('ALTER DATABASE template0 ALLOW_CONNECTIONS false');
  }
});

describe('late rows of parents that a cleanup removed, to which no key holds them', () => {
  const schema = `CREATE TABLE orders (id bigserial PRIMARY KEY, user_id text); CREATE TABLE notes (id serial, order_id bigint);
    INSERT INTO orders (user_id) SELECT 'load-test-user-' || n FROM generate_series(1, 900) n; INSERT INTO orders (user_id) VALUES ('alice');
    INSERT INTO notes (order_id) SELECT id FROM orders; INSERT INTO notes (order_id) VALUES (900000);
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0002); RETURN OLD; END $$;
    CREATE TRIGGER slow BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION slow();`;
  const entries = [
    { table: 'db.orders', column: 'user_id' },
    { table: 'db.notes', via: 'db.orders', column: 'order_id' },
  ];
  const notes = ({ sql }: TestDatabase) => sql('SELECT order_id::int AS order FROM notes ORDER BY 1');
  const others = [{ order: 901 }, { order: 900000 }];

  test.each(['SIGKILL', 'SIGINT'] as const)('come after a %s: the next cleanup takes them', { timeout: 180_000 }, async (signal) => {
    const database = await testDatabase(server, schema);
    const at = place(database.url, { wait: '30s', rows: entries }, 0);
    const writer = await connected(database.url);
    await writer.query('BEGIN');
    await writer.query('INSERT INTO notes (order_id) VALUES (5), (6), (899)');
    await killedOnce(at, async () => (await count(database, 'orders')) === 1, signal);
    await writer.query('COMMIT');
    expect((await notes(database)).length).toBe(5);
    const said = await cleaned(at);
    expect([said.code, receiptOf(said).proven, await notes(database)], said.stderr).toEqual([0, true, others]);
    expect(receiptOf(said).rows).toMatchObject([
      { table: 'notes', deleted: 3, left: 0 },
      { table: 'orders', deleted: 0, left: 0 },
    ]);
    expect(existsSync(join(at.folder, '.loadctl', 'parents-dev.ndjson'))).toBe(false);
  });

  test('on a disk that takes no notes: told once, and CLEAN all the same', { timeout: 180_000 }, async () => {
    const database = await testDatabase(server, schema);
    const at = place(database.url, { rows: entries }, 0);
    at.file('.loadctl/parents-dev.ndjson/in-the-way', '');
    const said = await cleaned(at);
    expect([said.code, await notes(database)], said.stderr).toEqual([0, others]);
    expect(said.stderr.split('cannot note in .loadctl/parents-dev.ndjson what this cleanup removes').length).toBe(2);
  });

  test('of an entry that is listed no more: 113, until it is listed again', { timeout: 180_000 }, async () => {
    const database = await testDatabase(server, schema);
    const at = place(database.url, { wait: '30s', rows: entries }, 0);
    const whole = at.read('profiles/dev.yaml');
    const writer = await connected(database.url);
    await writer.query('BEGIN');
    await writer.query('INSERT INTO notes (order_id) VALUES (5)');
    await killedOnce(at, async () => (await count(database, 'orders')) === 1);
    await writer.query('COMMIT');
    at.file('profiles/dev.yaml', whole.replace(/,\{"table":"db.notes"[^}]*\}/, ''));
    const said = await cleaned(at);
    expect([said.code, receiptOf(said).lines]).toMatchObject([113, [{ kind: 'unknown', what: 'db.notes (order_id)', count: null }]]);
    at.file('profiles/dev.yaml', whole);
    expect([(await cleaned(at)).code, await notes(database)]).toEqual([0, others]);
  });

  test('while cleanups are killed at random moments: what the last one calls CLEAN is', { timeout: 240_000 }, async () => {
    const database = await testDatabase(server, schema);
    const at = place(database.url, { rows: entries }, 0);
    const writer = await connected(database.url);
    const draw = numbers(151);
    let written = 0;
    for (let kill = 1, all = 901; kill <= 5; kill++) {
      const until = 1 + (all - 1) * draw();
      await killedOnce(at, async () => {
        written += (await writer.query(`INSERT INTO notes (order_id) VALUES (${1 + Math.floor(draw() * 900)})`)).rowCount ?? 0;
        return (await count(database, 'orders')) <= until;
      });
      all = await count(database, 'orders');
    }
    const before = await notes(database);
    const said = await cleaned(at);
    expect([said.code, await notes(database), await count(database, 'orders')], said.stderr).toEqual([0, others, 1]);
    expect(receiptOf(said).rows.find(({ table }) => table === 'notes')?.deleted).toBe(before.length - 2);
    expect(written).toBeGreaterThan(5);
  });
});
