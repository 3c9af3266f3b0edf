import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import { readAbort, readCritical, readSla } from '../../src/profile/words/criteria.js';
import { readKey, readTableName, tableText } from '../../src/profile/words/names.js';
import { nearest } from '../../src/profile/words/near.js';
import { parseSize } from '../../src/profile/words/size.js';
import { readTemplate, templateProblem, templateWords } from '../../src/profile/words/template.js';
import { count, duration, percentage, rate, window } from '../../src/profile/words/words.js';

describe('quantities', () => {
  test.each([
    ['duration', duration(), ['1m30s', '250ms', '1.5h', '1d', '0', 0], [90_000, 250, 5_400_000, 86_400_000, 0, 0]],
    ['percentage', percentage(), ['40%', '99.9 %', '100%'], [0.4, 0.999, 1]],
    ['rate', rate(), ['30000/s', '600/m', '1e3/s'], [30_000, 10, 1000]],
    ['count', count(), [5, '1000', '30_000', 1e3], [5, 1000, 30_000, 1000]],
    [
      'window',
      window(),
      ['30s..9m30s', '0..1m'],
      [
        { from: 30_000, to: 570_000 },
        { from: 0, to: 60_000 },
      ],
    ],
  ])('%s', (_, schema, written, read) => {
    expect(written.map((value) => schema.parse(value))).toEqual(read);
  });

  test.each([
    ['duration', duration(), ['1', 5, '1m 30s', '-1s', '', 'soon', true, null]],
    ['percentage', percentage(), ['40', 0.4, '101%', '-1%']],
    ['rate', rate(), ['30000', '1/d', '0/s', '-1/s']],
    ['count', count(), [0, -1, 1.5, '1,000', '_1', '1e400', '']],
    ['window', window(), ['30s', '30s-40s', '..1m', '1s..2s..3s']],
  ])('no %s', (_, schema, written) => {
    expect(written.filter((value) => schema.safeParse(value).success)).toEqual([]);
  });

  test('sizes', () => {
    expect(['512B', '10kB', '1.5 MB', '1GiB', '5', '5 apples'].map(parseSize)).toEqual([
      512,
      10_000,
      1_500_000,
      1_073_741_824,
      undefined,
      undefined,
    ]);
  });
});

const criterion = (of: Partial<Criterion>): Criterion => ({
  name: '',
  source: 'client',
  metric: 'http_req_duration',
  stat: 'rate',
  operator: '<',
  limit: 0,
  unit: 'ms',
  window: 'steady',
  ...of,
});

describe('the SLA', () => {
  test.each<[string, string, Partial<Criterion>]>([
    ['p95', '< 500ms', { stat: 'p(95)', limit: 500 }],
    ['p95', '500', { stat: 'p(95)', limit: 500 }],
    ['p99.9', '<= 1s', { stat: 'p(99.9)', operator: '<=', limit: 1000 }],
    ['med', '0.2s', { stat: 'med', limit: 200 }],
    ['avg', '<100ms', { stat: 'avg', limit: 100 }],
    ['max', '< 1m', { stat: 'max', limit: 60_000 }],
    ['availability', '99.9%', { metric: 'availability', operator: '>=', limit: 0.999, unit: '%' }],
    ['availability', '> 0.99', { metric: 'availability', operator: '>', limit: 0.99, unit: '%' }],
    ['errors', '0.1%', { metric: 'http_req_failed', limit: 0.001, unit: '%' }],
    ['errors', '<= 0', { metric: 'http_req_failed', operator: '<=', limit: 0, unit: '%' }],
    ['throughput', '30000/s', { metric: 'http_reqs', operator: '>=', limit: 30_000, unit: '/s' }],
    ['throughput', '30_000', { metric: 'http_reqs', operator: '>=', limit: 30_000, unit: '/s' }],
    ['throughput', '> 600/m', { metric: 'http_reqs', operator: '>', limit: 10, unit: '/s' }],
  ])('%s: %s', (name, value, of) => {
    expect(readSla(name, value)).toEqual({ criterion: criterion({ name, ...of }) });
  });

  test.each<[string, string, Partial<Criterion>]>([
    ['http_req_duration{name:GET /events}', 'p(99) < 800ms', { stat: 'p(99)', limit: 800 }],
    ['http_req_duration', 'p(95)<500', { stat: 'p(95)', limit: 500 }],
    ['http_req_failed', 'rate < 1%', { limit: 0.01, unit: '%' }],
    ['http_req_failed', 'rate<0.01', { limit: 0.01, unit: '%' }],
    ['checks', 'rate > 0.99', { operator: '>', limit: 0.99, unit: '%' }],
    ['http_reqs', 'rate>=100/s', { operator: '>=', limit: 100, unit: '/s' }],
    ['iterations', 'count > 1_000', { stat: 'count', operator: '>', limit: 1000, unit: '' }],
    ['data_received', 'count < 10MB', { stat: 'count', limit: 10_000_000, unit: 'B' }],
    ['checkout_time', 'p(90) < 2s', { stat: 'p(90)', limit: 2000, unit: 'ms' }],
    ['basket_items', 'avg < 3', { stat: 'avg', limit: 3, unit: '' }],
    ['vus', 'value !=0', { stat: 'value', operator: '!=', limit: 0, unit: '' }],
  ])('%s: %s', (metric, value, of) => {
    expect(readSla(metric, value)).toEqual({ criterion: criterion({ metric, name: `${metric} ${of.stat ?? 'rate'}`, ...of }) });
  });

  test.each<[string, string, Partial<Criterion>]>([
    ['cpu', '< 80%', { limit: 0.8, unit: '%' }],
    ['memory', '85%', { limit: 0.85, unit: '%' }],
    ['queueDepth', '< 1000', { limit: 1000, unit: '' }],
    ['replicationLag', '<= 2s', { operator: '<=', limit: 2000, unit: 'ms' }],
    ['freeDisk', '> 10GB', { operator: '>', limit: 10e9, unit: 'B' }],
  ])('critical %s: %s', (name, value, of) => {
    expect(readCritical(name, value)).toEqual({ criterion: criterion({ name, source: 'server', metric: name, stat: 'value', ...of }) });
  });

  test.each([
    ['cpu', 'p95 < 80%'],
    ['p95 cpu', '< 80%'],
    ['p95 cpu', '80%'],
  ])('critical %s: %s has its statistic in front of either', (name, value) => {
    const of = { name, source: 'server', metric: 'cpu', stat: 'p95', limit: 0.8, unit: '%' } as const;
    expect(readCritical(name, value)).toEqual({ criterion: criterion(of) });
  });

  test.each([
    ['critical: one before each', readCritical('p95 cpu', 'max < 80%')],
    ['critical: a percentile that is none', readCritical('p101 cpu', '< 80%')],
    ['abort: one on each side', readAbort('p95 cpu max > 80%')],
    ['abort: one that servers have not', readAbort('med cpu > 80%')],
    ['abort: a percentile that is none', readAbort('p101 cpu > 80%')],
    ['sla: a statistic alone', readSla('p95', 'p95 < 500ms')],
  ])('%s is a problem', (_, read) => {
    expect(read).toHaveProperty('problem');
  });

  test.each([
    'p95 http_req_duration{name:GET /events} > 2s',
    'p(95) http_req_duration{name:GET /events} > 2s',
    'http_req_duration{name:GET /events} p95 > 2s',
    'http_req_duration{name:GET /events} p(95) > 2s',
  ])('abort when %s is a threshold of k6', (condition) => {
    const metric = 'http_req_duration{name:GET /events}';
    const of = { name: `${metric} p(95)`, metric, stat: 'p(95)', operator: '>', limit: 2000 } as const;
    expect(readAbort(condition)).toEqual({ criterion: criterion(of) });
    const [, key = '', value = ''] = /^(.*\}) ?(.*)$/.exec(condition) ?? [];
    expect(readSla(key, value)).toEqual({ criterion: criterion(of) });
  });

  test.each(['p95 cpu > 90%', 'cpu p95 > 90%', ' p95  cpu>90% '])('abort when %s', (condition) => {
    const of = { name: 'p95 cpu', source: 'server', metric: 'cpu', stat: 'p95', operator: '>', limit: 0.9, unit: '%' } as const;
    expect(readAbort(condition)).toEqual({ criterion: criterion(of) });
  });

  test.each(['my_db.lag avg > 5s', 'avg my_db.lag > 5s'])('abort when %s, of a monitor with an underscore in its name', (condition) => {
    const of = { name: 'avg my_db.lag', source: 'server', metric: 'my_db.lag', stat: 'avg', operator: '>', limit: 5000 } as const;
    expect(readAbort(condition)).toEqual({ criterion: criterion(of) });
  });

  test.each<[string, Partial<Criterion>]>([
    ['errors > 5%', { name: 'errors', metric: 'http_req_failed', operator: '>', limit: 0.05, unit: '%' }],
    ['p99 > 5s', { name: 'p99', stat: 'p(99)', operator: '>', limit: 5000 }],
    ['cpu>95%', { name: 'cpu', source: 'server', metric: 'cpu', stat: 'value', operator: '>', limit: 0.95, unit: '%' }],
    [
      'http_req_duration{name:GET /events} p(99) > 2s',
      {
        name: 'http_req_duration{name:GET /events} p(99)',
        metric: 'http_req_duration{name:GET /events}',
        stat: 'p(99)',
        operator: '>',
        limit: 2000,
      },
    ],
  ])('abort when %s', (condition, of) => {
    expect(readAbort(condition)).toEqual({ criterion: criterion(of) });
  });
});

describe('templates', () => {
  test.each([
    ['user-{n}', 'user-<n 0>'],
    ['{n}-{n+5}{n-7}', '<n 0>-<n 5><n -7>'],
    ['user:{{user-{n}}}', 'user:{user-<n 0>}'],
    ['{{{n}}}', '{<n 0>}'],
    ['a}b', 'a}b'],
    ['plain', 'plain'],
    ['{uuid}x', '<uuid>x'],
    ['{now}', '<now>'],
    ['{pick:a|b c|}', '<pick a,b c,>'],
    ['{int:-3..7}', '<int -3 7>'],
    ['{users.id}', '<ref users id>'],
    ['{users."first name"}', '<ref users first name>'],
    ['{users."a}""b"}', '<ref users a}"b>'],
  ])('%s', (template, read) => {
    const parts = readTemplate(template).map((part) =>
      part.kind === 'text'
        ? part.text
        : `<${Object.values(part)
            .filter((x) => x !== undefined)
            .join(' ')}>`,
    );
    expect([parts.join(''), templateProblem(template)]).toEqual([read, undefined]);
  });

  test.each([
    ['{', 'a `{` that is never closed: expected'],
    ['a{b}', 'unknown template `{b}`: expected'],
    ['{ n }', 'unknown template `{ n }`: expected'],
    ['{{{', 'a `{` that is never closed: expected'],
    ['{int:7..3}', 'unknown template `{int:7..3}`: expected', '; did you mean `{int:3..7}`?'],
  ])('%s is none', (template, problem, meant = '') => {
    expect(templateProblem(template)).toBe(`${problem} ${templateWords}${meant}`);
  });
});

describe('names', () => {
  test.each([
    ['db.users', { store: 'db', table: 'users' }],
    ['db.Sales.Users', { store: 'db', schema: 'Sales', table: 'Users' }],
    ['db.sales."Order.Items"', { store: 'db', schema: 'sales', table: 'Order.Items' }],
    ['db."a ""b""".t', { store: 'db', schema: 'a "b"', table: 't' }],
    ['users', undefined],
    ['db.a.b.c', undefined],
    ['db."a', undefined],
  ])('%s is read as a store, a schema and a table', (text, name) => {
    expect(readTableName(text)).toEqual(name);
    if (name !== undefined) expect(readTableName(tableText(name))).toEqual(name);
  });

  test.each([
    ['cache/user:{n}', { store: 'cache', key: 'user:{n}' }],
    ['cache/a/b', { store: 'cache', key: 'a/b' }],
    ['user:{n}', undefined],
    ['cache/', undefined],
  ])('%s is read as a store, which ends at the first slash, and a key', (text, key) => {
    expect(readKey(text)).toEqual(key);
  });
});

test('the nearest word', () => {
  const words = ['duration', 'ramp', 'rate', 'stores'];
  expect(['duratoin', 'Duration', 'durations', 'store', 'ratee', 'x', 'zebra', 'rmap'].map((word) => nearest(word, words))).toEqual([
    'duration',
    'duration',
    'duration',
    'stores',
    'rate',
    undefined,
    undefined,
    'ramp',
  ]);
});
