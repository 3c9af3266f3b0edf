import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { canonicalJson } from '../../src/plan/canonical.js';
import { databasePlace, isLoopback, machinePlace, placeOf, placeText } from '../../src/plan/hosts.js';
import type { Plan } from '../../src/plan/plan.js';
import { cutSegments } from '../../src/plan/segments.js';
import { planWarningText } from '../../src/reporters/sentences/plan-warning.js';
import { load, planHere } from './profile-files.js';

const shop = `target: {url: http://127.0.0.1:8080, health: /healthz}
workload:
  script: k6.ts
  vus: 100
  duration: 1m
  ramp: 5s
  pacing: 1s
  endpoints: {events: GET /events, queue: GET /queue}
  mix: {events: 75%, queue: 25%}
  sessions: {browse: 80%, pay: 20%}
  steps: {browse: [read], pay: [read, POST /payments]}
stores:
  db: {kind: postgres, url: "postgres://app:hunter22@127.0.0.1:5432/shop"}
  cache: {kind: redis, url: "redis://localhost/0", testDatabase: 1}
seed:
  users: {table: db.users, rows: 10, columns: {id: "user-{n}"}}
  logins: {key: "cache/user:{users.id}", rows: 10, value: x}
cleanup:
  prefix: load-test-user-
  rows: [{table: db.payments, column: user_id}]
  keys: [{flush: cache}]
runners: {count: 2}
sla: {p95: < 500ms, throughput: 90/s}
`;

function planOf(text: string, set: readonly string[] = []): Plan {
  const loaded = load({ 'test.yaml': text }, { set });
  return planHere(loaded);
}

function refusal(text: string): LoadctlError {
  try {
    planOf(text);
  } catch (error) {
    if (error instanceof LoadctlError) return error;
  }
  throw new Error('expected a refusal');
}

describe('a plan', () => {
  test('says all that a run will do', () => {
    const { criteria, hash, ...plan } = planOf(shop);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(criteria.map(({ name }) => name)).toEqual(['p95', 'throughput']);
    expect(plan).toEqual({
      version: 2,
      monitors: [],
      outputs: [],
      judgedMonitors: [],
      allow: [],
      strict: false,
      environment: 'test',
      target: { url: 'http://127.0.0.1:8080', health: 'http://127.0.0.1:8080/healthz' },
      script: '/w/profiles/k6.ts',
      scriptFiles: [],
      load: { vus: 100, duration: 60_000, ramp: 5000 },
      pacing: 1000,
      draws: {
        endpoints: { events: 'GET /events', queue: 'GET /queue' },
        mix: { events: 0.75, queue: 0.25 },
        sessions: { browse: 0.8, pay: 0.2 },
        steps: { browse: ['read'], pay: ['read', 'POST /payments'] },
      },
      env: {},
      options: {},
      steady: { from: 5000, to: 55_000 },
      iterationsPerSecond: 100,
      requestsPerSecond: 120,
      endpoints: [
        { name: 'GET /events', perSecond: 75, writes: false },
        { name: 'GET /queue', perSecond: 25, writes: false },
        { name: 'POST /payments', perSecond: 20, writes: true },
      ],
      fleet: { backend: 'local', count: 2, onLost: 'abort', readyTimeout: 60_000 },
      runners: [
        { id: '1', segment: '0:1/2', sequence: '0,1/2,1' },
        { id: '2', segment: '1/2:1', sequence: '0,1/2,1' },
      ],
      stores: [
        { name: 'db', kind: 'postgres', hosts: ['127.0.0.1:5432'] },
        { name: 'cache', kind: 'redis', hosts: ['localhost'] },
      ],
      seed: [
        { kind: 'rows', name: 'users', store: 'db', table: 'users', rows: 10, columns: { id: 'user-{n}' } },
        { kind: 'entries', name: 'logins', store: 'cache', key: 'user:{users.id}', rows: 10, value: 'x' },
      ],
      cleanup: {
        prefix: 'load-test-user-',
        entries: [
          { kind: 'rows', store: 'db', table: 'payments', column: 'user_id', prefix: 'load-test-user-' },
          { kind: 'index', store: 'cache', index: 1, flush: 'known' },
        ],
      },
      abort: [],
      hosts: ['127.0.0.1', 'localhost'],
      beyondLoopback: [],
      warnings: [],
    });
  });

  test('says what of a cluster is filled and emptied, and every way to find a row again', () => {
    const clustered = shop
      .replace('url: "redis://localhost/0", testDatabase: 1', 'cluster: ["redis-1:7000", "[::1]:7001"]')
      .replace('rows: 10, value: x', 'rows: 10, value: {id: "{n}"}, as: hash')
      .replace(
        '{flush: cache}',
        '{match: "cache/sess:*", where: {json: user, in: users.id}}, {key: "cache/queue:*", members: "{uuid:load-test}*"}',
      );
    const rows = `  rows:
    - {table: db.payments, column: user_id}
    - {table: db.shop.orders, column: customer, in: users.id}
    - {table: db.visits, column: visitor, uuid: load-test}
    - {table: db.refunds, via: db.payments}
    - {table: db.carts, via: users}
  pause: 50ms
  settle: 1s`;
    const { stores, seed, cleanup, beyondLoopback } = planOf(clustered.replace(/ {2}rows: .*/, rows));
    expect(stores[1]).toEqual({ name: 'cache', kind: 'redis', hosts: ['redis-1:7000', '[::1]:7001'] });
    expect(seed[1]).toMatchObject({ kind: 'entries', name: 'logins', rows: 10, value: { id: '{n}' }, as: 'hash' });
    expect(cleanup).toEqual({
      prefix: 'load-test-user-',
      pause: 50,
      settle: 1000,
      entries: [
        { kind: 'rows', store: 'db', table: 'payments', column: 'user_id', prefix: 'load-test-user-' },
        { kind: 'rows', store: 'db', schema: 'shop', table: 'orders', column: 'customer', in: { set: 'users', column: 'id' } },
        { kind: 'rows', store: 'db', table: 'visits', column: 'visitor', uuid: 'load-test' },
        { kind: 'rows', store: 'db', table: 'refunds', via: { store: 'db', table: 'payments' } },
        { kind: 'rows', store: 'db', table: 'carts', via: { set: 'users' } },
        { kind: 'keys', store: 'cache', match: 'sess:*', where: { json: ['user'], in: { set: 'users', column: 'id' } } },
        { kind: 'members', store: 'cache', key: 'queue:*', match: '{uuid:load-test}*', uuid: 'load-test' },
      ],
    });
    expect(beyondLoopback).toEqual(['redis-1']);
  });

  test('says how the fleet is held together, and when the test is ended before its time', () => {
    const { fleet, abort } = planOf(
      shop.replace(
        'runners: {count: 2}',
        'runners: {backend: ssh, count: 2, hosts: [load-1, load-2], onLost: continue, allowedLoss: 10%, readyTimeout: 5m, hostK6: bring, sshConfig: ./ssh_config, k6: ./k6}\nabort: [{when: errors > 5%, for: 30s, after: 1m}]',
      ),
    );
    expect(fleet).toEqual({
      backend: 'ssh',
      count: 2,
      hosts: ['load-1', 'load-2'],
      onLost: 'continue',
      allowedLoss: 0.1,
      readyTimeout: 300_000,
      hostK6: 'bring',
    });
    expect(abort).toMatchObject([{ when: { name: 'errors', operator: '>', limit: 0.05 }, for: 30_000, after: 60_000 }]);
  });

  test('without a load of its own leaves it to the script', () => {
    const plan = planOf('target: {url: http://localhost}\nworkload: {script: k6.ts}\n');
    expect([plan.load, plan.steady, plan.iterationsPerSecond, plan.requestsPerSecond, plan.endpoints]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      [],
    ]);
  });

  test('in the open model makes what the rate says', () => {
    const plan = planOf(shop.replace('pacing: 1s', 'rate: 600/m'));
    expect([plan.iterationsPerSecond, plan.requestsPerSecond, plan.load?.rate]).toEqual([10, 12, 10]);
  });

  test('has the same hash for the same profile, and another for another', () => {
    expect(planOf(shop).hash).toBe(planOf(shop).hash);
    expect(planOf(shop, ['workload.vus=99']).hash).not.toBe(planOf(shop).hash);
  });

  test('has the same hash wherever the profile lies', () => {
    const loaded = load({ 'test.yaml': shop });
    const elsewhere = { ...loaded.profile, workload: { ...loaded.profile.workload, script: '/ci/build/7/k6.ts' } };
    expect(planHere({ ...loaded, profile: elsewhere }).hash).toBe(planOf(shop).hash);
  });
});

describe('what a run cannot show', () => {
  const warnings = (sla: string, set: string[] = []) => planOf(shop.replace(/sla: .*/, `sla: ${sla}`), set).warnings.map(planWarningText);

  test('one missed probe decides', () => {
    expect(warnings('{availability: 99.9%}')).toEqual([
      'One missed probe of 50 is 98%: availability >= 99.9% allows none in 50s. 16m40s would allow one.',
    ]);
    expect(warnings('{availability: 98%}')).toEqual([]);
    expect(warnings('{availability: 99.9%}', ['workload.ramp=null'])).toEqual([
      'One missed probe of 60 is 98.3%: availability >= 99.9% allows none in 1m. 16m40s would allow one.',
    ]);
  });

  test('a throughput above what the load makes', () => {
    expect(warnings('{throughput: 121/s}')).toEqual(['throughput >= 121/s cannot be met: the load makes at most 120/s.']);
    expect(warnings('{throughput: 120/s}')).toEqual([]);
  });

  test('one failed request of few', () => {
    expect(warnings('{errors: < 1%}', ['workload.vus=2', 'workload.duration=20s'])).toEqual([
      'One failed request of 24 is 4.2%: errors < 1% allows none.',
    ]);
  });

  test('limits for servers that nobody watches', () => {
    expect(planOf(`${shop}critical: {cpu: < 80%, queueDepth: < 1000}\n`).warnings.map(planWarningText)).toEqual([
      'The critical limits (cpu < 80%, queueDepth < 1,000) will not be measured: no monitor provides them.',
    ]);
  });
});

describe('writes that no cleanup reaches', () => {
  const none = shop.replace(/cleanup:\n(?: {2}.*\n)+/, '');

  test('are refused without cleanup', () => {
    const { reason, message, hint } = refusal(none);
    expect(reason).toBe('refused');
    expect(message).toBe('The test writes (POST /payments), and the cleanup reaches none of it: cleanup.rows names no table.');
    expect(hint).toContain('{table: db.reservations, column: user_id}');
  });

  test('are refused with another prefix', () => {
    const { reason, message } = refusal(shop.replace('prefix: load-test-user-', 'prefix: my-own-test-'));
    expect([reason, message]).toEqual(['refused', expect.stringContaining('do not begin with cleanup.prefix "my-own-test-"')]);
  });

  test('are no matter where nothing is written, or there is no database', () => {
    expect(() => planOf(none.replace('POST /payments', 'GET /payments'))).not.toThrow();
    expect(() =>
      planOf(
        none
          .replace(/ {2}db: .*\n/, '')
          .replace(/ {2}users: .*\n/, '')
          .replace('{users.id}', '{n}'),
      ),
    ).not.toThrow();
  });

  test('are reached by the beginning of what every run writes', () => {
    expect(() => planOf(shop.replace('prefix: load-test-user-', 'prefix: load-test-'))).not.toThrow();
  });
});

describe('hosts', () => {
  test.each([
    ['http://example.com/x', 'example.com'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['postgres://u:p@db.example.com:5432/x', 'db.example.com:5432'],
    ['http://prod.example.com/?host=localhost', 'prod.example.com'],
    ['redis://prod.example.com/1?host=localhost', 'prod.example.com'],
    ['postgres://u:${PW}@db/x', 'db'],
    ['${DB_URL}', '${DB_URL}'],
  ])('%s leads to %s', (url, place) => {
    expect(placeText(placeOf(url))).toBe(place);
  });

  test.each([
    ['postgres://localhost/x', 'localhost'],
    ['postgres://localhost:1/x?host=db.example.com&port=2', 'db.example.com:2'],
    ['postgres://localhost/x?host=localhost&host=db.example.com', 'db.example.com'],
    ['postgres://db.example.com/x?hostaddr=127.0.0.1', 'db.example.com'],
    ['postgres://db.example.com/x?host=', 'db.example.com'],
    ['postgres://localhost/x?host=/var/run/postgresql', '/var/run/postgresql'],
    ['postgres://%2Fvar%2Frun/x', '/var/run'],
    ['postgres://[::1]:5433/x', '[::1]:5433'],
    ['${DB_URL}', '${DB_URL}'],
  ])('the database %s is at %s, as pg has it', (url, place) => {
    expect(placeText(databasePlace(url))).toBe(place);
    if (URL.canParse(url)) {
      const { host, port } = new pg.Client({ connectionString: url });
      const known = databasePlace(url);
      expect([known.host, Number(known.port ?? port)]).toEqual([host, port]);
    }
  });

  test.each([
    ['load-1.example.com', 'load-1.example.com'],
    ['root@load-1:2222', 'load-1'],
    ['redis-1:6379', 'redis-1'],
    ['[fe80::1]:6379', 'fe80::1'],
  ])('%s is the machine %s', (machine, host) => {
    expect(machinePlace(machine).host).toBe(host);
  });

  test.each(['localhost', 'LOCALHOST.', 'app.localhost', '127.0.0.1', '127.1.2.3', '::1', '/tmp/.s'])('%s is this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each(['127.0.0.1.example.com', 'localhost.example.com', '0.0.0.0', '10.0.0.1', '${DB_URL}', 'unknown', '::2'])(
    '%s may be elsewhere',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

test('segments cover the test without gaps, in exact fractions', () => {
  expect(cutSegments(1)).toEqual([{ id: '1', segment: '0:1', sequence: '0,1' }]);
  expect(cutSegments(3).map(({ segment }) => segment)).toEqual(['0:1/3', '1/3:2/3', '2/3:1']);
  expect(cutSegments(4)[1]).toEqual({ id: '2', segment: '1/4:1/2', sequence: '0,1/4,1/2,3/4,1' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
      const segments = cutSegments(count);
      expect(segments.map(({ segment }) => segment.split(':')[0]).concat('1')).toEqual(segments[0]?.sequence.split(','));
      expect(segments.slice(1).map(({ segment }) => segment.split(':')[0])).toEqual(
        segments.slice(0, -1).map(({ segment }) => segment.split(':')[1]),
      );
      const [part = 0, whole = 1] = (segments[0]?.segment.split(':')[1] ?? '').split('/').map(Number);
      expect(part * count).toBe(whole);
    }),
  );
});

test('canonical JSON knows no order of keys', () => {
  expect(canonicalJson({ b: 1, a: [{ d: undefined, c: null }] })).toBe('{"a":[{"c":null}],"b":1}');
});
