import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { dataContext } from '../servers/data-context.js';
import { type RedisServer, startRedis } from '../servers/redis.js';

/* What a seed that was refused halfway takes back: what it wrote, and nothing else; what stays is told. */

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
beforeEach(async () => {
  await client.flushall();
  await client.call('ACL', 'SETUSER', 'loadctl', 'reset', 'on', '>pw', '~*', '+@all');
});

const rows = 3000;
const texts = { key: 'cache/user:user-{n}', rows, value: 'text of user-{n}' };
const hashes = { key: 'cache/profile:{n}', rows, value: { id: 'user-{n}', age: '7' }, as: 'hash' };

const profile = (seed: Record<string, unknown>, store: Record<string, unknown> = {}) => ({
  stores: { cache: { kind: 'redis', url: server.url, ...store } },
  seed,
  cleanup: { settle: '10ms' },
});

/** Does something once, as soon as a batch of a set is in. */
function whileWriting(context: ReturnType<typeof dataContext>, set: string, work: () => Promise<unknown>) {
  let done: Promise<unknown> | undefined;
  const emit: typeof context.emit = (event) => {
    context.emit(event);
    if (event.type === 'step-progressed' && event.step.endsWith(` ${set}`)) done ??= work();
  };
  return { context: { ...context, emit }, done: () => done };
}

const refused = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => (error instanceof LoadctlError ? error : expect.unreachable(String(error))),
  );

const nothingIn = expect.stringMatching(/Nothing of this seed is in\.$/);

test('what was there, vanished and was written again goes as well', async () => {
  await seed(dataContext(profile({ texts: { ...texts, rows: 500 } })));
  const { context, done } = whileWriting(dataContext(profile({ texts })), 'texts', () =>
    client.multi().del('user:user-5').set('user:user-2900', 'theirs').exec(),
  );
  expect(await refused(seed(context))).toMatchObject({ reason: 'seeding-failed', hint: nothingIn });
  await done();
  expect(await client.exists('user:user-5')).toBe(0);
  expect(await client.dbsize()).toBe(500);
});

test.each([
  ['a field more in a hash', hashes, 'profile:', ['hincrby', 'profile:5', 'visits', '1']],
  ['another text', { ...texts, value: 'at {now}' }, 'user:user-', ['set', 'user:user-5', 'at 2020-01-01T00:00:00.000Z']],
] as const)('what others changed since stays, and is told: %s', async (_, set, before, change) => {
  const rival = `${before}2900`;
  const { context, done } = whileWriting(dataContext(profile({ set })), 'set', () =>
    client.multi([[...change], ['del', rival], ['set', rival, 'theirs']]).exec(),
  );
  const error = await refused(seed(context));
  await done();
  expect(error).toMatchObject({ reason: 'seeding-failed', message: expect.stringMatching(/; 1 of 3,000 entries are in$/) });
  expect(context.events).toContainEqual(
    expect.objectContaining({ code: 'seed-not-taken-back', why: '1 changed since', command: 'loadctl seed --env test --reset' }),
  );
  expect((await client.keys('*')).sort()).toEqual([rival, change[1]].sort());
});

/** As a user who may not do everything. */
const limited = { username: 'loadctl', password: 'pw' };

test.each([
  ['the time to live', hashes, ['-pexpire']],
  ['a score that is no number', { key: 'cache/top:{n}', rows, as: 'zset', value: { 'a{n}': '1', 'b{n}': '{pick:1|2|3|4|5|two}' } }, []],
])('what is refused after it began is not left half done: %s', async (_, set, acl) => {
  await client.call('ACL', 'SETUSER', 'loadctl', ...acl);
  const parts = profile({ set: { ...set, ttl: '1h' } }, limited);
  expect(await refused(seed(dataContext(parts)))).toMatchObject({ reason: 'unavailable', hint: nothingIn });
  expect(await client.dbsize()).toBe(0);
});

test('what cannot be taken back is counted, entry by entry', async () => {
  await client.call('ACL', 'SETUSER', 'loadctl', '-unlink', '(+unlink ~user:user-1*)');
  const { context, done } = whileWriting(dataContext(profile({ texts }, limited)), 'texts', () => client.set('user:user-2900', 'theirs'));
  const { message, hint } = await refused(seed(context));
  await done();
  const left = (await client.dbsize()) - 1;
  expect(left).toBeLessThan(rows - 100);
  expect(message).toMatch(new RegExp(`; ${left.toLocaleString('en-US')} of 3,000 entries are in$`));
  expect(hint).toBe('Keep other writers away from these keys, then seed again. What is in goes by: loadctl cleanup --env test --seeded');
});

test('a server that becomes a replica meanwhile: what is in is counted, and the same command goes on from there', async () => {
  const parts = profile({ texts, hashes });
  const { context, done } = whileWriting(dataContext(parts), 'hashes', () => client.replicaof('127.0.0.1', 1));
  const { reason, message, lines } = await refused(seed(context));
  await done();
  expect(reason).toBe('unavailable');
  const left = await client.dbsize();
  expect(left).toBeGreaterThan(rows);
  expect(message).toMatch(new RegExp(`is a replica; (at least )?${left.toLocaleString('en-US')} of 6,000 entries are in$`));
  expect(lines).toContain('texts in cache: 3,000 of 3,000 entries');
  await client.replicaof('NO', 'ONE');
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 0 }, { created: 2 * rows - left }]);
});

test('a user who may do what the documentation names can seed whatever there is, and take it out', async () => {
  const [, named = ''] = /may be kept to: ([A-Z, ]+);/.exec(readFileSync('docs/stores-redis.md', 'utf8')) ?? [];
  const may = [...named.split(', '), 'INFO', 'DBSIZE'].map((word) => `+${word.toLowerCase()}`);
  await client.call('ACL', 'SETUSER', 'loadctl', 'reset', 'on', '>pw', '~*', ...may);
  const few = { rows: 3, ttl: '1h' };
  const sets = {
    texts: { ...texts, ...few },
    hashes: { ...hashes, ...few },
    lists: { key: 'cache/list:{n}', ...few, as: 'list', value: ['a', 'b{n}'] },
    sets: { key: 'cache/set:{n}', ...few, as: 'set', value: ['a', 'b{n}'] },
    zsets: { key: 'cache/zset:{n}', rows: 3, as: 'zset', value: { a: '1', 'b{n}': '2' } },
  };
  const parts = profile(sets, limited);
  await seed(dataContext(parts));
  expect((await seed(dataContext(parts))).stores.map(({ created }) => created)).toEqual([0, 0, 0, 0, 0]);
  expect((await cleanup(dataContext(parts), { dryRun: false, seeded: true })).reasons).toEqual([]);
  expect(await client.dbsize()).toBe(0);
});
