import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { type DataProfile, dataContext, whenWaiting } from '../servers/data-context.js';
import { promote, startPrimaryAndStandby } from '../servers/standby.js';
import { startPostgresProxy } from '../servers/tcp-proxy.js';

/* A standby that becomes the primary while a cleanup is at work. */

const real = { dryRun: false, seeded: false };
const [tests, others] = [20_000, 1000];

/** A primary with rows of the test, and its standby. */
async function startShop() {
  const servers = await startPrimaryAndStandby();
  const sql = await connection(servers.primary);
  await sql(`CREATE TABLE users (user_id text PRIMARY KEY); INSERT INTO users SELECT 'real-' || n FROM generate_series(1, ${others}) n;
    INSERT INTO users SELECT 'load-test-user-' || n FROM generate_series(1, ${tests}) n`);
  const onStandby = await connection(servers.standby);
  const copied = async () => Number((await onStandby('SELECT count(*)::int FROM users'))[0]?.count);
  await expect.poll(copied, { timeout: 30_000 }).toBe(tests + others);
  return { ...servers, sql, onStandby };
}

async function connection(url: string) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows;
}

const profile = (url: string, more: Record<string, unknown> = {}, guards = {}): DataProfile => ({
  stores: { db: { kind: 'postgres', url, ...more } },
  cleanup: { settle: '10ms', pause: '20ms', rows: [{ table: 'db.users', column: 'user_id' }] },
  guards,
});

const portOf = (url: string) => Number(new URL(url).port);
const counts =
  "SELECT count(*) FILTER (WHERE user_id LIKE 'real-%')::int AS others, count(*) FILTER (WHERE user_id LIKE 'load%')::int AS tests FROM users";

/** The same context, which does something once some rows are out. */
function whenSomeAreOut<Context extends ReturnType<typeof dataContext>>(context: Context, work: () => Promise<unknown>): Context {
  let done: Promise<unknown> | undefined;
  const { clock } = context.world;
  const emit: Context['emit'] = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed' && event.done > 0) done ??= work();
  };
  const sleep = async (ms: number, signal?: AbortSignal) => {
    await done;
    return clock.sleep(ms, signal);
  };
  return { ...context, emit, world: { ...context.world, clock: { ...clock, sleep } } };
}

test.each([
  ['while rows go', whenSomeAreOut],
  ['when all are out, before the last count', whenWaiting],
])('behind the same address, %s: nothing is proven by what the old one said, and the same command ends right', async (_, when) => {
  const { primary, standby, failOver, sql, onStandby } = await startShop();
  const proxy = await startPostgresProxy(portOf(primary));
  // Somebody is at work, so that there is something to wait for.
  await sql("BEGIN; INSERT INTO users VALUES ('real-last')");
  const swap = async () => {
    proxy.leadTo(portOf(standby));
    await failOver();
  };
  const parts = profile(proxy.through(primary));
  const outcome = await cleanup(when(dataContext(parts), swap), real).catch((error: LoadctlError) => error);
  if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'unavailable' });
  else expect(outcome.receipt.proven).toBe(false);
  const [left] = await onStandby(counts);
  expect(left?.others).toBe(others);
  const { receipt } = await cleanup(dataContext(parts), real);
  expect([receipt.proven, await onStandby(counts)]).toEqual([true, [{ others, tests: 0 }]]);
});

test('a replica that the rows of others are counted on: it follows nobody any more, and the receipt says so', async () => {
  const { primary, standby, sql } = await startShop();
  const parts = profile(primary, { replica: standby }, { receipt: 'full' });
  const { receipt } = await cleanup(
    whenSomeAreOut(dataContext(parts), () => promote(standby)),
    real,
  );
  expect(receipt.proven).toBe(false);
  const why = expect.stringMatching(/^db: 127\.0\.0\.1:\d+ is not a replica$/);
  expect(receipt.lines).toMatchObject([{ kind: 'unknown', what: 'rows and keys of others (receipt: full)', why }]);
  expect(await sql(counts)).toEqual([{ others, tests: 0 }]);
});
