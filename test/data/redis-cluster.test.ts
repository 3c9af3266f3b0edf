import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { storeContext } from '../../src/phases/data/store-context.js';
import { inOrder } from '../../src/profile/templates/sets.js';
import { storeTask } from '../../src/stores/index.js';
import { openCluster } from '../../src/stores/redis/cluster/cluster.js';
import { slotOf } from '../../src/stores/redis/cluster/slots.js';
import { openSeeding } from '../../src/stores/redis/seeding/seeding.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type ClusterNode, type RedisCluster, startRedis, startRedisCluster } from '../servers/redis.js';
import { runId } from '../support/ids.js';

const password = 'cluster';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ password });
  await cluster.patient();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  await Promise.all(cluster.primaries.map(({ client }) => client.flushall()));
});

const text = { key: 'cache/user:user-{n}', rows: 3000, value: { id: 'user-{n}', name: 'Test "User" {n}' }, ttl: '1h' };
const hash = {
  key: 'cache/{{profile-{n}}}:h',
  rows: 1000,
  value: { id: 'user-{n}', age: 7, tags: ['{n}'] },
  as: 'hash',
  ttl: '2h',
};
const real = { dryRun: false, seeded: false };

function profile(
  parts: { seed?: Record<string, unknown>; keys?: unknown[]; store?: Record<string, unknown>; guards?: Record<string, unknown> } = {},
): DataProfile {
  const { seed: steps = { logins: text, people: hash }, keys = [], store = {}, guards = {} } = parts;
  return {
    stores: { cache: { kind: 'redis', cluster: [cluster.primaries[0]?.address], password, ...store } },
    seed: steps,
    cleanup: { prefix: 'load-test-user-', keys, settle: '10ms' },
    guards,
  };
}

async function failure(work: Promise<unknown>): Promise<LoadctlError> {
  return work.then(
    () => expect.unreachable('it did not fail'),
    (error: LoadctlError) => error,
  );
}

const ownerOf = (key: string) => cluster.primaryOf(slotOf(key));
const ask = (key: string, command: string, ...words: (string | number)[]) => ownerOf(key).client.call(command, key, ...words);
const keysLeft = async () => (await Promise.all(cluster.primaries.map(({ client }) => client.keys('*')))).flat();

describe('seeding', () => {
  test('deals texts and hashes to the nodes of their slots, with their time to live', async () => {
    expect((await seed(dataContext(profile()))).stores).toMatchObject([
      { what: 'user:user-{n}', created: 3000, alreadyThere: 0, writtenAgain: 0 },
      { what: '{{profile-{n}}}:h', created: 1000, alreadyThere: 0, writtenAgain: 0 },
    ]);
    expect(await ask('user:user-3000', 'GET')).toBe('{"id":"user-3000","name":"Test \\"User\\" 3000"}');
    expect(await ask('{profile-9}:h', 'HGETALL')).toEqual(['id', 'user-9', 'age', '7', 'tags', '["9"]']);
    expect(await ask('{profile-9}:h', 'TTL')).toBeGreaterThan(7100);
    const counts = await Promise.all(cluster.primaries.map(({ client }) => client.dbsize()));
    expect(Math.min(...counts)).toBeGreaterThan(1000);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4000);
  });

  test('again finds what is there, begins its time to live anew and adds what is missing', async () => {
    await seed(dataContext(profile()));
    await ask('user:user-3', 'EXPIRE', 10);
    await ask('{profile-3}:h', 'EXPIRE', 10);
    await ask('user:user-4', 'DEL');
    await ask('{profile-4}:h', 'DEL');
    expect((await seed(dataContext(profile()))).stores).toMatchObject([
      { created: 1, alreadyThere: 2999 },
      { created: 1, alreadyThere: 999 },
    ]);
    expect(await ask('user:user-3', 'TTL')).toBeGreaterThan(3500);
    expect(await ask('{profile-3}:h', 'TTL')).toBeGreaterThan(7100);
  });

  test('refuses other values and types, and writes nothing', async () => {
    await ask('user:user-5', 'SET', 'mine');
    await ask('user:user-6', 'RPUSH', 'a');
    await ask('{profile-7}:h', 'HSET', 'id', 'user-7', 'age', '8', 'tags', '["7"]');
    await ask('{profile-8}:h', 'HSET', 'id', 'user-8', 'age', '7', 'tags', '["8"]', 'more', '1');
    await ask('{profile-9}:h', 'SET', 'x');
    const error = await failure(seed(dataContext(profile())));
    expect(error.reason).toBe('seeding-failed');
    expect(error.lines).toEqual([
      'cache: keys of logins hold something else (2)',
      expect.stringMatching(/"user:user-5" holds "mine", not "\{/),
      expect.stringMatching(/"user:user-6" holds no string but/),
      'cache: keys of people hold something else (3)',
      '  cache: the key "{profile-7}:h" holds "age: 8", not "age: 7"',
      '  cache: the key "{profile-8}:h" holds a hash of 4, not a hash of 3',
      '  cache: the key "{profile-9}:h" holds no hash but a string, not a hash of 3',
    ]);
    expect(await keysLeft()).toHaveLength(5);
  });

  test.each([
    ['a text', 'user:user-2900', 'SET', ['theirs']],
    ['a hash', '{profile-900}:h', 'HSET', ['id', 'theirs']],
  ])('%s that appears meanwhile stays, and what was written is taken back', async (_, key, command, words) => {
    const context = dataContext(profile());
    let set: Promise<unknown> | undefined;
    const emit: typeof context.emit = (event) => {
      if (event.type === 'step-started' && event.step.startsWith('seed cache 1')) set = ask(key, command, ...words);
    };
    expect(await failure(seed({ ...context, emit }))).toMatchObject({
      reason: 'seeding-failed',
      lines: [expect.stringContaining('theirs')],
    });
    await set;
    expect(await keysLeft()).toEqual([key]);
  });

  test('names its connections, and asks a replica for nothing but the shape of the cluster', async () => {
    const context = dataContext(profile({ guards: { receipt: 'off' } }), { run: runId('r1') });
    let listed: Promise<unknown[]> | undefined;
    const emit: typeof context.emit = ({ type }) => {
      if (type === 'step-finished') listed ??= cluster.ask('CLIENT', 'LIST');
    };
    await seed({ ...context, emit });
    const ours = ((await listed) ?? []).map((list) =>
      String(list)
        .split('\n')
        .filter((line) => line.includes('name=loadctl/r1')),
    );
    const [primaries, replicas] = [ours.slice(0, 3), ours.slice(3).flat()];
    expect(primaries.map((lines) => lines.length)).toEqual([1, 1, 1]);
    for (const line of replicas) expect(line).toMatch(/ cmd=cluster\|/);
  });
});

describe('cleanup', () => {
  const ours = (n: number) => `user:load-test-user-${n}`;
  const keys = { match: 'cache/user:load-test-user-*' };

  test('deletes by pattern on every primary, counted by node; a dry run only counts', async () => {
    const wanted = cluster.primaries.map(() => 0);
    for (let n = 0; n < 100; n++) {
      await ask(ours(n), 'SET', 'x');
      await ask(`user:load-test-userX-${n}`, 'SET', 'x');
      const at = cluster.primaries.indexOf(ownerOf(ours(n)));
      wanted[at] = (wanted[at] ?? 0) + 1;
    }
    const byNode = (counts: readonly { node: string }[]) =>
      cluster.primaries.map(({ address }) => counts.find(({ node }) => node === address));
    const context = dataContext(profile({ keys: [keys] }));
    const dry = (await cleanup(context, { dryRun: true, seeded: false })).receipt;
    expect(byNode(dry.keys)).toMatchObject(wanted.map((left) => ({ what: 'keys', deleted: 0, left })));
    expect(dry.statements).toEqual([
      { store: 'cache', shard: null, sql: 'on each primary: SCAN MATCH user:load-test-user-*, UNLINK what it finds', rows: 100, ms: 0 },
    ]);
    expect(await keysLeft()).toHaveLength(200);
    const { receipt } = await cleanup(context, real);
    expect(byNode(receipt.keys)).toMatchObject(wanted.map((deleted) => ({ deleted, left: 0 })));
    expect(receipt.proven).toBe(true);
    expect((await keysLeft()).every((key) => key.startsWith('user:load-test-userX'))).toBe(true);
  });

  test('sums up the keys of everybody else node by node', async () => {
    for (let n = 0; n < 300; n++) await ask(`real:${n}`, 'SET', `value ${n}`);
    const parts = profile({ keys: [{ match: 'cache/user:load-test-user-*' }], guards: { receipt: 'full' } });
    const { before } = await seed(dataContext(parts));
    const compared = async () => {
      const { receipt } = await cleanup(dataContext(parts, before ? { before } : {}), real);
      expect(receipt.others.reduce((sum, { after }) => sum + after, 0)).toBe(300);
      return receipt.others.map(({ before: was, after, sumBefore, sumAfter }) => was === after && sumBefore === sumAfter);
    };
    expect(await compared()).toEqual([true, true, true]);
    await ask('real:7', 'SET', 'value 8');
    expect((await compared()).toSorted()).toEqual([false, true, true]);
  });

  test('with users takes out what nobody changed, hashes too', async () => {
    await seed(dataContext(profile()));
    await ask('user:user-7', 'SET', 'changed');
    await ask('{profile-7}:h', 'HSET', 'more', '1');
    await ask('{profile-8}:h', 'HSET', 'age', '8');
    await ask('{profile-9}:h', 'HDEL', 'age');
    const { receipt, reasons } = await cleanup(dataContext(profile()), { dryRun: false, seeded: true });
    expect(reasons).toEqual(['cleanup-not-proven']);
    const sum = (key: string) => receipt.keys.filter(({ which }) => which.includes(key)).reduce((all, { deleted }) => all + deleted, 0);
    expect([sum('user-{n}'), sum('profile')]).toEqual([2999, 997]);
    expect(receipt.lines).toMatchObject([
      { kind: 'left', what: 'logins (cache/user:user-{n})', count: 1, command: 'loadctl seed --env test --reset' },
      { kind: 'left', what: 'people (cache/{{profile-{n}}}:h)', count: 3, command: 'loadctl seed --env test --reset' },
    ]);
    expect((await keysLeft()).sort()).toEqual(['user:user-7', '{profile-7}:h', '{profile-8}:h', '{profile-9}:h']);
  });

  test('takes members out of lists, sets, sorted sets and hashes on every primary, and nothing else', async () => {
    const ids = Array.from({ length: 1500 }, (_, n) => `load-test-user-${n}`);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await ask(`queue:${name}:list`, 'RPUSH', 'real-1', ...ids, 'real-2', ...ids.slice(0, 20), 'real-1');
      await ask(`queue:${name}:set`, 'SADD', 'real-1', ...ids);
      await ask(`queue:${name}:zset`, 'ZADD', 1, 'real-1', ...ids.flatMap((id, n) => [n, id]));
      await ask(`queue:${name}:hash`, 'HSET', 'real-1', 'x', ...ids.flatMap((id) => [id, 'real-2']));
    }
    await ask('queue:total', 'SET', 'load-test-user-1');
    await ask('other:list', 'RPUSH', 'load-test-user-1');
    const context = dataContext(profile({ keys: [{ key: 'cache/queue:*', members: 'load-test-user-*' }] }));
    const sum = (counts: readonly { deleted: number; left: number }[]) =>
      counts.reduce((all, { deleted, left }) => [(all[0] ?? 0) + deleted, (all[1] ?? 0) + left], [0, 0]);
    const there = 6 * (4 * 1500 + 20);
    const dry = (await cleanup(context, { dryRun: true, seeded: false })).receipt;
    expect(sum(dry.keys)).toEqual([0, there]);
    expect(dry.keys.map(({ what, node }) => [what, node])).toEqual(
      cluster.primaries.map(({ address }) => ['members', address]).sort(([, one = ''], [, other = '']) => (one < other ? -1 : 1)),
    );
    const { receipt } = await cleanup(context, real);
    expect([receipt.proven, ...sum(receipt.keys)]).toEqual([false, there, 0]);
    expect(receipt.lines).toMatchObject([
      { kind: 'unknown', what: 'cache/queue:*', count: 1, why: expect.stringContaining('queue:total is a string') },
    ]);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(await ask(`queue:${name}:list`, 'LRANGE', 0, -1)).toEqual(['real-1', 'real-2', 'real-1']);
      expect(await ask(`queue:${name}:set`, 'SMEMBERS')).toEqual(['real-1']);
      expect(await ask(`queue:${name}:zset`, 'ZRANGE', 0, -1)).toEqual(['real-1']);
      expect(await ask(`queue:${name}:hash`, 'HKEYS')).toEqual(['real-1']);
    }
    expect(await ask('other:list', 'LLEN')).toBe(1);
  });
});

describe('slots that are on their way', () => {
  /** Marks every slot of one primary as moving to another one, which takes new keys from then on (ASK). */
  async function open(from: ClusterNode, to: ClusterNode, slots: readonly number[]): Promise<void> {
    for (const slot of slots) {
      await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
      await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    }
  }

  async function migrate(from: ClusterNode, to: ClusterNode, keys: readonly string[]): Promise<void> {
    for (const key of keys) await from.client.call('MIGRATE', '127.0.0.1', to.port, key, 0, 5000, 'AUTH', password);
  }

  async function finish(from: ClusterNode, to: ClusterNode, slots: readonly number[]): Promise<void> {
    for (const slot of slots) {
      await to.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      await from.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    }
  }

  const slots = Array.from({ length: 400 }, (_, slot) => slot);

  const redirects = async () => {
    const stats = await Promise.all(cluster.primaries.map(({ client }) => client.info('errorstats')));
    const count = (kind: string) => stats.map((info) => Number(new RegExp(`errorstat_${kind}:count=(\\d+)`).exec(info)?.[1] ?? 0));
    return { moved: Math.max(...count('MOVED')), asked: Math.max(...count('ASK')) };
  };

  test('are followed by ASK while they move, in seeding and in cleanup', async () => {
    const [from = expect.unreachable(), to = expect.unreachable()] = cluster.primaries;
    const ids = Array.from({ length: 600 }, (_, n) => `load-test-user-${n}`);
    const mine = [...ids.map((id) => `user:${id}`), ...ids.map((id) => `queue:${id}`)].filter((key) => slotOf(key) < 400);
    for (const key of mine) {
      if (key.startsWith('user:')) await from.client.set(key, 'x');
      else await from.client.rpush(key, 'real', 'load-test-user-1');
    }
    await open(from, to, slots);
    await migrate(
      from,
      to,
      mine.filter((_, index) => index % 2 === 0),
    );
    const before = await redirects();
    const keys = [{ match: 'cache/user:load-test-user-*' }, { key: 'cache/queue:*', members: 'load-test-user-*' }];
    const parts = profile({ keys });
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 3000 }, { created: 1000 }]);
    expect((await seed(dataContext(parts))).stores).toMatchObject([{ alreadyThere: 3000 }, { alreadyThere: 1000 }]);
    const dry = (await cleanup(dataContext(parts), { dryRun: true, seeded: false })).receipt;
    expect(dry.statements.reduce((sum, { rows }) => sum + rows, 0)).toBe(mine.length);
    const { receipt } = await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect(receipt.proven).toBe(true);
    expect((await redirects()).asked).toBeGreaterThan(before.asked);
    expect((await keysLeft()).sort()).toEqual(mine.filter((key) => key.startsWith('queue:')).sort());
    await Promise.all(cluster.primaries.map(({ client }) => client.flushall()));
    for (const slot of slots) await to.client.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    for (const slot of slots) await from.client.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
  });

  test('to a node that has none yet: what is there already is found, too', async () => {
    const growing = await startRedisCluster({ password, replicas: false, spares: 1 });
    try {
      const [from = expect.unreachable()] = growing.primaries;
      const [to = expect.unreachable()] = growing.spares;
      const mine = Array.from({ length: 3000 }, (_, n) => `user:load-test-user-${n}`).filter((key) => slotOf(key) < 100);
      for (const key of mine) await from.client.set(key, 'x');
      await open(
        from,
        to,
        mine.map((key) => slotOf(key)),
      );
      await migrate(from, to, mine.slice(0, 5));
      const store = { cluster: growing.primaries.map(({ address }) => address) };
      const context = dataContext(profile({ store, keys: [{ match: 'cache/user:load-test-user-*' }] }));
      const { receipt } = await cleanup(context, real);
      expect(receipt.proven).toBe(true);
      expect(receipt.keys.find(({ node }) => node === to.address)).toMatchObject({ deleted: 5, left: 0 });
      expect(await growing.ask('DBSIZE')).toEqual([0, 0, 0, 0]);
    } finally {
      await growing.stop();
    }
  });

  test('are followed by MOVED when they have moved meanwhile', async () => {
    const [from = expect.unreachable(), to = expect.unreachable()] = cluster.primaries;
    const context = dataContext(profile());
    const { cache } = context.profile.stores;
    if (cache?.kind !== 'redis') return expect.unreachable();
    const seeding = await openSeeding(
      cache,
      storeTask(context.profile, 'cache', { now: Date.now() }),
      storeContext(context, 'cache', 'loadctl/test'),
    );
    const checked = await seeding.check();
    expect(checked.conflicts.count).toBe(0);
    const before = await redirects();
    await open(from, to, slots);
    await finish(from, to, slots);
    const written = [];
    for (const { name } of inOrder(context.profile.seed)) written.push(...(await checked.write(name)));
    expect(written).toMatchObject([
      { created: 3000, writtenAgain: 0 },
      { created: 1000, writtenAgain: 0 },
    ]);
    expect((await redirects()).moved).toBeGreaterThan(before.moved);
    await checked.takeBack();
    await seeding.close();
    expect(await keysLeft()).toEqual([]);
    // Without being imported they would come back in the same epoch, and the others would not believe it.
    await open(to, from, slots);
    await finish(to, from, slots);
    await cluster.settled();
  });
});

describe('any key and value', () => {
  const piece = fc.oneof(
    fc.constantFrom('\0', '\r\n', '\n', '"', "'", '\\', '{', '}', '{}', '{{', '*', '?', '[', 'é', '🦄', '\u2028', ' ', '$1', ''),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const written = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(''));
  const template = (value: string) => value.replaceAll('{', '{{').replaceAll('}', '}}');

  test('is stored byte for byte, found again and taken out', async () => {
    const samples = fc.sample(fc.tuple(written, written, fc.constantFrom('text', 'json', 'hash')), { numRuns: 150, seed: 20_261_126 });
    const steps = samples.map(([key, value, as], index) => {
      const hash = { as, value: { [value]: template(value), plain: '{n}' } };
      const entry = { key: `cache/${template(`${key}#k${index}`)}-{n}`, rows: 1 };
      return [`set${index}`, { ...entry, ...(as === 'hash' ? hash : { as, value: template(value) }) }];
    });
    const parts = profile({ seed: Object.fromEntries(steps) });
    await seed(dataContext(parts));
    for (const [index, [key, value, as]] of samples.entries()) {
      const at = `${key}#k${index}-1`;
      if (as === 'hash')
        expect(await ownerOf(at).client.hgetall(at)).toEqual(value === 'plain' ? { plain: '1' } : { [value]: value, plain: '1' });
      else expect(await ownerOf(at).client.getBuffer(at)).toEqual(Buffer.from(as === 'json' ? JSON.stringify(value) : value));
    }
    expect((await seed(dataContext(parts))).stores.every(({ created }) => created === 0)).toBe(true);
    await cleanup(dataContext(parts), { dryRun: false, seeded: true });
    expect(await keysLeft()).toEqual([]);
  });
});

describe('what keeps us out says so in one line', () => {
  const keys = [{ match: 'cache/user:load-test-user-*' }];
  const seeding = (store: Record<string, unknown>) => failure(seed(dataContext(profile({ store }))));

  test('a wrong password, a closed port, a single Redis', async () => {
    expect(await seeding({ password: 'wrong' })).toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(/refused the login|requires a password/),
    });
    expect(await seeding({ cluster: ['127.0.0.1:1'] })).toMatchObject({ message: 'cache: nothing listens on 127.0.0.1:1' });
    const single = await startRedis({ password });
    expect(await seeding({ cluster: [`127.0.0.1:${single.port}`] })).toMatchObject({
      reason: 'unavailable',
      message: `cache: 127.0.0.1:${single.port} is not part of a Redis Cluster`,
      hint: `Write \`url: redis://127.0.0.1:${single.port}\` in place of \`cluster\`.`,
    });
    await single.stop();
  });

  test('a node that is dead is passed over', async () => {
    const listed = ['127.0.0.1:1', ...cluster.replicas.map(({ address }) => address)];
    expect((await seed(dataContext(profile({ store: { cluster: listed } })))).stores).toMatchObject([{ created: 3000 }, { created: 1000 }]);
  });

  test('a part of a cluster, and a replica, are no single Redis', async () => {
    const { address } = cluster.primaries[0] ?? expect.unreachable();
    const stores = { cache: { kind: 'redis', url: `redis://${address}`, password } };
    expect(await failure(cleanup(dataContext({ ...profile({ keys: keys }), stores }), real))).toMatchObject({
      reason: 'unavailable',
      message: `cache: ${address} is part of a Redis Cluster`,
      hint: `Write \`cluster: ["${address}"]\` in place of \`url\`.`,
    });
    const primary = await startRedis();
    const replica = await startRedis({ words: ['--replicaof', '127.0.0.1', String(primary.port)] });
    const copy = { cache: { kind: 'redis', url: replica.url } };
    expect(await failure(cleanup(dataContext({ ...profile({ keys: keys }), stores: copy }), real))).toMatchObject({
      message: `cache: 127.0.0.1:${replica.port} is a replica`,
    });
    await Promise.all([replica.stop(), primary.stop()]);
  });

  test('a user of an ACL may do what the profile asks, and is told what he may not', async () => {
    const may = [
      '+cluster|slots',
      '+cluster|nodes',
      '+ping',
      '+get',
      '+getrange',
      '+set',
      '+pexpire',
      '+eval',
      '+type',
      '+hlen',
      '+hget',
      '+hset',
      '+exists',
      '+unlink',
      '+scan',
      '+wait',
      '+dbsize',
    ];
    await cluster.ask('ACL', 'SETUSER', 'loadctl', 'reset', 'on', '>pw', '~*', ...may);
    const store = { username: 'loadctl', password: 'pw' };
    const parts = profile({ store, keys: keys });
    await seed(dataContext(parts));
    await seed(dataContext(parts));
    expect((await cleanup(dataContext(parts), { dryRun: false, seeded: true })).receipt.proven).toBe(true);
    await cluster.ask('ACL', 'SETUSER', 'loadctl', '-set');
    expect(await seeding(store)).toMatchObject({ reason: 'unavailable', message: expect.stringMatching(/does not allow this: .*set/) });
    expect(await keysLeft()).toEqual([]);
  });

  test('a host that only the cluster names, and that the guards do not allow', async () => {
    const lonely = await startRedisCluster({ primaries: 1, replicas: false, words: ['--cluster-announce-hostname', 'cache.invalid'] });
    try {
      const [{ client, address, port } = expect.unreachable()] = lonely.primaries;
      await client.config('SET', 'cluster-preferred-endpoint-type', 'hostname');
      const at = (guards: Record<string, unknown>) => profile({ store: { cluster: [address], password: null }, guards });
      const store = { stores: { cache: { kind: 'redis', cluster: [address] } } };
      expect(await failure(seed(dataContext({ ...at({}), ...store })))).toMatchObject({
        reason: 'refused',
        message: `cache: the cluster announces cache.invalid:${port}: cache.invalid is not on the profile's list of allowed hosts`,
        hint: 'If this test may write there, add to the list: guards.allow: [cache.invalid]',
      });
      expect(await client.dbsize()).toBe(0);
    } finally {
      await lonely.stop();
    }
  });

  test('a cluster that stays down, after the time that it is given', async () => {
    const { client } = ownerOf('here');
    const context = dataContext(profile());
    const config = context.profile.stores.cache;
    if (config?.kind !== 'redis') return expect.unreachable();
    const more = { store: 'cache', label: 'loadctl/test', clock: context.world.clock, allowsHost: () => true };
    const servers = await openCluster(config, { ...context, ...more }, { firstLook: async () => undefined, patienceMs: 1500 });
    await Promise.allSettled(cluster.nodes().map((node) => node.client.call('CLUSTER', 'DELSLOTS', slotOf('here'))));
    try {
      const startedAt = Date.now();
      const [here, there] = await servers.run(['here', 'user:user-1'].map((key) => ({ key, words: ['SET', key, 'x'] })));
      expect([here?.error, there?.error]).toMatchObject([
        {
          message: expect.stringMatching(/does not serve all its slots; the cluster did not settle within 1.5s$/),
          hint: expect.stringContaining('--cluster check'),
        },
        expect.anything(),
      ]);
      await expect(servers.everywhere(() => Promise.resolve(1))).rejects.toMatchObject({
        message: expect.stringMatching(/did not settle within 1.5s/),
      });
      expect(Date.now() - startedAt).toBeLessThan(10_000);
    } finally {
      servers.close();
      await client.call('CLUSTER', 'ADDSLOTS', slotOf('here'));
      await cluster.settled();
    }
  });
});
