import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { takeLock } from '../../src/phases/data/lock.js';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { hasPgBouncer, type Pooling, startPgBouncer } from '../servers/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const stores = (url: string) => ({ stores: { db: { kind: 'postgres', url } } });

const sharing: Pooling[] = [
  { mode: 'transaction' },
  { mode: 'transaction', size: 1 },
  { mode: 'transaction', size: 2 },
  { mode: 'transaction', inTurn: true },
  { mode: 'transaction', size: 1, inTurn: true },
  { mode: 'transaction', size: 2, inTurn: true },
  { mode: 'transaction', size: 3, inTurn: true },
  { mode: 'statement' },
];

test.runIf(hasPgBouncer()).each(sharing)('a pooler with %j is noticed and refused, and no lock is left behind', async (pooling) => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)');
  const through = await startPgBouncer(url, pooling);
  const step = { table: 'db.users', rows: 1, columns: { id: 'x' } };
  const error = await seed(dataContext({ ...stores(through), seed: [step] })).catch((thrown: LoadctlError) => thrown);
  expect(error).toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(/^db: 127\.0\.0\.1:\d+ is a connection pooler that hands its sessions around/),
    hint: "Name the database's own host and port in the URL of the store db; a pooler in session mode also works.",
  });
  expect(await sql("SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'")).toEqual([{ count: 0 }]);
  expect(await sql('SELECT count(*)::int FROM users')).toEqual([{ count: 0 }]);
});

test.runIf(hasPgBouncer())('also where it has sessions of others to deal out, warm and busy', async () => {
  const { url } = await testDatabase(server);
  for (const inTurn of [false, true]) {
    const through = await startPgBouncer(url, { mode: 'transaction', size: 5, inTurn });
    const { default: pg } = await import('pg');
    const others = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new pg.Client({ connectionString: through });
        await client.connect();
        return client;
      }),
    );
    await Promise.all(others.map((client) => client.query('BEGIN')));
    await Promise.all(others.map((client) => client.query('ROLLBACK')));
    await expect(takeLock(dataContext(stores(through)), 'run')).rejects.toMatchObject({ reason: 'refused' });
    await Promise.all(others.map((client) => client.end()));
  }
});

test.runIf(hasPgBouncer())('a pooler that leaves a session to its client will do, and so does none', async () => {
  const { url } = await testDatabase(server);
  for (const way of [await startPgBouncer(url, { mode: 'session' }), url]) {
    const lock = await takeLock(dataContext(stores(way)), 'run');
    await expect(takeLock(dataContext(stores(url)), 'run')).rejects.toThrow(/another loadctl works on/);
    await lock.release();
  }
});
