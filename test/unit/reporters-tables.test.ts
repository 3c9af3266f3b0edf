import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/receipt.js';
import type { Verdict } from '../../src/core/verdict.js';
import { measuredNumbers } from '../../src/metrics/endpoint-numbers.js';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { renderDoctor } from '../../src/reporters/doctor-table.js';
import { loadPaint, noPaint } from '../../src/reporters/paint.js';
import { renderReceipt } from '../../src/reporters/receipt-table.js';
import { renderSeed } from '../../src/reporters/seed-table.js';
import { renderTable } from '../../src/reporters/table.js';
import { renderVerdict } from '../../src/reporters/verdict-table.js';
import { shorten, textWidth } from '../../src/reporters/width.js';
import { runId } from '../support/ids.js';

const plain = { paint: noPaint };
const lines = (text: string) => `\n${text}`;

const trend = (count: number, p50: number, p95: number, p99: number, spread = 0.001): SummaryMetric => ({
  type: 'trend',
  contains: 'time',
  values: { count, 'p(50)': p50, 'p(95)': p95, 'p(99)': p99 },
  bounds: Object.fromEntries(
    [['p(50)', p50] as const, ['p(95)', p95] as const, ['p(99)', p99] as const].map(([key, value]) => [
      key,
      [value * (1 - spread), value * (1 + spread)],
    ]),
  ),
});
const counter = (count: number): SummaryMetric => ({ type: 'counter', contains: 'default', values: { count, rate: 1 }, bounds: {} });
const rate = (passes: number, fails: number): SummaryMetric => ({
  type: 'rate',
  contains: 'default',
  values: { rate: passes / (passes + fails), passes, fails },
  bounds: {},
});

const summary: Summary = {
  version: 1,
  run: runId('20261123-195601-k3x9q'),
  k6Version: '2.2.0',
  durationMs: 60_000,
  runners: 2,
  metrics: {
    http_reqs: counter(7500),
    'http_reqs{part:steady}': counter(6000),
    'http_req_duration{part:steady}': trend(6000, 8, 412.4, 480),
    'http_req_failed{part:steady}': rate(3, 5997),
    'http_req_duration{name:GET /events,part:steady}': trend(5000, 7, 300, 400),
    'http_reqs{name:GET /events,part:steady}': counter(5000),
    'http_req_failed{name:GET /events,part:steady}': rate(0, 5000),
    'http_req_duration{name:POST /payments,part:steady}': trend(1000, 40, 610, 700, 0.2),
    'http_reqs{name:POST /payments,part:steady}': counter(1000),
    'http_req_failed{name:POST /payments,part:steady}': rate(3, 997),
    'http_req_duration{name:GET /never,part:steady}': { type: 'trend', contains: 'time', values: { count: 0 }, bounds: {} },
  },
  rootGroup: { name: '', path: '', id: '', groups: [], checks: [] },
};

const window = 'steady 5s–55s';
const verdict: Verdict = {
  version: 1,
  run: runId('20261123-195601-k3x9q'),
  verdict: 'fail',
  reasons: ['errors 0.105% (limit < 0.1%).'],
  criteria: [
    {
      name: 'p95',
      source: 'client',
      metric: 'http_req_duration',
      limit: '< 500 ms',
      actual: 412,
      low: 411,
      high: 413,
      unit: 'ms',
      window,
      outcome: 'pass',
    },
    {
      name: 'errors',
      source: 'client',
      metric: 'http_req_failed',
      limit: '< 0.1%',
      actual: 0.00105,
      low: 0.00105,
      high: 0.00105,
      unit: '%',
      window,
      outcome: 'fail',
    },
    {
      name: 'p99.9',
      source: 'client',
      metric: 'http_req_duration',
      limit: '< 480 ms',
      actual: 479.9,
      low: 470,
      high: 490,
      unit: 'ms',
      window,
      outcome: 'undecided',
    },
    {
      name: 'throughput',
      source: 'client',
      metric: 'http_reqs',
      limit: '>= 30,000/s',
      actual: 29_999.7,
      low: 29_999.7,
      high: 29_999.7,
      unit: '/s',
      window,
      outcome: 'fail',
    },
    {
      name: 'cpu',
      source: 'server',
      metric: 'cpu',
      limit: '< 80%',
      actual: null,
      low: null,
      high: null,
      unit: '%',
      window,
      outcome: 'not-measured',
    },
  ],
};

describe('the verdict', () => {
  test('says every criterion with its bounds, why, and every endpoint', () => {
    const measured = measuredNumbers(summary, { from: 5000, to: 55_000 });
    expect(lines(renderVerdict(verdict, measured, plain))).toMatchInlineSnapshot(`
      "
      FAIL  run 20261123-195601-k3x9q · 2 runners, k6 2.2.0 · judged: steady 5s–55s

        criterion   limit        actual              verdict
        p95         < 500 ms     412 ms (411–413)    ✔ pass
        errors      < 0.1%       0.105%              ✖ fail
        p99.9       < 480 ms     479.9 ms (470–490)  ✖ undecided
        throughput  >= 30,000/s  29,999.7/s          ✖ fail
        cpu         < 80%        –                   ○ not measured

        endpoint        requests  req/s  errors            p50               p95               p99
        GET /events        5,000  100/s      0%           7 ms            300 ms            400 ms
        POST /payments     1,000   20/s    0.3%  40 ms (32–48)  610 ms (488–732)  700 ms (560–840)
        GET /never             0    0/s       –              –                 –                 –
        all requests       6,000  120/s   0.05%           8 ms            412 ms            480 ms
      "
    `);
  });

  test('says which window where there are two', () => {
    const [first, ...rest] = verdict.criteria;
    const two = first ? [first, ...rest.slice(0, 1).map((one) => ({ ...one, window: 'whole test 1m' }))] : [];
    expect(lines(renderVerdict({ ...verdict, criteria: two }, undefined, plain))).toMatchInlineSnapshot(`
      "
      FAIL  run 20261123-195601-k3x9q

        criterion  limit     actual            window         verdict
        p95        < 500 ms  412 ms (411–413)  steady 5s–55s  ✔ pass
        errors     < 0.1%    0.105%            whole test 1m  ✖ fail
      "
    `);
  });

  test('goes over several lines where the screen is narrow', async () => {
    const names = ['http_req_duration{name:GET /a/very/long/path} p(95)', 'errors', 'http_req_duration{name:POST /orders} p(99)'];
    const criteria = verdict.criteria.flatMap((one, at) => {
      const name = names[at];
      return name === undefined ? [] : [{ ...one, name, window: at === 0 ? 'whole test 1m' : window }];
    });
    const drawn = (paint: typeof noPaint) => renderVerdict({ ...verdict, criteria }, undefined, { paint, width: 70 });
    const [table = ''] = drawn(noPaint).split('\n\n').slice(1);
    expect(lines(`${table}\n`)).toMatchInlineSnapshot(`
      "
        criterion           limit     actual     window      verdict
        http_req_duration{  < 500 ms  412 ms     whole test  ✔ pass
        name:GET                      (411–413)  1m
        /a/very/long/path}
        p(95)
        errors              < 0.1%    0.105%     steady      ✖ fail
                                                 5s–55s
        http_req_duration{  < 480 ms  479.9 ms   steady      ✖ undecided
        name:POST /orders}            (470–490)  5s–55s
        p(99)

      "
    `);
    expect(stripVTControlCharacters(drawn(await loadPaint(true)))).toBe(drawn(noPaint));
  });

  test('cuts a name that nothing can break', () => {
    const criteria = verdict.criteria.slice(0, 1).map((one) => ({ ...one, name: `my_${'very_'.repeat(12)}long_time p(95)` }));
    const text = renderVerdict({ ...verdict, criteria }, undefined, { ...plain, width: 72 });
    expect(text).toContain('…');
    expect(Math.max(...text.split('\n').slice(1).map(textWidth))).toBeLessThanOrEqual(72);
  });

  test('shows no bounds of percentiles where a narrow screen has no room for them', () => {
    const text = renderVerdict(verdict, measuredNumbers(summary, { from: 5000, to: 55_000 }), { ...plain, width: 80 });
    expect(text).toContain('POST /payments     1,000   20/s    0.3%  40 ms  610 ms  700 ms');
    expect(Math.max(...text.split('\n').map(textWidth))).toBeLessThanOrEqual(80);
  });

  test('has no row of an endpoint whose numbers are not of the judged window', () => {
    const whole = { ...summary, metrics: { ...summary.metrics, 'http_req_duration{name:PUT /whole}': trend(7000, 7, 300, 400) } };
    expect(renderVerdict(verdict, measuredNumbers(whole), plain)).not.toContain('PUT /whole');
    const untold = { ...summary, metrics: { 'http_req_duration{name:PUT /whole}': trend(7000, 7, 300, 400) } };
    expect(renderVerdict(verdict, measuredNumbers(untold), plain)).toMatch(/PUT \/whole +7,000/);
  });

  test('counts the requests of the busiest endpoints one by one, and all others together', () => {
    const many = Array.from({ length: 50 }, (_, at) => [`http_req_duration{name:GET /${at},part:steady}`, trend(at, 7, 8, 9)] as const);
    const metrics = Object.fromEntries(many);
    const text = renderVerdict(
      verdict,
      measuredNumbers({ ...summary, metrics: { 'http_reqs{part:steady}': counter(1225), ...metrics } }),
      plain,
    );
    expect(text).toContain('GET /20 ');
    expect(text).not.toContain('GET /19 ');
    expect(text).toMatch(/other requests +190 +3.17\/s +– +– +– +–\n {2}all requests +1,225/);
    const { 'http_req_duration{name:POST /payments,part:steady}': _, ...known } = summary.metrics;
    const three = renderVerdict(verdict, measuredNumbers({ ...summary, metrics: known }), plain);
    expect(three).toMatch(/other requests +1,000 +16.7\/s +0.3% /);
  });

  test('is coloured only when asked', async () => {
    expect(renderVerdict(verdict, undefined, plain)).not.toContain('\x1b');
    expect(renderVerdict(verdict, undefined, { paint: await loadPaint(true) })).toContain('\x1b[31m');
  });
});

const receipt: Receipt = {
  version: 2,
  environment: 'dev',
  dryRun: false,
  startedAt: '2026-11-23T19:57:00.000Z',
  finishedAt: '2026-11-23T19:57:02.000Z',
  by: { user: 'ann', host: 'laptop' },
  rows: [
    {
      store: 'db',
      shard: null,
      host: '127.0.0.1',
      database: 'app',
      role: 'app',
      table: 'payments',
      which: 'by way of reservations',
      deleted: 1234,
      left: 0,
    },
    {
      store: 'db',
      shard: 2,
      host: '127.0.0.1',
      database: 'app',
      role: 'app',
      table: 'reservations',
      which: 'user_id begins with "load-test-user-"',
      deleted: 3,
      left: 2,
    },
  ],
  keys: [{ what: 'keys', store: 'cache', node: '127.0.0.1:6379', database: 1, which: 'all', deleted: 12, left: 0 }],
  others: [
    { store: 'db', shard: null, table: 'users', before: 1000, after: 1000 },
    { store: 'db', shard: null, table: 'events', before: 5, after: 7 },
    { store: 'db', shard: null, table: 'seats', before: null, after: 7 },
  ],
  statements: [{ store: 'db', shard: 2, sql: 'DELETE FROM reservations\n  WHERE user_id LIKE $1', rows: 3, ms: 4 }],
  lines: [
    { kind: 'left', store: 'db', shard: 2, what: 'db.reservations', count: 2, why: 'a trigger keeps them' },
    {
      kind: 'left',
      store: 'db',
      shard: null,
      what: 'users (db.users)',
      count: 3,
      why: 'changed since the seed: row 3 (id "user-3"), …',
      command: 'loadctl seed --env dev --reset',
    },
    { kind: 'unknown', store: null, shard: null, what: 'rows of others', count: null, why: 'db: its replica is more than 30 s behind' },
    { kind: 'kept', store: 'cache', shard: null, what: 'logins (cache/user:{users.id})', count: 1000 },
    { kind: 'kept', store: 'db', shard: 1, what: 'events (db.events)', count: null },
  ],
  proven: false,
  notes: ['the profile has no cleanup'],
};

test('the receipt says what is left, and whose rows changed', () => {
  expect(lines(renderReceipt(receipt, plain))).toMatchInlineSnapshot(`
    "
    NOT PROVEN  test data may remain  dev · 2026-11-23T19:57:02.000Z · ann on laptop

      what          where                             which                                  deleted  left
      payments      db on 127.0.0.1 as app            by way of reservations                   1,234     0
      reservations  db[2] on 127.0.0.1 as app         user_id begins with "load-test-user-"        3     2
      keys          cache on 127.0.0.1:6379, index 1  all                                         12     0

      rows of others  where  before  after
      users           db      1,000  1,000  unchanged
      events          db          5      7  +2
      seats           db          –      7  not counted before

      ✖ left: 2 of db.reservations on shard 2: a trigger keeps them
      ✖ left: 3 of users (db.users): changed since the seed: row 3 (id "user-3"), …
          → loadctl seed --env dev --reset
      ? not proven: rows of others: db: its replica is more than 30 s behind
      · seeded: kept  1,000 of logins (cache/user:{users.id})
      · seeded: kept  what is there of events (db.events) on shard 1

      ! the profile has no cleanup
    "
  `);
});

test('a receipt of a profile that declares no test data proves nothing clean', () => {
  const empty = { ...receipt, rows: [], keys: [], others: [], lines: [], proven: true };
  const shown = renderReceipt(empty, plain);
  expect(shown).toContain('NOTHING TO CLEAN UP  this profile declares no test data');
  expect(shown).not.toContain('CLEAN  ');
});

test('a receipt goes over several lines where the screen is narrow', () => {
  const [table] = renderReceipt(receipt, { ...plain, width: 80 })
    .split('\n\n')
    .slice(1);
  expect(lines(`${table}\n`)).toMatchInlineSnapshot(`
    "
      what          where                    which                   deleted  left
      payments      db on 127.0.0.1 as app   by way of reservations    1,234     0
      reservations  db[2] on 127.0.0.1 as    user_id begins with           3     2
                    app                      "load-test-user-"
      keys          cache on                 all                          12     0
                    127.0.0.1:6379, index 1
    "
  `);
});

test('so does its second table, in its colours', async () => {
  const others = receipt.others.map((one) => ({ ...one, node: 'primary-2.cluster.example.com:6379' }));
  const drawn = (paint: typeof noPaint) =>
    renderReceipt({ ...receipt, others }, { paint, width: 60 })
      .split('\n\n')
      .slice(2, 3)
      .join('');
  expect(lines(`${drawn(noPaint)}\n`)).toMatchInlineSnapshot(`
    "
      rows    where                     before  after
      of
      others
      users   db on                      1,000  1,000  unchanged
              primary-2.cl…le.com:6379
      events  db on                          5      7  +2
              primary-2.cl…le.com:6379
      seats   db on                          –      7  not
              primary-2.cl…le.com:6379                 counted
                                                       before
    "
  `);
  const colours = await loadPaint(true);
  expect(drawn(colours)).toContain(colours.faint('before'));
  expect(stripVTControlCharacters(drawn(colours))).toBe(drawn(noPaint));
});

test('a receipt that proves says so, a dry run never does', () => {
  expect(renderReceipt({ ...receipt, version: 1 as never }, plain)).toBe(
    '  ! This receipt is of version 1; this loadctl shows version 2.\n',
  );
  expect(renderReceipt({ ...receipt, proven: true }, plain)).toContain('CLEAN  nothing of the test is left');
  const dryRun = renderReceipt({ ...receipt, dryRun: true }, plain);
  expect(dryRun).toContain('DRY RUN  nothing was changed');
  expect(dryRun).toContain('db[2]: DELETE FROM reservations WHERE user_id LIKE $1');
});

test('the seed report says rows and speed', () => {
  const seeded = [
    {
      set: 'users',
      store: 'db',
      shard: 0,
      what: 'users',
      created: 500,
      alreadyThere: 0,
      conflicts: 0,
      elapsedMs: 1234,
      rowsPerSecond: 405.2,
    },
    {
      set: 'logins',
      store: 'cache',
      shard: null,
      what: 'user:user-{n}',
      created: 0,
      alreadyThere: 1000,
      conflicts: 0,
      elapsedMs: 40,
      rowsPerSecond: 25_000,
    },
  ];
  expect(lines(renderSeed(seeded, plain))).toMatchInlineSnapshot(`
    "
    SEEDED  500 rows created, 1,000 already there

      set     store  what           created  already there  conflicts  seconds  rows/s
      users   db[0]  users              500              0          0      1.2     405
      logins  cache  user:user-{n}        0          1,000          0      0.0  25,000
    "
  `);
  const narrow = renderSeed(
    seeded.map((one) => ({ ...one, what: `${one.what} of everybody`, rowsPerSecond: 250_000 })),
    { ...plain, width: 70 },
  );
  expect(lines(narrow)).toMatchInlineSnapshot(`
    "
    SEEDED  500 rows created, 1,000 already there

      set     store  what          created  already  conflicts  seconds   rows/s
                                              there
      users   db[0]  users of          500        0          0      1.2  250,000
                     everybody
      logins  cache  user:u…r-{n}        0    1,000          0      0.0  250,000
                     of everybody
    "
  `);
  expect(renderSeed([], plain)).toBe('SEEDED  nothing: the profile has no seed\n');
});

test('doctor says what to do about what is low', () => {
  const text = renderDoctor(
    [
      { what: 'k6', state: 'good', said: '2.2.0 at /usr/bin/k6', more: 'it is on your PATH' },
      { what: 'open files', state: 'low', said: '1,024', more: 'ulimit -n 65535' },
    ],
    plain,
  );
  expect(lines(text)).toMatchInlineSnapshot(`
    "
      k6          ✔ 2.2.0 at /usr/bin/k6
                    it is on your PATH
      open files  ! 1,024
                    ulimit -n 65535
    "
  `);
});

test('a table leaves out columns that are empty everywhere', () => {
  expect(
    renderTable(
      [{ title: 'a' }, { title: 'b' }, { title: 'c', align: 'right' }],
      [
        ['x', '', '1'],
        ['yy', '', '10'],
      ],
      plain,
    ),
  ).toEqual(['  a    c', '  x    1', '  yy  10']);
});

test('a cell that holds a whole page makes no column as wide as a page', () => {
  const rows = renderTable(
    [{ title: 'name' }, { title: 'n' }],
    [
      ['x'.repeat(100_000), '1'],
      ['y', '2'],
    ],
    plain,
  );
  expect(rows.map(({ length }) => length)).toEqual([405, 405, 405]);
  expect(rows[1]).toMatch(/^ {2}x+…x+ {2}1$/);
});

test('a text is shortened in its middle', () => {
  expect(shorten('abcdefghij', 5)).toBe('ab…ij');
  expect(shorten('abc', 5)).toBe('abc');
  expect(shorten('一二三四五', 10)).toBe('一二三四五');
  expect(shorten('一二三四五', 9)).toBe('一二…四五');
  expect(shorten('一二三四五', 8)).toBe('一二…五');
  expect(textWidth(shorten(`${'漢'.repeat(1_000_000)}x`, 20))).toBeLessThanOrEqual(20);
  expect(shorten('e\u0301'.repeat(10), 5)).toBe('e\u0301e\u0301…e\u0301e\u0301');
});
