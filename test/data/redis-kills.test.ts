import fc from 'fast-check';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../servers/redis.js';
import { type Workplace, workplace } from '../support/loadctl.js';

let single: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster({ replicas: false })]);
});
afterAll(() => Promise.all([single.stop(), cluster.stop()]));

/** How often each command is killed at a single Redis; at a cluster a third as often. */
const kills = Number(process.env.LOADCTL_KILLS ?? 10);
const timeout = 20_000 + kills * 20_000;

const rows = 12_000;
const users = { key: 'cache/user:user-{n}', rows, value: { id: 'user-{n}', name: 'Test User {n}' }, ttl: '1h' };
const profiles = { key: 'cache/profile:{n}', rows: 2000, value: { id: 'user-{n}', age: 7 }, as: 'hash' };
const keys = [{ match: 'cache/user:load-test-user-*' }, { key: 'cache/queue:waiting', members: 'load-test-user-*' }];

function place(store: Record<string, unknown>): Workplace {
  const profile = {
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: 'k6.js' },
    stores: { cache: { kind: 'redis', ...store } },
    seed: { users, profiles },
    cleanup: { prefix: 'load-test-user-', keys, settle: '10ms' },
  };
  return workplace({ 'profiles/dev.yaml': JSON.stringify(profile), 'profiles/k6.js': 'export default () => {}' });
}

/** Starts a command and kills it so long after it said something; hands back whether it was killed in time. */
async function kill(at: Workplace, args: readonly string[], after: RegExp, ms: number): Promise<boolean> {
  const { process: child, said, until } = at.start([...args, '--env', 'dev']);
  await until(after);
  setTimeout(() => child.kill('SIGKILL'), ms);
  return (await said).code === null;
}

/** What the servers hold, as texts: every key with its value. */
type Look = () => Promise<Map<string, string>>;

function lookAt(clients: readonly Redis[]): Look {
  const read = async (client: Redis): Promise<[string, string][]> => {
    const keys = await client.keys('*');
    const pipeline = client.pipeline();
    for (const key of keys) {
      if (key.startsWith('queue:')) pipeline.lrange(key, 0, -1);
      else if (key.startsWith('profile:')) pipeline.hgetall(key);
      else pipeline.get(key);
    }
    const values = (await pipeline.exec()) ?? [];
    return keys.map((key, index) => [key, JSON.stringify(values[index]?.[1])]);
  };
  return async () => new Map((await Promise.all(clients.map(read))).flat());
}

const seeded = new Map([
  ...Array.from({ length: rows }, (_, n): [string, string] => [
    `user:user-${n + 1}`,
    JSON.stringify(JSON.stringify({ id: `user-${n + 1}`, name: `Test User ${n + 1}` })),
  ]),
  ...Array.from({ length: 2000 }, (_, n): [string, string] => [`profile:${n + 1}`, JSON.stringify({ id: `user-${n + 1}`, age: '7' })]),
]);
const others = new Map([
  ['user:user-bob', '"mine"'],
  ['queue:waiting', '["real-1","real-2"]'],
]);

/** Kills seeding and cleaning so often, and holds what the same command makes of it against what should be there. */
async function suffer(at: Workplace, look: Look, fill: () => Promise<unknown>, times: number): Promise<number> {
  let halfDone = 0;
  const moments = fc.sample(fc.tuple(fc.integer({ min: 0, max: 350 }), fc.integer({ min: 0, max: 350 })), {
    numRuns: times,
    seed: 20_261_126,
  });
  for (const [whileSeeding, whileCleaning] of moments) {
    await fill();
    await kill(at, ['seed'], /in cache/, whileSeeding);
    const written = (await look()).size;
    if (written > others.size + 2000 && written < others.size + 2000 + seeded.size) halfDone++;
    expect(await at.loadctl(['seed', '--env', 'dev'])).toMatchObject({ code: 0 });
    const now = await look();
    for (const [key, value] of seeded) if (now.get(key) !== value) expect([key, now.get(key)]).toEqual([key, value]);

    await kill(at, ['cleanup', '--seeded'], /no obstacles/, whileCleaning);
    const left = (await look()).size;
    if (left > others.size && left < others.size + seeded.size) halfDone++;
    const said = await at.loadctl(['cleanup', '--seeded', '--env', 'dev', '--json']);
    expect(said.code).toBe(0);
    const { keys, proven } = JSON.parse(said.stdout);
    expect([proven, keys.filter((one: { left: number }) => one.left > 0)]).toEqual([true, []]);
    expect(await look()).toEqual(others);
  }
  return halfDone;
}

async function fill(run: (key: string, command: string, ...words: string[]) => Promise<unknown>): Promise<void> {
  await run('user:user-bob', 'SET', 'mine');
  await run('queue:waiting', 'DEL');
  const ids = Array.from({ length: 2000 }, (_, n) => `load-test-user-${n}`);
  await run('queue:waiting', 'RPUSH', 'real-1', ...ids, 'real-2', ...ids);
  await Promise.all(ids.map((id) => run(`user:${id}`, 'SET', 'x')));
}

test('killed at any moment of seed and cleanup: the same command again ends right, at a single Redis', { timeout }, async () => {
  const client = new Redis(single.url);
  const halfDone = await suffer(
    place({ url: single.url }),
    lookAt([client]),
    () => fill((key, command, ...words) => client.call(command, key, ...words)),
    kills,
  );
  client.disconnect();
  expect(halfDone).toBeGreaterThan(3);
});

test('and at a cluster', { timeout }, async () => {
  const client = new Cluster(cluster.primaries.map(({ port }) => ({ host: '127.0.0.1', port })));
  const look = lookAt(cluster.primaries.map((node) => node.client));
  const at = place({ cluster: cluster.primaries.map(({ address }) => address) });
  await suffer(at, look, () => fill((key, command, ...words) => client.call(command, key, ...words)), Math.ceil(kills / 3));
  client.disconnect();
});
