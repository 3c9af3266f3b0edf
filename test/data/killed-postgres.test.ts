import { setTimeout as passes } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/receipt.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';

/** How often each command is killed. */
const moments = Number(process.env.LOADCTL_KILLS ?? 20);
const rows = 120_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ shards: 2 });
});
afterAll(() => server.stop());

const schema = `CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, name text NOT NULL);
  CREATE TABLE reservations (id serial PRIMARY KEY, user_id text NOT NULL);
  INSERT INTO users SELECT 'real-' || n, 'real' || n, 'Real' FROM generate_series(1, 500) n;
  INSERT INTO reservations (user_id) SELECT 'real-' || n FROM generate_series(1, 500) n;
  INSERT INTO reservations (user_id) VALUES ('load-test-userX-1'), ('load_test_user_1'), ('LOAD-TEST-USER-1');`;

const profile = (shards: readonly string[]) => `
target: {url: "http://127.0.0.1:1"}
workload: {script: ../script.js}
stores: {db: {kind: postgres, shards: ${JSON.stringify(shards)}, shardBy: id % 2}}
seed: {users: {table: db.users, rows: ${rows}, columns: {id: "user-{n}", email: "user{n}@test.com", name: "Test User {n}"}}}
cleanup: {settle: 20ms, pause: 1ms, rows: [{table: db.reservations, column: user_id}]}
guards: {receipt: full}
`;

/** Kills a command some time after it began to work; how long it takes undisturbed is known. */
async function killed(place: Workplace, args: readonly string[], wholeMs: number): Promise<void> {
  const run = place.start(args);
  await Promise.race([passes(Math.random() * wholeMs), run.said]);
  run.process.kill('SIGKILL');
  await run.said;
}

test('killed at any moment of seed and cleanup: the same command again ends right, with a true receipt', {
  timeout: 20_000 + moments * 30_000,
}, async () => {
  const databases = await Promise.all([0, 1].map(() => testDatabase(server, schema)));
  const place = workplace({ 'profiles/dev.yaml': profile(databases.map(({ url }) => url)), 'script.js': '' });
  const all = async (sql: string) => (await Promise.all(databases.map((database) => database.sql(sql)))).flat();
  const others = () =>
    all(
      `SELECT (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u WHERE id LIKE 'real-%') AS users,
        (SELECT md5(string_agg(r::text, ',' ORDER BY id)) FROM reservations r WHERE user_id NOT LIKE 'load-test-user-%') AS reservations`,
    );
  const untouched = await others();
  const timed = async (args: readonly string[]) => {
    const begun = performance.now();
    expect(await place.loadctl(args)).toMatchObject({ code: 0 });
    return performance.now() - begun;
  };
  const write = () => all("INSERT INTO reservations (user_id) SELECT 'load-test-user-r-' || n FROM generate_series(1, 40000) n");
  const seeding = ['seed', '--env', 'dev'];
  const cleaning = ['cleanup', '--env', 'dev', '--seeded', '--json'];
  const seedMs = await timed(seeding);
  await write();
  const cleanMs = await timed(cleaning);

  for (let moment = 1; moment <= moments; moment++) {
    await killed(place, seeding, seedMs);
    expect(await place.loadctl(seeding)).toMatchObject({ code: 0 });
    expect(
      await all(
        "SELECT count(*)::int, count(*) FILTER (WHERE email = replace(id, '-', '') || '@test.com' AND name = 'Test User ' || substr(id, 6))::int AS right FROM users WHERE id LIKE 'user-%'",
      ),
    ).toEqual([
      { count: rows / 2, right: rows / 2 },
      { count: rows / 2, right: rows / 2 },
    ]);
    await write();
    await killed(place, cleaning, cleanMs);
    const said = await place.loadctl(cleaning);
    const receipt = JSON.parse(said.stdout) as Receipt;
    expect([said.code, receipt.proven, receipt.rows.every(({ left }) => left === 0)]).toEqual([0, true, true]);
    for (const other of receipt.others) expect([other.after, other.sumAfter]).toEqual([other.before, other.sumBefore]);
    expect(
      await all('SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM reservations) AS reservations'),
    ).toEqual([
      { users: 500, reservations: 503 },
      { users: 500, reservations: 503 },
    ]);
    expect(await others()).toEqual(untouched);
  }
});
