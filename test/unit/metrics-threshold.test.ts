import { describe, expect, it } from 'vitest';
import { decide, evaluate, exactly } from '../../src/metrics/evaluate.js';
import { parseGoFloat } from '../../src/metrics/go-float.js';
import { findMetric, metricIdentity, parseMetricName } from '../../src/metrics/metric-key.js';
import type { SummaryMetric } from '../../src/metrics/summary.js';
import {
  hasStat,
  parseScriptThreshold,
  parseThreshold,
  readScriptThresholds,
  scriptCriterion,
  statsOf,
} from '../../src/metrics/threshold.js';
import { windowKey, windowRate } from '../../src/metrics/window.js';

describe('a threshold expression', () => {
  // Each line was given to k6 2.2's own parser.
  it.each([
    ['p(95)<500', 'p(95)', '<', 500],
    ['p(99.90) <  3\n', 'p(99.90)', '<', 3],
    ['p(1e1)<=5', 'p(1e1)', '<=', 5],
    ['p(0x1p2)<5', 'p(0x1p2)', '<', 5],
    ['p<5', 'p(0)', '<', 5],
    ['rate>=0.99', 'rate', '>=', 0.99],
    ['count == 10', 'count', '==', 10],
    ['rate===1', 'rate', '===', 1],
    ['value!=-1', 'value', '!=', -1],
    [' count\u00a0>\t5', 'count', '>', 5],
    ['count\u0085>5', 'count', '>', 5],
    ['med<.5', 'med', '<', 0.5],
    ['avg<1_000', 'avg', '<', 1000],
    ['max<+Inf', 'max', '<', Number.POSITIVE_INFINITY],
  ])('%j is read', (text, stat, operator, limit) => {
    expect(parseThreshold(text)).toEqual({ stat, operator, limit });
  });

  it.each([
    ['count=5', 'no operator', 7],
    ['', 'no operator', 0],
    ['value<', 'no operator', 6],
    ['p( 95)<1', '"p( 95)" is not a percentile', 0],
    ['  p(101)<1', 'not a percentile', 2],
    ['P(95)<1', '"P(95)" is none of', 0],
    ['<5', '"" is none of', 0],
    ['count>5<6', '"count>5" is none of', 0],
    ['count\ufeff>5', 'is none of', 0],
    ['count<>5', '">5" is not a number', 6],
    ['rate<==1', '"=1" is not a number', 6],
    ['p(95) <  500ms', '"500ms" is not a number', 9],
    ['count > ', '"" is not a number', 8],
    ['count>1e999', 'is not a number', 6],
    ['count>0x10', 'is not a number', 6],
    ['count>-nan', 'is not a number', 6],
  ])('%j is refused, with the place', (text, error, at) => {
    expect(parseThreshold(text)).toEqual({ error: expect.stringContaining(error), at });
  });

  it('can have its limit in other words', () => {
    const ms = (text: string) => (text.endsWith('ms') ? Number(text.slice(0, -2)) : undefined);
    expect(parseThreshold('p(99) < 800ms', ms)).toEqual({ stat: 'p(99)', operator: '<', limit: 800 });
  });
});

it.each([
  ['1e3', 1000],
  ['-.5', -0.5],
  ['5.', 5],
  ['1_0.2_5e1_0', 10.25e10],
  ['0x1.8p1', 3],
  ['0X_fp-2', 3.75],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
  ['1e-999', 0],
  ['1__0', undefined],
  ['_1', undefined],
  ['1e_1', undefined],
  ['0x1', undefined],
  ['1e', undefined],
  [' 1', undefined],
  ['', undefined],
])('Go reads the float %j as %s', (text, value) => {
  expect(parseGoFloat(text)).toBe(value);
});

describe("a script's thresholds", () => {
  it('come as texts or with what aborts', () => {
    expect(parseScriptThreshold('rate<0.1')).toMatchObject({ source: 'rate<0.1', abortOnFail: false, delayAbortMs: 0 });
    expect(parseScriptThreshold({ threshold: 'rate<0.1', abortOnFail: true, delayAbortEval: '1m30s' })).toMatchObject({
      abortOnFail: true,
      delayAbortMs: 90_000,
    });
    expect(parseScriptThreshold({ threshold: 'rate<0.1', delayAbortEval: 250 })).toMatchObject({ delayAbortMs: 250 });
    expect(parseScriptThreshold({ threshold: 'rate<0.1', delayAbortEval: null })).toMatchObject({ delayAbortMs: 0 });
    for (const wrong of [{}, 5, null, { threshold: 'rate<0.1', delayAbortEval: 'soon' }, { threshold: 'rate' }]) {
      expect(parseScriptThreshold(wrong)).toHaveProperty('error');
    }
  });

  it('are read all at once, and all their problems told', () => {
    const { byMetric, problems } = readScriptThresholds(
      {
        http_req_duration: ['p(95)<500', { threshold: 'avg<100', abortOnFail: true }, 'rate<1'],
        'http_req_duration{name:a}': ['p(99)<1'],
        'http_req_duration{name}': ['p(99)<1'],
        nobody: ['count>1'],
        checks: ['rate >'],
        iterations: 'count>1',
      },
      { http_req_duration: 'trend', checks: 'rate', iterations: 'counter' },
    );
    expect(byMetric.http_req_duration?.map(({ source }) => source)).toEqual(['p(95)<500', 'avg<100']);
    expect(Object.keys(byMetric)).toContain('http_req_duration{name:a}');
    expect(problems.map(({ metric, source, error }) => `${metric} ${source ?? ''} ${error}`)).toEqual([
      'http_req_duration rate<1 a trend has no rate: it has avg, min, max, med, p(N)',
      'http_req_duration{name}  "name" is not a tag: write tag:value',
      'nobody  there is no metric nobody',
      'checks rate > no operator with a limit: write, for example, p(95)<500',
      'iterations  thresholds are a list',
    ]);
    expect(readScriptThresholds(undefined)).toEqual({ byMetric: {}, problems: [] });
  });

  it('become criteria of the whole test', () => {
    const threshold = parseScriptThreshold('p(99)<800');
    if ('error' in threshold) throw new Error(threshold.error);
    expect(scriptCriterion('http_req_duration{name:GET /events}', threshold, { type: 'trend', contains: 'time' })).toEqual({
      name: 'http_req_duration{name:GET /events} p(99)',
      source: 'script',
      metric: 'http_req_duration{name:GET /events}',
      stat: 'p(99)',
      operator: '<',
      limit: 800,
      unit: 'ms',
      window: 'test',
    });
  });

  it('ask of a metric what its type has', () => {
    expect(statsOf('gauge')).toEqual(['value']);
    expect(hasStat('trend', 'p(99.95)') && hasStat('trend', 'med') && hasStat('counter', 'rate') && hasStat('rate', 'rate')).toBe(true);
    expect(hasStat('rate', 'p(95)') || hasStat('counter', 'value') || hasStat('rate', 'count') || hasStat('gauge', 'med')).toBe(false);
  });
});

describe('a metric key', () => {
  it.each([
    ['http_reqs', { name: 'http_reqs', tags: undefined }],
    [
      'a_b{ c : d ,"e":\'f\'}',
      {
        name: 'a_b',
        tags: [
          ['c', 'd'],
          ['e', 'f'],
        ],
      },
    ],
    ['aa{url:http://x:80/{id}}', { name: 'aa', tags: [['url', 'http://x:80/{id}']] }],
  ])('%s is read', (key, expected) => expect(parseMetricName(key)).toEqual(expected));

  it.each([
    ['a', 0],
    ['1a', 0],
    ['aa{', 2],
    ['aa}', 2],
    ['aa}b{', 2],
    ['aa{b:c}d', 7],
    ['aa{}', 3],
    ['aa{b:c,}', 7],
    ['aa{b:}', 3],
    ['a b{c:d}', 0],
  ])('%s is refused', (key, at) => expect(parseMetricName(key)).toMatchObject({ at }));

  it('is found in whichever spelling', () => {
    const metrics = { 'aa{b:c,d:e}': 1, aa: 2, odd: 3 };
    expect([
      findMetric(metrics, 'aa{ d:"e" ,b:c}'),
      findMetric(metrics, 'aa'),
      findMetric(metrics, 'aa{b:c}'),
      findMetric(metrics, 'toString'),
    ]).toEqual([1, 2, undefined, undefined]);
    expect(metricIdentity('aa{b:c}')).not.toBe(metricIdentity('aa{b:c,d:e}'));
  });

  it.each([
    ['http_req_duration', 'http_req_duration{part:steady}'],
    ['http_req_duration{name:GET /events}', 'http_req_duration{name:GET /events,part:steady}'],
    ['aa{ b:c }', 'aa{b:c,part:steady}'],
    ['aa{part:ramp}', 'aa{part:ramp}'],
    ['dropped_iterations', 'dropped_iterations'],
    ['vus{scenario:a}', 'vus{scenario:a}'],
  ])('%s is %s in the judged window', (key, expected) => expect(windowKey(key)).toBe(expected));
});

it('a counter of the window is divided by the seconds of the window', () => {
  const metric: SummaryMetric = { type: 'counter', contains: 'default', values: { count: 600, rate: 5 }, bounds: {} };
  expect(windowRate(metric, 20_000)).toBe(30);
  expect(windowRate(metric, 0)).toBeUndefined();
  expect(windowRate({ ...metric, type: 'rate' }, 20_000)).toBeUndefined();
});

describe('a limit', () => {
  it.each([
    ['<', 5, 4, 4, 'pass'],
    ['<', 5, 5, 5, 'fail'],
    ['<', 5, 4, 4.9, 'pass'],
    ['<', 5, 4, 5, 'undecided'],
    ['<', 5, 5, 6, 'fail'],
    ['<=', 5, 5, 5, 'pass'],
    ['<=', 5, 4, 6, 'undecided'],
    ['>', 5, 5, 6, 'undecided'],
    ['>=', 5, 5, 6, 'pass'],
    ['==', 5, 5, 5, 'pass'],
    ['===', 5, 4, 6, 'undecided'],
    ['==', 5, 6, 7, 'fail'],
    ['!=', 5, 5, 5, 'fail'],
    ['!=', 5, 4, 6, 'undecided'],
    ['!=', 5, 6, 7, 'pass'],
    ['!=', 5, 5, 6, 'undecided'],
  ] as const)('%s %d over [%d, %d] is %s', (operator, limit, low, high, outcome) => {
    expect(decide(operator, limit, { value: low, low, high })).toBe(outcome);
  });

  it('is held against a stat however it is written', () => {
    const metric: SummaryMetric = {
      type: 'trend',
      contains: 'time',
      values: { count: 3, 'p(99.9)': 7, med: 4 },
      bounds: { 'p(99.9)': [6, 8] },
    };
    const of = (stat: string) => evaluate('waiting', { stat, operator: '<', limit: 7 }, metric);
    expect(of('p(99.90)')).toEqual({ outcome: 'undecided', measured: { value: 7, low: 6, high: 8 } });
    expect(of('p(50)')).toEqual({ outcome: 'pass', measured: exactly(4) });
    expect(of('max')).toEqual({ outcome: 'no-data' });
    expect(evaluate('waiting', { stat: 'max', operator: '<', limit: 7 }, undefined)).toEqual({ outcome: 'no-data' });
  });
});
