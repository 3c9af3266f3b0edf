import { cpus } from 'node:os';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { canMakeGroups, preferProcess } from '../servers/control-group.js';
import { type RedisServer, startRedis, startRedisCluster } from '../servers/redis.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

type Info = Readonly<Record<string, string>>;

/** Fields of INFO, as redis-cli shows them. */
async function info(client: Redis): Promise<Info> {
  const lines = (await client.info()).split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => line.split(':', 2)));
}

/** How much of the time between two looks the serving thread was at work. */
function busyShare(before: Info, after: Info): number {
  const used = (of: Info) => Number(of.used_cpu_user_main_thread) + Number(of.used_cpu_sys_main_thread);
  return (used(after) - used(before)) / ((Number(after.server_time_usec) - Number(before.server_time_usec)) / 1e6);
}

async function server(): Promise<RedisServer & { readonly client: Redis }> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  return { ...redis, client };
}

/**
 * Keeps the one thread of a Redis at work, in pieces short enough for others to be answered between them; where control groups can
 * be made it goes before whatever else this machine is doing.
 */
function keepBusy(url: string, pid: number): { end(): Promise<void> } {
  if (canMakeGroups) preferProcess(pid);
  const worker = new Redis(url);
  let isOver = false;
  const work = async () => {
    while (!isOver) await worker.eval('local n = 0 for i = 1, 2000000 do n = n + i end return n', 0);
    worker.disconnect();
  };
  const working = work();
  const end = () => {
    isOver = true;
    return working;
  };
  onTestFinished(end);
  return { end };
}

test('a thread kept busy fails exactly cpu, at that Redis, while most of its machine is idle', async () => {
  const [busyOne, calmOne] = [await server(), await server()];
  const at = await watchedPlace(
    `monitors:
  busy: {kind: redis, url: "${busyOne.url}", every: 500ms, timeout: 500ms}
  calm: {kind: redis, url: "${calmOne.url}", every: 500ms, timeout: 500ms}
critical: {cpu: < 60%, memory: < 85%, calm.cpu: < 10%}`,
    '16s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  const released = await at.event(({ type }) => type === 'fleet-released');
  const before = await info(busyOne.client);
  const busy = keepBusy(busyOne.url, Number(before.process_id));
  const breached = await at.event(({ type }) => type === 'limit-breached');
  await at.event(({ type }) => type === 'load-ended');
  const after = await info(busyOne.client);
  await busy.end();
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(outcomesOf(at.judged())).toEqual({ cpu: 'fail', memory: 'pass', 'calm.cpu': 'pass' });
  const { actual, monitored } = rowOf(at.judged(), 'cpu');
  expect(monitored).toMatchObject({ monitor: 'busy', source: `127.0.0.1:${busyOne.port}`, stat: 'avg' });
  const share = busyShare(before, after);
  expect(Math.abs((actual ?? 0) - share)).toBeLessThan(0.1);
  expect(share).toBeGreaterThan(0.6);
  // Nobody who looks at all the CPUs of the machine sees that it is full.
  expect(share / cpus().length).toBeLessThan(0.6);
  expect(breached.t - released.t).toBeLessThan(15_000);
  expect(at.told('limit-breached')).toMatchObject([{ limit: { name: 'cpu' }, monitor: 'busy' }]);
});

test('memory, keys and counters are those of INFO; lists and sorted sets are added up, a stream’s group has its lag', async () => {
  const { client, url } = await server();
  await client.config('SET', 'maxmemory', '200mb');
  await client.rpush('jobs', ...Array.from({ length: 1200 }, (_, index) => `job ${index}`));
  await client.zadd('later', ...Array.from({ length: 800 }, (_, index) => [index, `later ${index}`]).flat());
  await client.xgroup('CREATE', 'orders', 'billing', '$', 'MKSTREAM');
  const pipeline = client.pipeline();
  for (let index = 0; index < 2000; index += 1) pipeline.xadd('orders', '*', 'n', index);
  await pipeline.exec();
  await client.xreadgroup('GROUP', 'billing', 'one', 'COUNT', 30, 'STREAMS', 'orders', '>');
  const at = await watchedPlace(
    `stores: {cache: {kind: redis, url: "${url}"}}
monitors:
  cache: {kind: redis, store: cache, every: 500ms, timeout: 500ms}
  jobs: {kind: queue, store: cache, list: jobs, zset: [later]}
  orders: {kind: queue, store: cache, stream: orders, group: billing}
critical: {memory: < 90%, queueDepth: < 1999, jobs.depth: < 1000, orders.depth: < 1000, orders.pending: < 31, orders.age: "> 1s", cache.evictions: "< 1"}`,
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  await at.event(({ type }) => type === 'load-ended');
  const after = await info(client);
  const groups = (await client.xinfo('GROUPS', 'orders')) as [(string | number)[]];
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const verdict = at.judged();
  const group = (field: string) => groups[0][groups[0].indexOf(field) + 1];
  expect(rowOf(verdict, 'queueDepth')).toMatchObject({ outcome: 'fail', actual: 2000, monitored: { monitor: 'jobs' } });
  expect(rowOf(verdict, 'jobs.depth')).toMatchObject({ outcome: 'fail', actual: 2000 });
  expect(rowOf(verdict, 'orders.depth')).toMatchObject({ outcome: 'fail', actual: group('lag') });
  expect(group('lag')).toBe(1970);
  expect(rowOf(verdict, 'orders.pending')).toMatchObject({ outcome: 'pass', actual: group('pending') });
  expect(rowOf(verdict, 'cache.evictions')).toMatchObject({ outcome: 'pass', actual: Number(after.evicted_keys) });
  expect(Math.abs((rowOf(verdict, 'memory').actual ?? 0) - Number(after.used_memory) / Number(after.maxmemory))).toBeLessThan(0.02);
});

test('in a cluster each primary is a source; over a failover both its successor and the queue in it are followed', async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const [first, ...others] = cluster.primaries;
  const lists = await fill(cluster.primaries[0]?.address ?? '');
  const nodes = cluster.primaries.map(({ address }) => `"${address}"`).join(', ');
  const at = await watchedPlace(
    `stores: {cache: {kind: redis, cluster: [${nodes}]}}
monitors:
  cache: {kind: redis, store: cache, every: 500ms, timeout: 500ms}
  jobs: {kind: queue, store: cache, list: [${lists.join(', ')}], every: 500ms, timeout: 500ms, required: false}
critical: {cache.clients: < 90%}`,
    '30s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  first?.signal('SIGKILL');
  const successor = cluster.replicas[0];
  await expect.poll(() => at.lines().some(({ source }) => source === successor?.address), { timeout: 20_000 }).toBe(true);
  const looked = await Promise.all(others.map(async ({ client, address }) => ({ address, ...(await bounded(() => info(client))) })));
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const told = at.lines().filter(({ monitor, values }) => monitor === 'cache' && values !== undefined);
  expect(new Set(told.map(({ source }) => source))).toEqual(
    new Set([first, ...others].map((node) => node?.address).concat(successor?.address)),
  );
  expect(at.lines().filter(({ gone }) => gone === true)).toMatchObject([{ source: first?.address }]);
  for (const { address, from, to, value } of looked) {
    const own = told.filter(({ source }) => source === address) as ((typeof told)[number] & { at: number })[];
    expect(own.length).toBeGreaterThan(40);
    // A counter lies between what was told before and after INFO was asked by hand.
    const commands = Number(value.total_commands_processed);
    expect(own.findLast((line) => line.at < from - 100)?.values?.commands).toBeLessThanOrEqual(commands);
    expect(own.find((line) => line.at > to + 100)?.values?.commands).toBeGreaterThan(commands);
  }
  const depths = at.lines().filter(({ monitor, t }) => monitor === 'jobs' && t > released(at.events()) + 20_000);
  expect(depths.length).toBeGreaterThan(10);
  expect(new Set(depths.map(({ values }) => values?.depth))).toEqual(new Set([900]));
});

function released(events: readonly { readonly type: string; readonly t: number }[]): number {
  return events.find(({ type }) => type === 'fleet-released')?.t ?? 0;
}

/** Nine lists of 100 entries, in slots all over the cluster; their names. */
async function fill(address: string): Promise<string[]> {
  const { Cluster } = await import('ioredis');
  const [host = '', port = ''] = address.split(':');
  const client = new Cluster([{ host, port: Number(port) }]);
  onTestFinished(() => client.disconnect());
  const names = Array.from({ length: 9 }, (_, index) => `jobs:${index}`);
  for (const name of names) await client.rpush(name, ...Array.from({ length: 100 }, (_, index) => `job ${index}`));
  client.disconnect();
  return names;
}

/** A value, with the wall clock before and after it was asked for. */
async function bounded<T>(ask: () => Promise<T>): Promise<{ readonly from: number; readonly to: number; readonly value: T }> {
  const from = Date.now();
  const value = await ask();
  return { from, to: Date.now(), value };
}
