import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Reservations, startReservations } from '../servers/reservations.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';

const key = 'main-job-0123456789abcdef-0123456789';
const dev = fileURLToPath(new URL('../../profiles/dev.yaml', import.meta.url));

const small = `
extends: ${dev}
environment: dev
workload: {vus: 20, duration: 5s, ramp: 1s}
sla: {throughput: 15/s}
`;
const strategies = {
  pool: small,
  bypass: `${small}users: {strategy: bypass, key: "\${BYPASS_KEY}", expires: 1h}\n`,
};

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations({ bypassKey: key, loadTest: true });
});
afterAll(() => reservations.stop());
beforeEach(async () => {
  await reservations.redis.flushdb();
  await reservations.pool.query(`DELETE FROM users WHERE id LIKE 'user-%'`);
  for (const table of ['payments', 'queue_entries', 'reservations']) await reservations.pool.query(deleteOurs(table));
});

function deleteOurs(table: string): string {
  const ours = `SELECT id FROM reservations WHERE user_id LIKE 'load-test-user-%'`;
  return `DELETE FROM ${table} WHERE ${table === 'payments' ? `reservation_id IN (${ours})` : `user_id LIKE 'load-test-user-%'`}`;
}

function place(profile: string): { at: Workplace; loadctl: (...args: string[]) => Promise<Said> } {
  const at = workplace({ 'profiles/dev.yaml': profile });
  const env = { BASE_URL: reservations.service.url, DB_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl, BYPASS_KEY: key };
  return { at, loadctl: (...args) => at.loadctl([...args, '--env', 'dev'], env) };
}

test.each(['pool', 'bypass'] as const)(
  'strategy %s: after seed, run and cleanup all that is not test data is what it was',
  async (strategy) => {
    const { at, loadctl } = place(strategies[strategy]);
    const before = await dump();

    expect(await loadctl('seed')).toMatchObject({ code: 0 });
    const ran = await loadctl('run', '--json');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const written = await reservations.pool.query(
      `SELECT count(*)::int AS n, bool_and(starts_with(user_id, 'load-test-user-')) AS ours FROM reservations WHERE id <> ALL ($1)`,
      [before.reservations],
    );
    expect(written.rows[0]).toMatchObject({ ours: true });
    expect(written.rows[0].n).toBeGreaterThan(5);
    const cleaned = await loadctl('cleanup', '--seeded', '--json');
    expect(cleaned, cleaned.stderr).toMatchObject({ code: 0 });

    expect(await dump()).toEqual(before);
    const receipt = JSON.parse(cleaned.stdout) as { proven: boolean; rows: { left: number }[]; keys: { left: number }[] };
    expect(receipt.proven).toBe(true);
    expect(JSON.parse(readFileSync(join(at.latestRun(), 'receipt.json'), 'utf8'))).toMatchObject({ proven: true, rows: receipt.rows });
    expect([...receipt.rows, ...receipt.keys].map(({ left }) => left)).toEqual([...receipt.rows, ...receipt.keys].map(() => 0));
  },
);

test('one run per database at a time: the second one is refused, says who holds the lock, and touches nothing', async () => {
  const { at, loadctl } = place(strategies.pool);
  await loadctl('seed');
  const env = { BASE_URL: reservations.service.url, DB_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl };
  const first = at.start(['run', '--env', 'dev', '--set', 'workload.duration=5m'], env);
  await first.until('the load begins');

  for (const phase of ['run', 'seed', 'cleanup']) {
    const second = await loadctl(phase);
    expect(second.code, phase).toBe(112);
    expect(second.stderr).toMatch(/loadctl\/2\d{7}-\d{6}-\w{5}/);
  }
  first.process.kill('SIGTERM');
  expect((await first.said).code).toBe(105);
});

test('test --json: all four phases, one document, nothing left', async () => {
  const { loadctl } = place(strategies.pool);
  const before = await dump();

  const said = await loadctl('test', '--seeded', '--json');

  expect(said, said.stderr).toMatchObject({ code: 0 });
  const result = JSON.parse(said.stdout) as { verdict: { verdict: string }; receipt: { proven: boolean }; exitCodes: number[] };
  expect(result.verdict.verdict).toBe('pass');
  expect(result.receipt.proven).toBe(true);
  expect(await dump()).toEqual(before);
});

test('test cleans up after a seeding that failed, and leaves the row that stood in the way', async () => {
  const { loadctl } = place(strategies.pool);
  await reservations.pool.query(`INSERT INTO users (id, email, name) VALUES ('user-7', 'somebody@else.com', 'Somebody Else')`);
  const before = await dump();

  const said = await loadctl('test');

  expect(said.code).toBe(114);
  expect(said.stdout + said.stderr).toContain('user-7');
  expect(said.stdout).toContain('nothing of the test is left');
  expect(await dump()).toEqual(before);
});

/** Every row of every table, and every key with its value. */
async function dump(): Promise<{ tables: Record<string, unknown>; keys: Record<string, unknown>; reservations: string[] }> {
  const names = await reservations.pool.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  const tables: Record<string, unknown> = {};
  for (const { tablename } of names.rows)
    tables[tablename] = (await reservations.pool.query(`SELECT t::text AS row FROM "${tablename}" t ORDER BY 1`)).rows;
  const keys: Record<string, unknown> = {};
  for (const name of (await reservations.redis.keys('*')).sort()) keys[name] = await reservations.redis.get(name);
  const ids = await reservations.pool.query<{ id: string }>('SELECT id FROM reservations ORDER BY 1');
  return { tables, keys, reservations: ids.rows.map(({ id }) => id) };
}
