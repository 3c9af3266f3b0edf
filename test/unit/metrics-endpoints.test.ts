import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import { makeRunId, runnerId } from '../../src/core/ids.js';
import { thresholdsApart, unnamedParts } from '../../src/metrics/endpoint-metrics.js';
import { measuredNumbers } from '../../src/metrics/endpoint-numbers.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import type { PushedSeries } from '../../src/metrics/series.js';
import type { SummaryMetric } from '../../src/metrics/summary.js';
import { windowFinder } from '../../src/metrics/window.js';

const criterion = (metric: string, stat: string): Criterion => ({
  name: metric,
  source: 'client',
  metric,
  stat,
  operator: '<',
  limit: 1,
  unit: 'ms',
  window: 'steady',
});

describe('what a test tells apart', () => {
  const none = { endpoints: [], criteria: [], thresholds: [], tagged: false };

  test('is each endpoint that the profile, the SLA or a threshold of the script names', () => {
    const apart = thresholdsApart({
      ...none,
      endpoints: ['GET /a'],
      criteria: [criterion('http_req_failed{name:GET /b}', 'rate')],
      thresholds: ['http_req_duration{ name: "POST /c" }', 'http_reqs{name:GET /a,status:200}', 'points{name:all}', 'iterations'],
    });
    expect(Object.keys(apart).filter((key) => key.startsWith('http_reqs'))).toEqual([
      'http_reqs{name:GET /a}',
      'http_reqs{name:GET /b}',
      'http_reqs{name:POST /c}',
    ]);
    expect(apart['http_req_failed{name:POST /c}']).toEqual(['rate>=0']);
  });

  test('is of the judged window where its iterations are tagged', () => {
    const apart = thresholdsApart({ ...none, tagged: true, thresholds: ['http_req_duration{name:POST /c}'] });
    expect(Object.keys(apart)).toEqual([
      'http_req_duration{part:steady}',
      'http_reqs{part:steady}',
      'http_req_failed{part:steady}',
      'iterations{part:steady}',
      'checks{part:steady}',
      'http_req_duration{name:POST /c,part:steady}',
      'http_reqs{name:POST /c,part:steady}',
      'http_req_failed{name:POST /c,part:steady}',
    ]);
  });

  test('never takes the whole test for its window', () => {
    const metrics = { http_reqs: 9, 'http_reqs{part:steady}': 6, 'http_reqs{name:a}': 3 };
    const find = windowFinder(metrics);
    expect([find('http_reqs'), find('http_reqs{name:a}')]).toEqual([6, undefined]);
    expect(windowFinder({ 'http_reqs{name:a}': 3 })('http_reqs{name:a}')).toBe(3);
  });
});

describe('endpoints and scenarios that nobody named', () => {
  const requests = (count: number, tags: Record<string, string>): PushedSeries[] => [
    { labels: { name: 'http_reqs_total', tags }, value: count },
    { labels: { name: 'http_req_failed_rate', tags }, value: 0.5 },
    {
      labels: { name: 'http_req_duration_seconds', tags },
      histogram: { count, sum: count, zeroCount: 0, positive: new Map([[0, count]]), negative: new Map() },
    },
  ];
  const numbers = liveNumbers();
  numbers.take(runnerId(1), [
    ...requests(4, { name: 'GET /a', part: 'steady' }),
    ...requests(6, { name: 'POST /b', part: 'steady', status: '200' }),
    ...requests(2, { name: 'POST /b', part: 'steady', status: '500' }),
    ...requests(8, { name: 'POST /b', part: 'ramp' }),
    ...requests(1, { name: 'GET /list?of=1,2', part: 'steady' }),
  ]);
  const known: SummaryMetric = { type: 'counter', contains: 'default', values: { count: 4 }, bounds: {} };
  const metrics = Object.fromEntries(
    ['http_reqs', 'http_req_failed', 'http_req_duration'].map((name) => [`${name}{name:GET /a,part:steady}`, known]),
  );

  test('are read off the live data, of the judged window alone', () => {
    const found = unnamedParts(numbers, { metrics, durationMs: 4000 }, true);
    expect(Object.keys(found)).toEqual(
      [
        'http_req_duration{name:POST /b,part:steady}',
        'http_reqs{name:POST /b,part:steady}',
        'http_req_failed{name:POST /b,part:steady}',
      ].flatMap((key) => [key, key.replace('POST /b', '"GET /list?of=1,2"')]),
    );
    expect(found['http_reqs{name:POST /b,part:steady}']?.values).toEqual({ count: 8, rate: 2 });
    expect(found['http_req_failed{name:POST /b,part:steady}']?.values).toEqual({ rate: 0.5, passes: 4, fails: 4 });
    const duration = found['http_req_duration{name:POST /b,part:steady}'];
    expect(duration?.values.count).toBe(8);
    expect(duration?.bounds['p(95)']?.[1]).toBeCloseTo(1000);
  });

  test('and of the whole test where nothing is told apart', () => {
    expect(unnamedParts(numbers, { metrics: {}, durationMs: 4000 }, false)['http_reqs{name:POST /b}']?.values.count).toBe(16);
  });
});

test('a name for every URL: the keys of a summary are not read anew for each of them', () => {
  const duration: SummaryMetric = { type: 'trend', contains: 'time', values: { count: 2 }, bounds: {} };
  const names = Array.from({ length: 300 }, (_, n) => `http://shop/product/${n}`);
  const apart = Object.fromEntries(names.map((name) => [`http_req_duration{name:${name}}`, duration]));
  let reads = 0;
  const metrics = new Proxy({ ...apart, http_req_duration: { ...duration, values: { count: 600 } } } as Record<string, SummaryMetric>, {
    ownKeys: (target) => {
      reads += 1;
      return Reflect.ownKeys(target);
    },
  });
  const rootGroup = { name: '', path: '', id: '', groups: [], checks: [] };

  const { endpoints, other } = measuredNumbers({
    version: 1,
    run: makeRunId(0),
    k6Version: '2.2.0',
    runners: 3,
    durationMs: 1000,
    metrics,
    rootGroup,
  });

  expect(endpoints).toHaveLength(30);
  expect(other?.requests).toBe(540);
  expect(reads).toBeLessThan(20);
});
