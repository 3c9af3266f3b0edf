import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { startPostgres } from '../servers/postgres.js';
import { probeOf } from '../support/probe.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

describe.skipIf(!hasPgBouncer())('PgBouncer', () => {
  test('tells of clients that wait for a connection', async () => {
    const db = await startPostgres({});
    onTestFinished(() => db.stop());
    const url = await startPgBouncer(db.url, { mode: 'transaction', size: 2 });
    const admin = new URL(url);
    admin.pathname = '/pgbouncer';
    const at = await watchedPlace(
      `monitors: {pool: {kind: pgbouncer, url: "${admin}"}}\ncritical: {pool.waiting: < 1, pool.maxWait: < 1s}`,
      '10s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const clients = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        onTestFinished(() => client.end());
        return client;
      }),
    );
    await Promise.all(clients.map((client) => client.query('SELECT pg_sleep(3)')));
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    expect(rowOf(at.judged(), 'pool.waiting')).toMatchObject({ outcome: 'fail', actual: 3 });
    expect(rowOf(at.judged(), 'pool.maxWait').actual).toBeGreaterThan(2000);
  });

  test('that has no such database tells nothing of its pools, and says so, until a client of it comes', async () => {
    const db = await startPostgres({});
    onTestFinished(() => db.stop());
    const url = await startPgBouncer(db.url, { mode: 'transaction', size: 2 });
    const admin = new URL(url);
    admin.pathname = '/pgbouncer';
    const pool = (database: string) =>
      probeOf({ name: 'pool', kind: 'pgbouncer', url: admin.toString(), database, every: 1000, timeout: 1000, required: true });
    const [known, mistyped] = [pool('postgres'), pool('postgers')];
    expect(await known.look()).toEqual([{ source: expect.any(String) }]);
    await (await connected(url)).query('SELECT 1');
    expect(await known.look()).toMatchObject([{ values: { clients: 1, waiting: 0 } }]);
    expect(known.remarks?.()).toEqual([]);
    expect(await mistyped.look()).toEqual([{ source: expect.any(String) }]);
    expect(mistyped.remarks?.().join()).toMatch(/has no database postgers/);
  });

  test('whose pool is full fails exactly that limit; the database behind it is what pg_stat_activity says', async () => {
    const db = await startPostgres({});
    onTestFinished(() => db.stop());
    const direct = await connected(db.url);
    const url = await startPgBouncer(db.url, { mode: 'session', size: 5 });
    const admin = new URL(url);
    admin.pathname = '/pgbouncer';
    const console = await connected(admin.toString());
    const at = await watchedPlace(
      `stores: {db: {kind: postgres, url: "${url}"}}
monitors: {db: {kind: postgres, url: "${url}"}, pool: {kind: pgbouncer, url: "${admin}", database: postgres}}
critical: {dbConnections: < 90%, db.connectionsUsed: < 100, pool.waiting: < 1, pool.servers: < 6}`,
      '10s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const clients = await Promise.all(Array.from({ length: 10 }, () => connected(url)));
    const asked = clients.map((client) => client.query('SELECT 1'));
    const pools = async () => (await console.query('SHOW POOLS')).rows.find(({ database }) => database === 'postgres');
    await expect.poll(async () => Number((await pools()).sv_active), { timeout: 10_000 }).toBe(5);
    const pool = await pools();
    const { rows } = await direct.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'");
    await at.event(({ type }) => type === 'load-ended');
    for (const client of clients) void client.end();
    await Promise.allSettled(asked);
    const said = await running.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const verdict = at.judged();
    expect(outcomesOf(verdict)).toEqual({
      dbConnections: 'pass',
      'db.connectionsUsed': 'pass',
      'pool.waiting': 'fail',
      'pool.servers': 'pass',
    });
    expect(rowOf(verdict, 'pool.waiting')).toMatchObject({ actual: Number(pool.cl_waiting), monitored: { monitor: 'pool' } });
    expect(Number(pool.cl_waiting)).toBeGreaterThan(4);
    expect(rowOf(verdict, 'pool.servers').actual).toBe(5);
    expect(rowOf(verdict, 'db.connectionsUsed').actual).toBe(rows[0].n);
    expect(at.lines().filter(({ error }) => error !== undefined)).toEqual([]);
  });
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}
