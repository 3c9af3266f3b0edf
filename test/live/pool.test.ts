import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lockForRun } from '../../src/phases/data/pool.js';
import { seed } from '../../src/phases/data/seed.js';
import { plannedSections } from '../../src/plan/sections.js';
import { rowOf } from '../../src/profile/templates/inverse.js';
import { columnInverse } from '../../src/profile/templates/sets.js';
import { type DataProfile, dataContext, dataProfile } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';
import { runWorkload } from '../support/k6-run.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const stores = { db: { kind: 'postgres', url: 'postgres://u@127.0.0.1/x' } };

test.each([
  ['{uuid}', undefined],
  ['{uuid}', "o'neill"],
  ['c{n+900000000}', undefined],
])('the shipped script draws exactly the users of the set: %s, random %s', async (id, random) => {
  const callers: string[] = [];
  const target = createServer(({ headers }, response) => {
    callers.push(String(headers['x-user-id']));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  onTestFinished(() => {
    target.close();
  });
  const customers = { table: 'db.customers', rows: 50, columns: { id }, ...(random === undefined ? {} : { random }) };
  // The pool is another set's column: the UUIDs are made with the random text of the set that they come from.
  const logins = { table: 'db.logins', rows: 50, random: 'another', columns: { customer: '{customers.id}' } };
  const from = { set: 'logins', column: 'customer' };
  const profile = dataProfile({ stores, seed: { customers, logins } });
  const { users } = plannedSections({ ...profile, users: { strategy: 'pool', from } });
  if (users?.strategy !== 'pool') throw new Error('a pool is planned');
  const { code, output } = await runWorkload(['--vus', '2', '--iterations', '60'], {
    BASE_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}`,
    LOADCTL_PACING_MS: '0',
    LOADCTL_STRATEGY: 'pool',
    LOADCTL_POOL_SIZE: String(users.count),
    LOADCTL_POOL_ID: users.id,
    ...(users.random === undefined ? {} : { LOADCTL_POOL_RANDOM: users.random }),
  });
  expect(output + code).toMatch(/0$/);
  const inverse = columnInverse(profile.seed, { set: 'customers', column: 'id' });
  if (inverse === undefined) throw new Error('it is read back');
  const rows = callers.map((caller) => rowOf(inverse, caller));
  expect(rows.length).toBeGreaterThanOrEqual(60);
  expect(rows).not.toContain(undefined);
  expect(new Set(rows).size).toBeGreaterThan(20);
});

test('a run says beforehand that the pool is not there, or only part of it', async () => {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY)');
  const users = { table: 'db.users', rows: 100, columns: { id: 'user-{n}' } };
  const parts: DataProfile = { stores: { db: { kind: 'postgres', url } }, seed: { users } };
  const warned = async (given = parts) => {
    const context = dataContext(given);
    const profile = { ...context.profile, users: { strategy: 'pool' as const, from: { set: 'users', column: 'id' } } };
    await (await lockForRun({ ...context, profile })).release();
    return context.events.filter(({ type }) => type === 'warned');
  };
  const place = { store: 'db', shard: null };
  const missing = (row: string) => ({ type: 'warned', code: 'pool-missing', place, row, command: 'loadctl seed --env test' });
  expect(await warned()).toEqual([missing('users row 1 (id "user-1")')]);
  await seed(dataContext({ ...parts, seed: { users: { ...users, rows: 99 } } }));
  expect(await warned()).toEqual([missing('users row 100 (id "user-100")')]);
  await seed(dataContext(parts));
  expect(await warned()).toEqual([]);
  await sql('DROP TABLE users');
  expect(await warned()).toMatchObject([{ code: 'pool-unknown', set: 'users', why: expect.stringMatching(/users/) }]);
});
