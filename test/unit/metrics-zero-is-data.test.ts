import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/metrics/evaluate.js';
import type { SummaryMetric } from '../../src/metrics/summary.js';
import { isProblem, parseThreshold } from '../../src/metrics/threshold.js';

const empty: Record<SummaryMetric['type'], SummaryMetric> = {
  counter: { type: 'counter', contains: 'default', values: { count: 0, rate: 0 }, bounds: {} },
  rate: { type: 'rate', contains: 'default', values: { passes: 0, fails: 0 }, bounds: {} },
  gauge: { type: 'gauge', contains: 'default', values: {}, bounds: {} },
  trend: { type: 'trend', contains: 'time', values: { count: 0 }, bounds: {} },
};

describe('a metric without samples', () => {
  test.each<[key: string, type: SummaryMetric['type'], threshold: string, outcome: string]>([
    ['dropped_iterations', 'counter', 'count==0', 'pass'],
    ['http_reqs{status:500}', 'counter', 'count<1', 'pass'],
    ['http_reqs{statsu:200}', 'counter', 'count>0', 'fail'],
    ['errors', 'rate', 'rate<0.05', 'pass'],
    ['errors{kind:odd}', 'rate', 'rate<=0', 'pass'],
    ['errors', 'rate', 'rate==0', 'pass'],
    ['errors', 'rate', 'rate<0', 'fail'],
    ['errors', 'rate', 'rate>0.95', 'no-data'],
    ['errors', 'rate', 'rate!=0', 'no-data'],
    ['checks', 'rate', 'rate<0.1', 'no-data'],
    ['checks{a:b}', 'rate', 'rate>0.9', 'no-data'],
    ['http_req_failed', 'rate', 'rate<0.1', 'no-data'],
    ['http_req_failed{status:500}', 'rate', 'rate<0.1', 'no-data'],
    ['http_req_failed{status:500}', 'rate', 'rate>=0', 'pass'],
    ['http_req_failed{status:500}', 'rate', 'rate<=1', 'pass'],
    ['http_req_failed{status:500}', 'rate', 'rate<1', 'no-data'],
    ['http_req_duration{status:500}', 'trend', 'max>=0', 'pass'],
    ['http_req_duration{status:500}', 'trend', 'p(95)>-1', 'pass'],
    ['http_req_duration{status:500}', 'trend', 'p(95)<500', 'no-data'],
    ['waiting', 'trend', 'avg>0', 'no-data'],
    ['stock', 'gauge', 'value<500', 'no-data'],
  ])('%s (%s) %s: %s', (key, type, threshold, outcome) => {
    const limit = parseThreshold(threshold);
    if (isProblem(limit)) throw new Error(limit.error);
    expect(evaluate(key, limit, empty[type]).outcome).toBe(outcome);
  });

  test('a rate that was never added to says so', () => {
    expect(evaluate('errors', { stat: 'rate', operator: '<', limit: 0.1 }, empty.rate)).toEqual({
      outcome: 'pass',
      measured: { value: 0, low: 0, high: 0 },
      neverAdded: true,
    });
  });

  test('a metric that is not there at all has no data', () => {
    expect(evaluate('errors', { stat: 'rate', operator: '<', limit: 0.1 }, undefined)).toEqual({ outcome: 'no-data' });
  });
});
