import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { startRedis, startRedisCluster } from '../servers/redis.js';

/* A server that hangs in the middle of a batch, and an interrupt: it ends soon, and what it says is in, is in. */

const interrupt = () => new LoadctlError('interrupted', 'interrupted');
const ofUsers = { key: 'slow/user:user-{n}', rows: 60_000, value: 'Test User {n}' };
const few = { key: 'fast/few:{n}', rows: 10, value: 'x' };

/** A server that can be stopped and let go on. */
async function hanging(url: string) {
  const client = new Redis(url);
  const pid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
  const goOn = () => process.kill(pid, 'SIGCONT');
  onTestFinished(() => {
    goOn();
    client.disconnect();
  });
  return { client, hang: () => process.kill(pid, 'SIGSTOP'), goOn };
}

async function single() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return { store: { kind: 'redis', url: redis.url }, ...(await hanging(redis.url)) };
}

/** The first of three nodes. */
async function cluster() {
  const redis = await startRedisCluster({ replicas: false });
  onTestFinished(() => redis.stop());
  const nodes = redis.nodes();
  const [first = expect.unreachable()] = nodes;
  return {
    store: { kind: 'redis', cluster: nodes.map(({ port }) => `127.0.0.1:${port}`) },
    ...(await hanging(`redis://127.0.0.1:${first.port}`)),
  };
}

/** A context in which a server hangs when so much is in, and the interrupt comes once the next batch is on its way to it. */
function hangingHalfway(parts: DataProfile, hang: () => void) {
  const control = new AbortController();
  const context = dataContext(parts, { signal: control.signal });
  const { clock } = context.world;
  const at = { hung: false, abortedAt: 0 };
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type !== 'step-progressed' || event.total !== ofUsers.rows || at.hung || event.done < 20_000) return;
    at.hung = true;
    hang();
  };
  // Whoever waits so long waits for an answer.
  const sleep = (ms: number, signal?: AbortSignal) => {
    if (at.hung && ms >= 5000 && at.abortedAt === 0) {
      at.abortedAt = performance.now();
      setImmediate(() => control.abort(new LoadctlError('interrupted', 'interrupted')));
    }
    return clock.sleep(ms, signal);
  };
  return { at, context: { ...context, emit, world: { ...context.world, clock: { ...clock, sleep } } } };
}

test.each([
  ['a single one', single],
  ['a node of a cluster', cluster],
])('while entries are written: %s', { timeout: 60_000 }, async (name, start) => {
  const [fast, slow] = [await single(), await start()];
  const parts = { stores: { fast: fast.store, slow: slow.store }, seed: { few, users: ofUsers } };
  const { at, context } = hangingHalfway(parts, slow.hang);
  const failed = await seed(context).catch((error: unknown) => error);
  const tookMs = performance.now() - at.abortedAt;
  slow.goOn();
  expect(failed).toMatchObject({
    reason: 'interrupted',
    message: expect.stringMatching(/^seeding was interrupted; at least [\d,]+ of 60,010 entries are in$/),
  });
  const lines = failed instanceof LoadctlError ? failed.lines : [];
  expect(lines).toEqual(['few in fast: 10 of 10 entries', expect.stringMatching(/^users in slow: at least [\d,]+ of 60,000 entries$/)]);
  console.log(`an interrupt while ${name} hangs: ended after ${Math.round(tookMs)} ms, ${lines[1]}`);
  expect(tookMs).toBeLessThan(5000);
  expect(await fast.client.dbsize()).toBe(10);
});

test('what it says is in, is in, and the same command goes on from there', { timeout: 60_000 }, async () => {
  const slow = await single();
  const parts = { stores: { slow: slow.store }, seed: { users: ofUsers } };
  const { context } = hangingHalfway(parts, slow.hang);
  const said = await seed(context).then(String, (error: Error) => error.message);
  slow.goOn();
  const least = Number(/at least ([\d,]+) of 60,000/.exec(said)?.[1]?.replaceAll(',', ''));
  const there = await slow.client.dbsize();
  expect([said, there >= least, there < least + 5000]).toEqual([said, true, true]);
  await seed(dataContext(parts));
  expect(await slow.client.dbsize()).toBe(60_000);
});

test('while keys are cleaned up: a receipt is made', { timeout: 60_000 }, async () => {
  const { store, client, hang } = await single();
  const pipeline = client.pipeline();
  for (let n = 0; n < 50_000; n++) pipeline.set(`user:load-test-user-${n}`, 'x');
  await pipeline.exec();
  const control = new AbortController();
  const parts = { stores: { slow: store }, cleanup: { prefix: 'load-test-user-', keys: [{ match: 'slow/user:load-test-user-*' }] } };
  const context = dataContext(parts, { signal: control.signal });
  let abortedAt = 0;
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type !== 'step-started' || event.work.kind !== 'delete-test-data') return;
    hang();
    abortedAt = performance.now();
    control.abort(interrupt());
  };
  const { reasons, receipt } = await cleanup({ ...context, emit }, { dryRun: false, seeded: false });
  const tookMs = performance.now() - abortedAt;
  expect([reasons, receipt.proven]).toEqual([['cleanup-not-proven', 'interrupted'], false]);
  expect(receipt.lines).toContainEqual(expect.objectContaining({ kind: 'unknown', why: 'the cleanup was interrupted' }));
  expect(abortedAt).toBeGreaterThan(0);
  expect(tookMs).toBeLessThan(5000);
});
