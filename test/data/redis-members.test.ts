import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { globMatcher } from '../../src/stores/redis/keys/glob.js';
import { dataContext } from '../servers/data-context.js';
import { type RedisServer, startRedis } from '../servers/redis.js';

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(() => client.flushall());

/** How long a sweep waits for what is written late. */
const settleMs = 0;
const real = { dryRun: false, seeded: false };

function context(...keys: Record<string, unknown>[]) {
  return dataContext({
    stores: { cache: { kind: 'redis', url: server.url } },
    cleanup: { prefix: 'load-test-user-', keys, settle: settleMs },
  });
}

const waiting = { key: 'cache/queue:waiting', members: 'load-test-user-*' };

test('one key is looked at without a search, and counted though it is not there', async () => {
  const { receipt } = await cleanup(context(waiting), real);
  expect(receipt).toMatchObject({
    proven: true,
    keys: [{ what: 'members', node: `127.0.0.1:${server.port}`, which: 'load-test-user-* of queue:waiting', deleted: 0, left: 0 }],
    statements: [
      {
        sql: 'SELECT 0; SSCAN, ZSCAN, HSCAN MATCH load-test-user-* or LRANGE of queue:waiting; SREM, ZREM, HDEL or LSET and LREM what fits',
        rows: 0,
      },
    ],
  });
});

test('a pattern finds ids inside of a JSON text, and a key of another type is left', async () => {
  await client.rpush('queue:a', '{"at":1,"id":"load-test-user-1"}', '{"at":2,"id":"user-1"}');
  await client.set('queue:b', 'load-test-user-1');
  const { receipt, reasons } = await cleanup(context({ key: 'cache/queue:[ab]', members: '*load-test-user-*' }), real);
  expect(receipt.keys).toMatchObject([{ deleted: 1, left: 0 }]);
  expect(reasons).toEqual(['cleanup-not-proven']);
  expect(receipt.lines).toMatchObject([
    { kind: 'unknown', what: 'cache/queue:[ab]', count: 1, why: expect.stringContaining('queue:b is a string') },
  ]);
  expect(await client.lrange('queue:a', 0, -1)).toEqual(['{"at":2,"id":"user-1"}']);
});

test('a key that is named and of another type is refused: left as found it would count as clean', async () => {
  await client.xadd('queue:waiting', '*', 'id', 'load-test-user-1');
  await expect(cleanup(context(waiting), real)).rejects.toMatchObject({
    reason: 'invalid-profile',
    message: 'cache: the key "queue:waiting" is a stream, which has no members to remove',
  });
  expect(await client.xlen('queue:waiting')).toBe(1);
});

test('any list keeps what does not fit, in its order', async () => {
  const element = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('load-test-user-1', 'load-test-user-2', 'load-test-user-', 'load-test-user-\n') },
    { weight: 2, arbitrary: fc.constantFrom('real-1', 'real-2', 'load-test-userX', ' load-test-user-1', 'LOAD-TEST-USER-1', '') },
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const lists = fc.sample(fc.tuple(fc.array(element, { maxLength: 60 }), fc.integer({ min: 1, max: 60 })), {
    numRuns: 60,
    seed: 20_261_126,
  });
  for (const [index, [elements, times]] of lists.entries()) {
    const all = Array.from({ length: times }, () => elements).flat();
    await client.del('queue:waiting');
    if (all.length > 0) await client.rpush('queue:waiting', ...all);
    const { receipt } = await cleanup(context(waiting), real);
    const stay = all.filter((text) => !text.startsWith('load-test-user-'));
    expect([index, await client.lrange('queue:waiting', 0, -1)]).toEqual([index, stay]);
    expect(receipt).toMatchObject({ proven: true, keys: [{ deleted: all.length - stay.length, left: 0 }] });
  }
});

test('large collections keep nobody waiting for long', async () => {
  const others = Array.from({ length: 100_000 }, (_, n) => `real-${n}`);
  const ids = Array.from({ length: 20_000 }, (_, n) => `load-test-user-${n}`);
  const push = async (texts: readonly string[]) => {
    for (let from = 0; from < texts.length; from += 10_000) await client.rpush('queue:waiting', ...texts.slice(from, from + 10_000));
  };
  await push([...others, ...ids]);
  await push([...others, ...ids]);
  await client.config('SET', 'slowlog-log-slower-than', '100000');
  const { receipt } = await cleanup(context(waiting), real);
  expect(receipt).toMatchObject({ proven: true, keys: [{ deleted: 40_000, left: 0 }] });
  expect(await client.llen('queue:waiting')).toBe(200_000);
  expect(await client.slowlog('LEN')).toBe(0);
});

test('late members are found by the next sweep', async () => {
  await client.rpush('queue:waiting', 'real', 'load-test-user-1');
  const late = context(waiting);
  let pushed: Promise<unknown> | undefined;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === settleMs) pushed ??= client.rpush('queue:waiting', 'load-test-user-2');
    await pushed;
    return late.world.clock.sleep(ms, signal);
  };
  const { receipt } = await cleanup({ ...late, world: { ...late.world, clock: { ...late.world.clock, sleep } } }, real);
  expect(receipt).toMatchObject({ proven: true, keys: [{ deleted: 2, left: 0 }] });
  expect(await client.lrange('queue:waiting', 0, -1)).toEqual(['real']);
});

test('a pattern means here what it means to Redis', async () => {
  const part = fc.constantFrom(
    '*',
    '?',
    '[ab]',
    '[^a]',
    '[a-c]',
    '[c-a]',
    '[^a-c]',
    '[\\]]',
    '[',
    ']',
    '[^]',
    '[]',
    '\\',
    '\\*',
    '-',
    '^',
    'a',
    'b',
    'c',
    'é',
    '.',
    '\n',
  );
  const patterns = fc
    .sample(fc.array(part, { minLength: 1, maxLength: 6 }), { numRuns: 400, seed: 20_261_126 })
    .map((parts) => parts.join(''));
  const letter = fc.constantFrom('a', 'b', 'c', '*', '?', '[', ']', '\\', '-', '^', '.', 'é', '\n');
  const texts = [
    ...new Set(fc.sample(fc.array(letter, { minLength: 1, maxLength: 5 }), { numRuns: 300, seed: 7 }).map((letters) => letters.join(''))),
  ];
  await client.mset(texts.flatMap((text) => [text, '1']));
  for (const pattern of patterns) {
    const fits = globMatcher(pattern);
    const here = texts.filter((text) => fits(Buffer.from(text))).sort();
    expect([pattern, here]).toEqual([pattern, (await client.keys(pattern)).sort()]);
  }
});
