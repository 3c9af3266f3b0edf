import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { type Workplace, workplace } from '../support/loadctl.js';

/* Ctrl-C while a seed that was refused halfway takes back what it wrote. */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const [users, orders] = [20_000, 3000];

/** Late rows of the second set are refused; what the first one wrote goes back a millisecond a row. */
const schema = `CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE orders (id text PRIMARY KEY, no int); INSERT INTO users VALUES ('real-1'), ('user-0');
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'order % is too late', NEW.no; END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.no = 2900) EXECUTE FUNCTION refuse();
  CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$;
  CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow()`;

function place(url: string): Workplace {
  const profile = {
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: '../script.js' },
    stores: { db: { kind: 'postgres', url } },
    seed: {
      users: { table: 'db.users', rows: users, columns: { id: 'user-{n}' } },
      orders: { table: 'db.orders', rows: orders, columns: { id: 'order-{n}', no: '{n}' } },
    },
    cleanup: { prefix: 'load-test-user-', settle: '5ms', pause: '1ms' },
  };
  return workplace({ 'profiles/dev.yaml': JSON.stringify(profile), 'script.js': '' });
}

const counted = ({ sql }: TestDatabase) =>
  sql(`SELECT (SELECT count(*)::int FROM users WHERE id ~ '^user-[1-9]') AS users, (SELECT count(*)::int FROM orders) AS orders`);
const others = ({ sql }: TestDatabase) => sql("SELECT id FROM users WHERE id !~ '^user-[1-9]' ORDER BY id");

/** Ends a seed while its rows go back. */
async function interrupted(database: TestDatabase, at: Workplace) {
  const run = at.start(['seed', '--env', 'dev']);
  await run.until('orders in db: failed');
  const isGoingBack = async () => Number((await counted(database))[0]?.users) < users;
  await expect.poll(isGoingBack, { interval: 5, timeout: 60_000 }).toBe(true);
  const begun = performance.now();
  run.process.kill('SIGINT');
  const said = await run.said;
  return { ...said, tookMs: performance.now() - begun };
}

test('ends within 5 s and says what is in; cleanup takes that out, and without the cause the same command ends right', async () => {
  const database = await testDatabase(server, schema);
  const at = place(database.url);
  const mine = await others(database);
  const { code, stderr, tookMs } = await interrupted(database, at);
  expect(tookMs).toBeLessThan(5000);
  expect(code, stderr).toBe(105);
  const [left] = await counted(database);
  expect(left).toEqual({ users: expect.any(Number), orders: 0 });
  expect(left?.users).toBeGreaterThan(0);
  const [, said = ''] = /order 2900 is too late; ([\d,]+) of 23,000 rows are in/.exec(stderr) ?? [];
  expect(Number(said.replaceAll(',', '')), stderr).toBe(left?.users);
  expect(stderr).toContain('What is in goes by: loadctl cleanup --env dev --seeded');

  await database.sql('ALTER TABLE users DISABLE TRIGGER slow');
  const again = await at.loadctl(['seed', '--env', 'dev']);
  expect(again.code, again.stderr).toBe(114);
  expect(await counted(database)).toEqual([left]); // only what this seed wrote goes back
  await database.sql('DROP TRIGGER refuse ON orders');
  expect(await at.loadctl(['seed', '--env', 'dev'])).toMatchObject({ code: 0 });
  expect(await counted(database)).toEqual([{ users, orders }]);
  const cleaned = await at.loadctl(['cleanup', '--env', 'dev', '--seeded']);
  expect(cleaned.code, cleaned.stderr).toBe(0);
  expect([await counted(database), await others(database)]).toEqual([[{ users: 0, orders: 0 }], mine]);
}, 180_000);
