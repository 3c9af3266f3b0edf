import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { noPaint } from '../../src/reporters/paint.js';
import { renderReceipt } from '../../src/reporters/receipt-table.js';
import { type DataProfile, dataContext, type Machine, whenWaiting } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';

/* Seeded rows that are not there under their keys when a cleanup begins: deleted by the test, or under another key. */

let server: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  [server, redis] = await Promise.all([startPostgres(), startRedis()]);
});
afterAll(() => Promise.all([server.stop(), redis.stop()]));

const own = { dryRun: false, seeded: false };
const all = { dryRun: false, seeded: true };
const tables = `CREATE TABLE users (id text PRIMARY KEY, name text); INSERT INTO users VALUES ('alice', 'real');`;
const command = 'look for it in db.users; if the test deleted it, seed again and clean up: loadctl seed --env test';

function profileOf(url: string, more: Partial<DataProfile> = {}): DataProfile {
  return {
    stores: { db: { kind: 'postgres', url } },
    seed: { users: { table: 'db.users', rows: 10, columns: { id: 'user-{n}', name: 'Test' } } },
    cleanup: { settle: '10ms' },
    ...more,
  };
}

async function seeded(more: Partial<DataProfile> = {}): Promise<{ profile: DataProfile; machine: Machine; sql: TestDatabase['sql'] }> {
  const { url, sql } = await testDatabase(server, tables);
  const [profile, machine] = [profileOf(url, more), {}];
  await seed(dataContext(profile, { machine }));
  return { profile, machine, sql };
}

const ids = async (sql: TestDatabase['sql']) => (await sql('SELECT id FROM users ORDER BY id')).map(({ id }) => id);

describe('a seeded row that is not there', () => {
  test('was deleted where others have no more rows than before: CLEAN, and it is told', async () => {
    const { profile, machine, sql } = await seeded();
    await sql("DELETE FROM users WHERE id = 'user-3'");
    const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
    expect(reasons).toEqual([]);
    expect(receipt.lines).toEqual([
      {
        kind: 'missing',
        store: 'db',
        shard: null,
        what: 'users (db.users)',
        count: 1,
        why: 'it was deleted since, as others have no more rows than before',
      },
    ]);
    const shown = renderReceipt(receipt, { paint: noPaint });
    expect(shown).toContain('CLEAN  nothing of the test is left under its own keys');
    expect(shown).toContain('seeded: missing  1 of users (db.users): it was deleted since');
    expect(await ids(sql)).toEqual(['alice']);
    expect(machine.before?.seeded).toEqual([]);
  });

  test.each(['off', 'count'])(
    'was removed by a cleanup that was interrupted then: the same command again is CLEAN (receipt: %s)',
    async (receipt) => {
      const { profile, machine, sql } = await seeded({ guards: { receipt } });
      await sql("INSERT INTO users VALUES ('bob', 'real')"); // others have more rows than before
      const interrupt = new AbortController();
      const context = dataContext(profile, { machine, signal: interrupt.signal });
      const emit: typeof context.emit = (event) => {
        context.emit(event);
        if (event.type === 'step-progressed' && event.step.startsWith('take db') && event.done > 0) interrupt.abort();
      };
      const first = await cleanup({ ...context, emit }, all);
      expect([first.reasons, await ids(sql)]).toEqual([
        ['cleanup-not-proven', 'interrupted'],
        ['alice', 'bob'],
      ]);
      expect(await cleanup(dataContext(profile, { machine }), all)).toMatchObject({ reasons: [], receipt: { proven: true } });
    },
  );

  test('got another key in a transaction that cleanup waited for: 113, again and again as well', async () => {
    const { profile, machine, sql } = await seeded();
    await sql("BEGIN; UPDATE users SET id = 'renamed' WHERE id = 'user-3'");
    const first = await cleanup(
      whenWaiting(dataContext(profile, { machine }), () => sql('COMMIT')),
      all,
    );
    expect(first.receipt.lines).toMatchObject([{ kind: 'unknown', count: 1, why: expect.stringContaining('under another key now') }]);
    const again = await cleanup(dataContext(profile, { machine }), all);
    expect(again.receipt.lines).toMatchObject([{ kind: 'unknown', count: 1, why: expect.stringContaining('it may have another key now') }]);
    expect([first.reasons, again.reasons, await ids(sql)]).toEqual([['cleanup-not-proven'], ['cleanup-not-proven'], ['alice', 'renamed']]);
  });

  test('may have another key where others have more rows: 113, again and again, until it is looked for', async () => {
    const { profile, machine, sql } = await seeded();
    await sql("UPDATE users SET id = 'renamed' WHERE id = 'user-3'");
    const why = 'not there under its key, and others have 1 row more than before: it may have another key now';
    for (const deleted of [9, 0]) {
      const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
      expect(reasons).toEqual(['cleanup-not-proven']);
      expect(receipt.rows).toMatchObject([{ deleted, left: 0 }]);
      expect(receipt.lines).toEqual([{ kind: 'unknown', store: 'db', shard: null, what: 'users (db.users)', count: 1, why, command }]);
      expect(machine.before?.seeded).toMatchObject([{ rows: 10, there: 1 }]);
    }
    await sql("DELETE FROM users WHERE id = 'renamed'");
    const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
    expect(reasons).toEqual([]);
    expect(receipt.lines).toMatchObject([{ kind: 'missing', count: 1 }]);
    expect(await ids(sql)).toEqual(['alice']);
  });

  test('may have any key where nobody counted: 113', async () => {
    const { profile, machine, sql } = await seeded({ guards: { receipt: 'off' } });
    await sql("UPDATE users SET id = 'renamed' WHERE id = 'user-3'");
    const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.lines).toMatchObject([{ kind: 'unknown', count: 1, why: expect.stringContaining('were not counted before and after') }]);
  });

  test('is not missing where an entry of the cleanup removes it, nor where a seed put it back', async () => {
    const { profile, machine, sql } = await seeded({
      cleanup: { settle: '10ms', rows: [{ table: 'db.users', column: 'id', in: 'users.id' }] },
    });
    await sql("DELETE FROM users WHERE id = 'user-3'");
    await seed(dataContext(profile, { machine }));
    const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
    expect({ reasons, lines: receipt.lines }).toEqual({ reasons: [], lines: [] });
    expect(await ids(sql)).toEqual(['alice']);
  });

  test('is told of a set that had more rows or other templates when it was seeded, and not twice', async () => {
    const { profile, machine, sql } = await seeded();
    const named = { ...profile, seed: { users: { table: 'db.users', rows: 10, columns: { id: 'user-{n}', name: 'Other' } } } };
    await sql("DELETE FROM users WHERE id = 'user-10'; UPDATE users SET name = 'Other' WHERE id LIKE 'user-%'");
    const { receipt, reasons } = await cleanup(dataContext(named, { machine }), all);
    expect(reasons).toEqual([]);
    expect(receipt.lines).toMatchObject([{ kind: 'missing', count: 1 }]);
    const fewer = await seeded();
    await fewer.sql("UPDATE users SET id = 'renamed' WHERE id = 'user-10'");
    const nine = { ...fewer.profile, seed: { users: { table: 'db.users', rows: 9, columns: { id: 'user-{n}', name: 'Test' } } } };
    const result = await cleanup(dataContext(nine, { machine: fewer.machine }), all);
    expect(result.reasons).toEqual(['cleanup-not-proven']);
    expect(result.receipt.lines).toMatchObject([{ kind: 'unknown', count: 1, what: 'users (db.users)' }]);
  });

  test('says nothing to a cleanup that leaves seeded rows, or without a record', async () => {
    const { profile, machine, sql } = await seeded();
    await sql("DELETE FROM users WHERE id = 'user-3'");
    expect((await cleanup(dataContext(profile, { machine }), own)).receipt.lines).toMatchObject([
      { kind: 'kept', what: 'users (db.users)' },
    ]);
    const elsewhere = await cleanup(dataContext(profile), all);
    expect({ reasons: elsewhere.reasons, lines: elsewhere.receipt.lines }).toEqual({ reasons: [], lines: [] });
  });
});

test('of a cache without time to live a missing key is told, and of one with it nothing: keys come and go', async () => {
  const home = new Redis(`${redis.url}/0`);
  const profile: DataProfile = {
    stores: { cache: { kind: 'redis', url: `${redis.url}/0` } },
    seed: {
      logins: { key: 'cache/login:{n}', rows: 10, value: 'x' },
      short: { key: 'cache/short:{n}', rows: 10, value: 'x', ttl: '1h' },
    },
    cleanup: { settle: '10ms' },
  };
  const machine: Machine = {};
  await seed(dataContext(profile, { machine }));
  await home.del('login:3', 'login:4', 'short:3');
  const { receipt, reasons } = await cleanup(dataContext(profile, { machine }), all);
  expect(reasons).toEqual([]);
  expect(receipt.lines).toEqual([
    {
      kind: 'missing',
      store: 'cache',
      shard: null,
      what: 'logins (cache/login:{n})',
      count: 2,
      why: 'they were deleted, renamed or evicted since',
    },
  ]);
  expect(await home.dbsize()).toBe(0);
  home.disconnect();
});
