import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uuidPrefix } from '../../src/core/uuids.js';
import type { SeedEntries } from '../../src/profile/sections/schema.js';
import { pieceReader, type RowSource, render } from '../../src/profile/templates/pieces.js';
import { storeTask } from '../../src/stores/index.js';
import { checkLearntHosts } from '../../src/stores/redis/cluster/learnt-hosts.js';
import { redirectOf } from '../../src/stores/redis/cluster/redirects.js';
import { slotMap } from '../../src/stores/redis/cluster/slot-map.js';
import { slotOf } from '../../src/stores/redis/cluster/slots.js';
import { type Primary, readTopology } from '../../src/stores/redis/cluster/topology.js';
import { addressText } from '../../src/stores/redis/connection/address.js';
import { mayPass, notSettled, replyError } from '../../src/stores/redis/connection/errors.js';
import { tlsFor } from '../../src/stores/redis/connection/login.js';
import { entriesOf, entryBatches } from '../../src/stores/redis/keys/entries.js';
import { globMatcher } from '../../src/stores/redis/keys/glob.js';
import { matcherOf } from '../../src/stores/redis/keys/matcher.js';
import { ownKeys } from '../../src/stores/redis/keys/own-keys.js';
import { ranges } from '../../src/stores/redis/keys/ranges.js';
import { dataContext } from '../servers/data-context.js';

const source: RowSource = { random: '', startedAt: '2026-01-02T03:04:05.678Z', refer: () => ({ value: '', rows: 1, source }) };

const { profile } = dataContext({
  stores: { db: { kind: 'postgres', url: 'postgres://h/x' }, cache: { kind: 'redis', url: 'redis://h/0' } },
  seed: {
    people: { table: 'db.people', rows: 10, columns: { id: 'user-{n}', uid: '{uuid}', number: '{n+900000000}' } },
    logins: { key: 'cache/user:{people.id}', rows: 10, value: 'x' },
    carts: { key: 'cache/{{cart.{n}}}+', rows: 10, value: 'x' },
    sessions: { key: 'cache/sess:{uuid}', rows: 10, value: 'x' },
  },
  cleanup: { prefix: 'load-test-user-', keys: [{ match: 'cache/session:load-test-user-*' }, { match: 'cache/pages:{people.id}:*' }] },
});
const task = storeTask(profile, 'cache', { now: 0 });
const uuid = (n: number) => render(pieceReader(source).text('{uuid}', 'uid'), n);

test.each([
  ['user:user-1', true],
  ['user:user-10', true],
  ['user:user-11', false],
  ['user:user-500', false],
  ['user:user-01', false],
  ['user:user-1\n', false],
  ['user:user-\u0661', false],
  ['user:user-bob', false],
  ['user:user-1x', false],
  ['xuser:user-1', false],
  ['USER:user-1', false],
  [`sess:${uuid(3)}`, true],
  [`sess:${uuid(11)}`, false],
  [`sess:${uuid(3).toUpperCase()}`, false],
  ['sess:550e8400-e29b-41d4-a716-446655440000', false],
  ['{cart.3}+', true],
  ['{cartx3}+', false],
  ['pages:user-7:home', true],
  ['pages:user-77:home', false],
  ['pages:user-7x:home', false],
  ['session:load-test-user-a\nb', true],
  ['load-test-user-1', true],
  ['cart:load-test-user-r-1:x', true],
  ['reload-test-user-1', false],
  ['load_test_user_1', false],
  ['LOAD-TEST-USER-1', false],
  ['', false],
])('the key %j is the test’s own: %s', (key, own) => {
  expect(ownKeys(task)(Buffer.from(key))).toBe(own);
});

test.each([
  ['{people.id}:*', ['user-7:a', 'user-10:'], ['user-77:a', 'user-7', 'xuser-7:a', 'user-7a:b', 'user-11:a']],
  ['*{people.id}*', ['user-7', 'a user-7 b', '{"id":"user-7"}'], ['user-77', 'auser-7', 'user-7b', 'user-07', 'üuser-7']],
  ['*"id":"{people.id}"*', ['{"at":1,"id":"user-7"}', '"id":"user-7"'], ['{"id":"user-70"}', '{"id":"user-7 "}']],
  ['{people.number}', ['900000007'], ['900000011', '0900000007', '900000007 ', '90000000']],
  ['{people.uid}*', [uuid(2), `${uuid(2)}:x`], [uuid(12), `${uuid(2)}0`, uuid(2).toUpperCase()]],
  ['{uuid:mine}*', [`${uuidPrefix('mine')}abc-8abc-0123456789ab:1`], [`${uuidPrefix('other')}abc-8abc-0123456789ab`, uuid(2)]],
  ['a[{people.id}]', [], ['a7', 'au', 'a[user-7]']],
] as const)('the pattern %s fits exactly what is of a row', (pattern, fitting, others) => {
  const { fits, glob } = matcherOf(pattern, task);
  const passes = globMatcher(glob);
  for (const text of fitting) expect([text, fits(Buffer.from(text)), passes(Buffer.from(text))]).toEqual([text, true, true]);
  for (const text of others) expect([text, fits(Buffer.from(text))]).toEqual([text, false]);
});

test.each([
  ['a*c', 'a[]b.c', true],
  ['a?c', 'a/c', true],
  ['a?c', 'ac', false],
  ['a[b-d]c', 'acc', true],
  ['a[^b-d]c', 'acc', false],
  ['a[^b-d]c', 'axc', true],
  ['a\\*c', 'a*c', true],
  ['a\\*c', 'abc', false],
  ['a.c', 'abc', false],
  ['a[\\]]c', 'a]c', true],
])('the glob %s fits %j: %s', (glob, key, fits) => {
  expect(globMatcher(glob)(Buffer.from(key))).toBe(fits);
});

test.each([
  ['123456789', 0x31c3],
  ['foo', 12_182],
  ['{user1000}.following', slotOf('user1000')],
  ['foo{}{bar}', slotOf(Buffer.from('foo{}{bar}'))],
  ['foo{{bar}}zap', slotOf('{bar')],
  ['foo{bar}{zap}', slotOf('bar')],
  ['{', slotOf(Buffer.from('{'))],
  ['', 0],
])('the key %j is in slot %i', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

describe('what a cluster says of itself', () => {
  const asked = { host: 'redis-1', port: 7000 };
  const holding = ({ address, ranges: held }: Primary) => `${addressText(address)} ${held.map((range) => range.join('-')).join(',')}`;
  const node = (host: string | null, port: number, ...metadata: string[]) => [
    host === null ? null : Buffer.from(host),
    port,
    Buffer.from('id'),
    metadata.map((text) => Buffer.from(text)),
  ];
  const nodes = [
    'a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8191 [8191->-d]',
    'b 10.0.0.2:7000@17000,redis-2 master,fail - 0 0 2 disconnected',
    'c 10.0.0.3:7000@17000 slave a 0 0 1 connected',
    'd 10.0.0.4:7000@17000,redis-4,shard-id=x master - 0 0 4 connected',
    'e :0@0 master,noaddr - 0 0 5 disconnected',
  ].join('\n');

  test('primaries, replicas, and a primary that slots may be moving to', () => {
    const slots = [
      [0, 8191, node('10.0.0.1', 7000), node('10.0.0.3', 7000)],
      [8192, 16_383, node('10.0.0.2', 7001)],
    ];
    const topology = readTopology(slots, Buffer.from(nodes), asked);
    expect(topology.isWhole).toBe(true);
    expect(topology.primaries.map(holding)).toEqual(['10.0.0.1:7000 0-8191', '10.0.0.2:7001 8192-16383', '10.0.0.4:7000 ']);
    expect(topology.primaries.map(({ hasReplica }) => hasReplica)).toEqual([true, false, false]);
    expect(topology.nodes.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.2', '10.0.0.4']);
    const map = slotMap(topology);
    expect([map.ownerOf('foo')?.host, map.ownerOf('123456789')?.host]).toEqual(['10.0.0.2', '10.0.0.2']);
    map.move(12_182, asked);
    expect(map.ownerOf('foo')).toEqual(asked);
  });

  test('names are what the nodes want to be called by, and the asked one has none', () => {
    const slots = [
      [0, 1, node(null, 7000)],
      [2, 2, node('', 7000)],
      [4, 5, node('?', 7002, 'ip', '10.0.0.9')],
      [6, 7, node('redis-4', 7004, 'ip', '10.0.0.4')],
    ];
    const { primaries, isWhole } = readTopology(slots, Buffer.from(nodes), asked);
    expect(primaries.map(holding)).toEqual(['redis-1:7000 0-1,2-2', '10.0.0.9:7002 4-5', 'redis-4:7004 6-7', 'redis-4:7000 ']);
    expect(isWhole).toBe(false);
  });

  test.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', slot: 3999, address: { host: '127.0.0.1', port: 6381 } }],
    ['ASK 1 ::1:6381', { kind: 'ASK', slot: 1, address: { host: '::1', port: 6381 } }],
    ['MOVED 1 :6381', { kind: 'MOVED', slot: 1, address: { host: 'redis-1', port: 6381 } }],
    ['ASK 1 cache.example.com:6379', { kind: 'ASK', slot: 1, address: { host: 'cache.example.com', port: 6379 } }],
    ['CLUSTERDOWN The cluster is down', undefined],
  ])('%s', (message, redirect) => {
    expect(redirectOf(replyError(message), asked)).toEqual(redirect);
  });

  test.each([
    [replyError('CLUSTERDOWN Hash slot not served'), true],
    [replyError('TRYAGAIN Multiple keys request during rehashing of slot'), true],
    [replyError('LOADING Redis is loading the dataset in memory'), true],
    [replyError("NOPERM User loadctl has no permissions to run the 'set' command"), false],
    [replyError('OOM command not allowed'), false],
    [new Error('Connection is closed.'), true],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), true],
    [Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' }), false],
  ])('%s may pass by itself: %s', (error, passes) => {
    expect(mayPass(error)).toBe(passes);
  });

  test('nodes that send us to and fro are told to disagree', () => {
    const { message, hint } = notSettled(replyError('MOVED 355 127.0.0.1:7002'), 'cache', '127.0.0.1:7001', 60_000);
    expect(message).toBe(
      'cache: the nodes of the cluster disagree about who serves slot 355: 127.0.0.1:7001 says 127.0.0.1:7002; the cluster did not settle within 1m',
    );
    expect(hint).toContain('redis-cli --cluster check 127.0.0.1:7001');
  });

  test('hosts that only it names are allowed by the guards, or by being a listed node', async () => {
    const check = checkLearntHosts('cache', [{ host: 'localhost', port: 1 }, asked], (host) => host.endsWith('.example.com'));
    const at = (...hosts: string[]) => hosts.map((host) => ({ host, port: 7000 }));
    await check(at('redis-1', 'localhost', 'a.example.com', '127.0.0.1'));
    await expect(check(at('redis-1', '10.0.0.7', 'b.example.com', 'elsewhere', '10.0.0.7'))).rejects.toMatchObject({
      reason: 'refused',
      message:
        "cache: the cluster announces 10.0.0.7:7000, elsewhere:7000: 10.0.0.7, elsewhere are not on the profile's list of allowed hosts",
      hint: 'If this test may write there, add to the list: guards.allow: [10.0.0.7, elsewhere]',
    });
  });

  test('only a node that announces an address may be verified by a listed name', () => {
    const names = ['redis-1', 'redis-2'];
    expect(tlsFor({ host: 'redis-9', port: 1 }, { names })).toEqual({});
    expect(tlsFor({ host: '10.0.0.1', port: 1 }, { names: [], ca: 'pem' })).toEqual({ ca: 'pem' });
    const { servername, checkServerIdentity } = tlsFor({ host: '10.0.0.1', port: 1 }, { names });
    const certificate = (subjectaltname: string) => ({ subject: {}, subjectaltname }) as never;
    expect(servername).toBe('redis-1');
    expect(checkServerIdentity?.('redis-1', certificate('DNS:redis-2'))).toBeUndefined();
    expect(checkServerIdentity?.('redis-1', certificate('IP Address:10.0.0.1'))).toBeUndefined();
    expect(checkServerIdentity?.('redis-1', certificate('DNS:redis-3'))).toMatchObject({ message: expect.stringContaining('10.0.0.1') });
  });
});

test('numbers that follow one another are one range, and each is found again, in whatever order they come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(60))), (changes) => {
      const [set, model] = [ranges(), new Set<number>()];
      for (const [isAdded, n] of changes) {
        (isAdded ? set.add : set.delete)(n);
        isAdded ? model.add(n) : model.delete(n);
      }
      const numbers = [...model].sort((a, b) => a - b);
      expect(Array.from({ length: 62 }, (_, n) => n).filter(set.has)).toEqual(numbers);
      expect(set.size()).toBe(numbers.length);
      expect([...ranges(set)].flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, n) => from + n))).toEqual(numbers);
      expect([...set].length).toBe(numbers.filter((n) => !model.has(n - 1)).length);
    }),
  );
  const all = ranges();
  for (let n = 1; n <= 1000; n++) all.add(n);
  expect([...all]).toEqual([[1, 1000]]);
});

const setOf = (more: Partial<SeedEntries>) => ({ name: 'entries', store: 'cache', key: 'k{n}', rows: 3, value: 'v{n}', ...more });

test('entries come 500 for each server at a time, fewer where they are long', () => {
  const entries = entriesOf(setOf({ rows: 1201 }), source);
  expect([...entryBatches(entries, 1)].map((batch) => batch.length)).toEqual([500, 500, 201]);
  expect([...entryBatches(entries, 3)].map((batch) => batch.length)).toEqual([1201]);
  expect([...entryBatches(entries, 1, [7, 8])]).toEqual([
    [
      { n: 7, key: 'k7', form: 'string', parts: ['v7'] },
      { n: 8, key: 'k8', form: 'string', parts: ['v8'] },
    ],
  ]);
  const long = entriesOf(setOf({ rows: 5, value: 'x'.repeat(40_000) }), source);
  expect([...entryBatches(long, 1)].map((batch) => batch.length)).toEqual([2, 2, 1]);
});

test.each([
  ['a{n}', undefined, ['a3']],
  [7, undefined, ['7']],
  [7, 'text', ['7']],
  [['{n}', { a: null }], undefined, ['["3",{"a":null}]']],
  ['a"{n}', 'json', ['"a\\"3"']],
  [['{n}', 7, { a: '{n}' }], 'list', ['3', '7', '{"a":"3"}']],
  [['{n}', 'b'], 'set', ['3', 'b']],
  [{ 'u{n}': '{n}', b: 1.5 }, 'zset', ['u3', '3', 'b', '1.5']],
  [
    { id: '{n}', age: 7, on: true, tags: ['{n}'], at: { x: 1 } },
    'hash',
    ['id', '3', 'age', '7', 'on', 'true', 'tags', '["3"]', 'at', '{"x":1}'],
  ],
] as const)('the value %j as %s is stored as %j', (value, as, stored) => {
  const set = setOf({ key: 'k', value: value as never, ...(as === undefined ? {} : { as }) });
  expect([...entryBatches(entriesOf(set, source), 1, [3, 3])][0]?.[0]?.parts).toEqual(stored);
});

test.each([
  [{ value: { at: '{now}', id: '{n}' } }, '{"at":"2025-12-31T00:00:00.000Z","id":"3"}', true],
  [{ value: { at: '{now}', id: '{n}' } }, '{"at":"2025-12-31T00:00:00.000Z","id":"4"}', false],
  [{ value: 'v{n}' }, 'v3', undefined],
] as const)('of another day, %j is %s as well: %s', (made, found, fits) => {
  const { fits: patterns } = entriesOf(setOf(made as never), source).entry(3);
  expect(patterns?.[0]?.test(found)).toBe(fits);
});
