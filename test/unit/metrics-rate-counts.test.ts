import { describe, expect, test } from 'vitest';
import { type RunnerId, runnerId } from '../../src/core/ids.js';
import { readTotal } from '../../src/metrics/live-total.js';
import { type AskedMetric, amongRunners, countedRate, counterBeside } from '../../src/metrics/rate-counts.js';
import { rateAsker } from '../../src/phases/watch/ask-rates.js';

const counter = (count: number): AskedMetric => ({ type: 'counter', contains: 'default', values: { count, rate: count / 10 } });
const rate = (share: number): AskedMetric => ({ type: 'rate', contains: 'default', values: { rate: share } });
const trend = (avg: number, p95: number): AskedMetric => ({ type: 'trend', contains: 'time', values: { avg, 'p(95)': p95 } });
const noSpan = { low: 0, high: 0 };

describe('what runners say of a metric, as one', () => {
  test('counts add up; a rate without counts and the stats of a trend lie between those of the runners', () => {
    expect(amongRunners([])).toBeUndefined();
    expect(amongRunners([counter(3), counter(4)])).toEqual({ kind: 'counter', contains: 'default', count: 7 });
    expect(amongRunners([rate(0.5), rate(0.1)])).toEqual({ kind: 'share', contains: 'default', low: 0.1, high: 0.5 });
    const total = amongRunners([trend(10, 30), trend(20, 20)]);
    expect(total && readTotal(total, ['p(95)'], noSpan)).toEqual({
      type: 'trend',
      contains: 'time',
      values: { avg: 15, 'p(95)': 25 },
      bounds: { avg: [10, 20], 'p(95)': [20, 30] },
    });
    expect(amongRunners([{ type: 'gauge', contains: 'default', values: { value: 1 } }])).toBeUndefined();
  });

  test('failed requests are counted by the requests, with the same tags', () => {
    expect(counterBeside('http_req_failed{name:GET /a}')).toBe('http_reqs{name:GET /a}');
    expect(counterBeside('checks')).toBeUndefined();
    const parts = [
      { rate: rate(0.25), counter: counter(4) },
      { rate: rate(0), counter: counter(16) },
    ];
    expect(countedRate(parts)).toEqual({ kind: 'rate', contains: 'default', passes: 1, total: 20 });
  });
});

test('runners are asked where series were left out, and not before', async () => {
  const asked: string[] = [];
  const runners = [1, 2].map((n) => {
    const api = {
      checks: async () => [],
      metric: async (key: string) => {
        asked.push(`${n} ${key}`);
        return key === 'http_reqs' ? counter(n * 10) : key === 'http_req_failed' ? rate(n === 1 ? 0 : 0.5) : undefined;
      },
    };
    return { id: runnerId(n), api };
  });
  const excess = { folded: 0, ignored: 0 };
  const ask = rateAsker(runners, { total: () => ({ kind: 'counter', contains: 'default', count: 1 }), excess }, [
    'availability',
    'retries',
  ]);
  const ids: RunnerId[] = runners.map(({ id }) => id);

  expect([...(await ask(ids))]).toEqual([]);
  expect(asked).toEqual([]);
  excess.ignored = 1;
  expect([...(await ask(ids))]).toEqual([['http_req_failed', { kind: 'rate', contains: 'default', passes: 10, total: 30 }]]);
  expect(asked.sort()).toEqual(['1 http_req_failed', '1 http_reqs', '1 retries', '2 http_req_failed', '2 http_reqs', '2 retries']);
});
