import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { startPrimaryAndStandby } from '../servers/standby.js';
import { probeOf } from '../support/probe.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

async function server(settings: readonly string[] = [], shards = 0): Promise<PostgresServer> {
  const started = await startPostgres({ settings, shards });
  onTestFinished(() => started.stop());
  return started;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** A role that may log in, and nothing else. */
async function ordinaryRole({ url }: PostgresServer, superuser: pg.Client): Promise<string> {
  await superuser.query("CREATE ROLE plain LOGIN PASSWORD 'plain'");
  const login = new URL(url);
  login.username = 'plain';
  login.password = 'plain';
  return login.toString();
}

const full = ['max_connections=25', 'superuser_reserved_connections=3', 'reserved_connections=2'];
/** What ordinary roles may have of those. */
const usable = 20;

async function countIn(client: pg.Client): Promise<number> {
  const { rows } = await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'");
  return rows[0].n;
}

test('connections held up to exactly 95% fail the limit as pg_stat_activity counts them, and keep one of 96%', async () => {
  const db = await server(full);
  const superuser = await connected(db.url);
  const url = await ordinaryRole(db, superuser);
  const at = await watchedPlace(
    `stores: {db: {kind: postgres, url: "${url}"}}
monitors: {db: {kind: postgres, store: db, every: 500ms, timeout: 500ms}}
critical: {dbConnections: < 90%, db.connections: < 96%, db.connectionsUsed: < 20}`,
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  // The superuser's and loadctl's own are among them.
  while ((await countIn(superuser)) < 19) await connected(url);
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(outcomesOf(at.judged())).toEqual({ dbConnections: 'fail', 'db.connections': 'pass', 'db.connectionsUsed': 'pass' });
  expect(rowOf(at.judged(), 'dbConnections')).toMatchObject({ actual: 0.95, monitored: { monitor: 'db', stat: 'max' } });
});

test('a full database is still seen over the connection that is held, and one that refuses it is full', async () => {
  const db = await server(full);
  const superuser = await connected(db.url);
  const url = await ordinaryRole(db, superuser);
  const at = await watchedPlace(
    `monitors: {db: {kind: postgres, url: "${url}", every: 500ms, timeout: 500ms}}
critical: {dbConnections: < 90%, db.connectionsUsed: < 21}`,
    '18s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  while (await connected(url).catch(() => undefined));
  // Who was refused is among them for a moment.
  await expect.poll(() => countIn(superuser)).toBe(usable);
  await at.event(({ type }) => type === 'limit-breached');
  const before = at.lines().length;
  expect(at.lines().filter(({ error }) => error !== undefined)).toEqual([]);
  // Another client takes the place of the connection that was held: from now on the monitor is let in no more.
  await superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'loadctl/%'");
  while (!(await connected(url).catch(() => undefined)));
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(outcomesOf(at.judged())).toEqual({ dbConnections: 'fail', 'db.connectionsUsed': 'pass' });
  const row = rowOf(at.judged(), 'dbConnections');
  expect(row).toMatchObject({ actual: 1, monitored: { monitor: 'db', source: expect.stringContaining(new URL(url).port) } });
  const after = at.lines().slice(before);
  const refused = after.filter(({ values }) => values?.commits === undefined && values?.connections === usable);
  expect(refused.length).toBeGreaterThan(5);
  expect(after.length - refused.length).toBeLessThan(4);
  expect(at.told('limit-breached')).toMatchObject([{ limit: { name: 'dbConnections' }, monitor: 'db', actual: { value: 1 } }]);
  expect(at.told('limit-recovered')).toMatchObject([{ limit: { name: 'dbConnections' }, over: true }]);
  expect(said.stderr).toContain('pg_monitor');
  // To whom it was full from the beginning, it is full, and nobody knows how many that are.
  const stranger = probeOf({ name: 'late', kind: 'postgres', url, every: 1000, timeout: 1000, required: true });
  expect((await stranger.look()).map(({ values }) => values)).toEqual([{ connections: 1, usable: 1 }]);
});

test('an ordinary role counts all sessions, as a superuser does; locks and idle transactions need pg_monitor', async () => {
  const db = await server();
  const superuser = await connected(db.url);
  const url = await ordinaryRole(db, superuser);
  await superuser.query("CREATE ROLE seeing LOGIN PASSWORD 'seeing' IN ROLE pg_monitor; CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const idle = await connected(db.url);
  await idle.query('BEGIN; LOCK TABLE t');
  const waiting = await connected(db.url);
  const stuck = waiting.query('SELECT * FROM t').catch(() => undefined);
  const seeing = new URL(url);
  seeing.username = seeing.password = 'seeing';
  const at = await watchedPlace(
    `monitors:
  plain: {kind: postgres, url: "${url}"}
  seeing: {kind: postgres, url: "${seeing}"}
critical: {plain.connectionsUsed: < 100, seeing.connectionsUsed: < 100, seeing.waiting: < 1, seeing.idleInTransaction: < 1}`,
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  const sessions = await countIn(superuser);
  const said = await running.said;
  await idle.query('ROLLBACK');
  await stuck;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const verdict = at.judged();
  expect(rowOf(verdict, 'plain.connectionsUsed').actual).toBe(sessions);
  expect(rowOf(verdict, 'seeing.connectionsUsed').actual).toBe(sessions);
  expect(rowOf(verdict, 'seeing.waiting')).toMatchObject({ outcome: 'fail', actual: 1 });
  expect(rowOf(verdict, 'seeing.idleInTransaction')).toMatchObject({ outcome: 'fail', actual: 1 });
  const [plain] = at.lines().filter(({ monitor }) => monitor === 'plain');
  expect(Object.keys(plain?.values ?? {})).not.toContain('waiting');
});

test('four shards with 900 entries each fail a depth of 1,000, and pass one of 4,000', async () => {
  const db = await server([], 4);
  for (const url of db.shards) {
    const client = await connected(url);
    await client.query(`CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Queue Entries"
      (id int, status text, "createdAt" timestamptz DEFAULT now() - interval '1 minute')`);
    await client.query(`INSERT INTO "Shop"."Queue Entries" SELECT n, 'waiting' FROM generate_series(1, 900) n`);
    await client.query(`INSERT INTO "Shop"."Queue Entries" SELECT n, 'done' FROM generate_series(1, 5000) n`);
  }
  const at = await watchedPlace(
    `stores: {db: {kind: postgres, shards: [${db.shards.map((url) => `"${url}"`).join(', ')}], shardBy: id % 4}}
monitors: {jobs: {kind: queue, store: db, table: 'Shop."Queue Entries"', where: "status = 'waiting' -- not taken", age: createdAt}}
critical: {queueDepth: < 1000, jobs.depth: < 4000, jobs.age: < 30s}`,
  );
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const verdict = at.judged();
  expect(rowOf(verdict, 'queueDepth')).toMatchObject({ outcome: 'fail', actual: 3600, monitored: { monitor: 'jobs' } });
  expect(rowOf(verdict, 'queueDepth').monitored?.source).toBeUndefined();
  expect(rowOf(verdict, 'jobs.depth')).toMatchObject({ outcome: 'pass', actual: 3600 });
  expect(rowOf(verdict, 'jobs.age').actual).toBeGreaterThan(60_000);
  const again = await at.loadctl(['verify', '--json'], at.env);
  expect(JSON.parse(again.stdout).criteria).toEqual(verdict.criteria);
});

test('of shards on servers of their own the one with most connections is judged and named', async () => {
  const shards = await Promise.all([server(full), server(full)]);
  const second = await connected(shards[1]?.url ?? '');
  const at = await watchedPlace(
    `stores: {db: {kind: postgres, shards: [${shards.map(({ url }) => `"${url}"`).join(', ')}], shardBy: id % 2}}
monitors: {db: {kind: postgres, store: db}}
critical: {dbConnections: < 50%}`,
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  while ((await countIn(second)) < 12) await connected(shards[1]?.url ?? '');
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const source = `127.0.0.1:${shards[1]?.port}/postgres`;
  expect(rowOf(at.judged(), 'dbConnections')).toMatchObject({ outcome: 'fail', actual: 12 / usable, monitored: { monitor: 'db', source } });
  expect(new Set(at.lines().map((line) => line.source)).size).toBe(2);
});

test('a standby that is behind fails the lag, and is named', async () => {
  const { primary, standby } = await startPrimaryAndStandby();
  const [writer, follower] = [await connected(primary), await connected(standby)];
  await writer.query('CREATE TABLE t (a int)');
  const at = await watchedPlace(
    `stores: {db: {kind: postgres, url: "${primary}", replica: "${standby}"}}
monitors: {db: {kind: postgres, store: db}}
critical: {db.lag: < 2s}`,
    '10s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  await follower.query('SELECT pg_wal_replay_pause()');
  await writer.query('INSERT INTO t VALUES (1)');
  await at.event(({ type }) => type === 'load-ended');
  const lag = `SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 * 1000 AS ms`;
  const { rows } = await follower.query(lag);
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const row = rowOf(at.judged(), 'db.lag');
  expect(row).toMatchObject({ outcome: 'fail', monitored: { monitor: 'db', source: expect.stringContaining(new URL(standby).port) } });
  expect(Math.abs((row.actual ?? 0) - rows[0].ms)).toBeLessThan(2500);

  // Who gets nothing any more has replayed all that he got, and is behind all the same.
  await follower.query('SELECT pg_wal_replay_resume()');
  const probe = probeOf({ name: 'standby', kind: 'postgres', url: standby, every: 1000, timeout: 1000, required: true });
  const lagNow = async () => (await probe.look())[0]?.values?.lagMs;
  await expect.poll(lagNow, { timeout: 10_000 }).toBe(0);
  await writer.query("ALTER ROLE postgres PASSWORD 'changed'; SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  const isFed = async () => (await follower.query('SELECT pid FROM pg_stat_wal_receiver')).rowCount;
  await expect.poll(isFed, { timeout: 10_000 }).toBe(0);
  await writer.query('INSERT INTO t VALUES (2)');
  const { rows: replayed } = await follower.query('SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AS all');
  expect(replayed).toEqual([{ all: true }]);
  expect(await lagNow()).toBeGreaterThan(0);
});
