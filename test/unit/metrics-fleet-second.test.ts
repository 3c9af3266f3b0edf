import { describe, expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { fleetLook, iterationsOnly } from '../../src/metrics/fleet-look.js';
import { fleetSecond, fleetTotals, nothingYet, remembered } from '../../src/metrics/fleet-second.js';
import { type LiveNumbers, liveNumbers } from '../../src/metrics/live-numbers.js';
import { emptyHistogram } from '../../src/metrics/native-histogram.js';
import type { PushedSeries, Tags } from '../../src/metrics/series.js';

const counter = (name: string, tags: Tags, value: number): PushedSeries => ({
  labels: { name: `${name}_total`, tags },
  value,
});
const gauge = (name: string, value: number): PushedSeries => ({ labels: { name, tags: {} }, value });
/** Requests of one endpoint; each bucket of their durations by its index. */
const requests = (tags: Tags, count: number, failed: number, buckets: Record<number, number>): PushedSeries[] => {
  const positive = new Map(Object.entries(buckets).map(([index, filled]) => [Number(index), filled]));
  return [
    counter('http_reqs', tags, count),
    { labels: { name: 'http_req_failed_rate', tags }, value: failed / count },
    { labels: { name: 'http_req_duration_seconds', tags }, histogram: { ...emptyHistogram, count, positive } },
  ];
};

/** Schema 3: bucket i ends at 2^(i/8) s; shown to a microsecond, rounded outwards. */
const in15ms = { value: 14.977, low: 14.328, high: 15.626 }; // −48
const in31ms = { value: 29.953, low: 28.656, high: 31.251 }; // −40
const in62ms = { value: 59.906, low: 57.312, high: 62.501 }; // −32

const [list, order] = [
  { name: 'GET /list', scenario: 'browse', part: 'steady' },
  { name: 'POST /order', scenario: 'buy', part: 'steady' },
];

/** Two runners, two pushes each; setup() asked once, which is in no iteration and in no scenario. */
function twoSeconds(): { numbers: LiveNumbers; takeSecond: () => void } {
  const numbers = liveNumbers();
  numbers.take(runnerId(1), [...requests(list, 8, 0, { [-48]: 8 }), ...requests({ name: 'GET /token' }, 1, 0, { [-32]: 1 })]);
  numbers.take(runnerId(1), [gauge('vus', 5), counter('iterations', {}, 8)]);
  numbers.take(runnerId(2), [...requests(list, 4, 1, { [-48]: 4 }), gauge('vus', 3), counter('iterations', {}, 4)]);
  return {
    numbers,
    takeSecond: () => {
      numbers.take(runnerId(1), [...requests(list, 20, 2, { [-48]: 20 }), gauge('vus', 6), counter('iterations', {}, 20)]);
      numbers.take(runnerId(2), [...requests(order, 30, 3, { [-40]: 30 }), counter('iterations', {}, 34)]);
    },
  };
}

describe('a second of the fleet', () => {
  test('tells what came in the last seconds, of the fleet, of endpoints and of scenarios', () => {
    const { numbers, takeSecond } = twoSeconds();
    const picks = iterationsOnly(true);
    const first = fleetTotals(numbers, 1000, picks);
    takeSecond();
    const second = fleetTotals(numbers, 3000, picks);
    const told = { totalMs: 60_000, runnersReporting: 2 };

    const { sample } = fleetSecond(second, first, { ...told, recentFrom: remembered(first) });

    const [ms15, ms31] = [in15ms, in31ms].map(({ value }) => ({ p50: value, p95: value, p99: value }));
    expect(sample.second).toEqual(ms31);
    expect(sample.recent).toEqual({ overMs: 2000, requests: 42, failedRequests: 5, ...ms31 });
    expect(sample.endpoints?.map(({ name, recent }) => [name, recent])).toEqual([
      ['POST /order', { requests: 30, failedRequests: 3, ...ms31 }],
      ['GET /list', { requests: 12, failedRequests: 2, ...ms15 }],
      ['GET /token', { requests: 0, failedRequests: 0 }],
    ]);
    expect(sample.scenarios).toEqual([
      { name: 'browse', requests: 12, failedRequests: 2, ...ms15 },
      { name: 'buy', requests: 30, failedRequests: 3, ...ms31 },
    ]);
    const fromStart = fleetSecond(second, first, { ...told, recentFrom: nothingYet }).sample;
    expect(fromStart.recent).toMatchObject({ overMs: 3000, requests: 55, failedRequests: 6 });
  });

  test('does not tell of an endpoint what it cannot know: it was none of the busiest when the last seconds began', () => {
    const numbers = liveNumbers();
    const [count, late] = [200, { name: 'late' }];
    for (let at = 0; at < count; at += 1) numbers.take(runnerId(1), [counter('http_reqs', { name: `at ${at}` }, count - at)]);
    numbers.take(runnerId(1), [counter('http_reqs', late, 1)]);
    const before = fleetTotals(numbers, 1000);
    numbers.take(runnerId(1), [counter('http_reqs', late, 500)]);
    const now = fleetTotals(numbers, 2000);
    const { sample } = fleetSecond(now, before, { totalMs: 60_000, runnersReporting: 1, recentFrom: remembered(before) });
    expect(sample.endpoints?.[0]).toEqual({ name: 'late', requests: 500, requestsPerSecond: 499, failedRequests: 0 });
    expect(sample.endpoints?.[1]?.recent).toEqual({ requests: 0, failedRequests: 0 });
  });

  test('is shown since the start, and kept since the second before', () => {
    const { numbers, takeSecond } = twoSeconds();
    const picks = iterationsOnly(true);
    const first = fleetTotals(numbers, 1000, picks);
    takeSecond();
    const second = fleetTotals(numbers, 3000, picks);

    const { sample, line } = fleetSecond(second, first, { totalMs: 60_000, runnersReporting: 2 });

    const fleet = {
      elapsedMs: 3000,
      totalMs: 60_000,
      vus: 9,
      requests: 55,
      requestsPerSecond: 21,
      failedRequests: 6,
      iterations: 54,
      runnersReporting: 2,
    };
    expect(sample).toEqual({
      type: 'fleet-sampled',
      ...fleet,
      latency: { p50: in31ms, p95: in31ms, p99: in31ms },
      endpoints: [
        { name: 'POST /order', requests: 30, requestsPerSecond: 15, failedRequests: 3, latency: { p50: in31ms, p95: in31ms, p99: in31ms } },
        { name: 'GET /list', requests: 24, requestsPerSecond: 6, failedRequests: 3, latency: { p50: in15ms, p95: in15ms, p99: in15ms } },
        { name: 'GET /token', requests: 1, requestsPerSecond: 0, failedRequests: 0, latency: { p50: in62ms, p95: in62ms, p99: in62ms } },
      ],
      endpointsInAll: 3,
    });
    expect(line).toEqual({
      ...fleet,
      latency: { p50: in31ms, p95: in31ms, p99: in31ms },
      endpoints: {
        'GET /list': { requests: 12, failedRequests: 2, latency: { p50: in15ms, p95: in15ms, p99: in15ms } },
        'POST /order': { requests: 30, failedRequests: 3, latency: { p50: in31ms, p95: in31ms, p99: in31ms } },
      },
      scenarios: {
        browse: { requests: 12, failedRequests: 2, latency: { p50: in15ms, p95: in15ms, p99: in15ms } },
        buy: { requests: 30, failedRequests: 3, latency: { p50: in31ms, p95: in31ms, p99: in31ms } },
      },
    });
  });

  test('without requests is all zeros, and has no latency', () => {
    const { sample, line } = fleetSecond(fleetTotals(liveNumbers(), 1000), nothingYet, { totalMs: 60_000, runnersReporting: 0 });
    const fleet = { elapsedMs: 1000, totalMs: 60_000, vus: 0, requests: 0, requestsPerSecond: 0, failedRequests: 0, iterations: 0 };
    expect(sample).toEqual({ type: 'fleet-sampled', ...fleet, runnersReporting: 0, endpoints: [], endpointsInAll: 0 });
    expect(line).toEqual({ ...fleet, runnersReporting: 0, endpoints: {}, scenarios: {} });
  });

  test('shows the 30 busiest endpoints and how many there are; a line has them all', () => {
    const numbers = liveNumbers();
    for (let n = 1; n <= 40; n += 1) numbers.take(runnerId(1), requests({ name: `/${n}` }, n, 0, { [-48]: n }));
    const { sample, line } = fleetSecond(fleetTotals(numbers, 1000), nothingYet, { totalMs: 60_000, runnersReporting: 1 });
    expect(sample.endpoints?.map(({ name }) => name)).toEqual(Array.from({ length: 30 }, (_, index) => `/${40 - index}`));
    expect(sample.endpointsInAll).toBe(40);
    expect(Object.keys(line.endpoints)).toHaveLength(40);
  });
});

describe('what an abort rule sees', () => {
  const moment = {
    elapsedMs: 5000,
    heardMs: [4200, 4900],
    expected: 2,
    setupMs: 0,
    probes: undefined,
    picks: iterationsOnly(true),
    rates: new Map(),
  };

  test('is what was received since the runner that was heard of longest ago', () => {
    const { numbers } = twoSeconds();
    expect(fleetLook(numbers, moment).seconds).toEqual({ low: 4.2, high: 5 });
    expect(fleetLook(numbers, { ...moment, elapsedMs: 2000, heardMs: [1900] }).seconds).toBeUndefined();
  });

  test('does not end with a runner that falls silent, or is gone', () => {
    const { numbers } = twoSeconds();
    expect(fleetLook(numbers, { ...moment, heardMs: [4900] }).seconds).toEqual({ low: 4.9, high: 5 });
    expect(fleetLook(numbers, { ...moment, heardMs: [] }).seconds).toEqual({ low: 5, high: 5 });
    expect(fleetLook(numbers, { ...moment, heardMs: [] }).inIterations('http_reqs')).toMatchObject({ count: 12 });
    expect(fleetLook(liveNumbers(), moment).inIterations('http_reqs')).toMatchObject({ count: 0 });
    expect(fleetLook(liveNumbers(), moment).total('http_reqs')).toBeUndefined();
  });

  test('counts the time of setup() in the script’s own limits on rates', () => {
    expect(fleetLook(twoSeconds().numbers, { ...moment, setupMs: 3000 }).wholeSeconds).toEqual({ low: 7.2, high: 8 });
  });

  test('leaves out what setup() did, but for counts that have no iteration', () => {
    const look = fleetLook(twoSeconds().numbers, moment);
    expect(look.total('http_reqs')).toEqual({ kind: 'counter', contains: 'default', count: 13 });
    expect(look.inIterations('http_reqs')).toEqual({ kind: 'counter', contains: 'default', count: 12 });
    expect(look.inIterations('vus')).toMatchObject({ kind: 'gauge', low: 8, high: 8 });
  });

  test('takes availability from the probes, from good requests without any', () => {
    const { numbers } = twoSeconds();
    const rate = { kind: 'rate', contains: 'default' };
    expect(fleetLook(numbers, moment).inIterations('availability')).toEqual({ ...rate, passes: 11, total: 12 });
    expect(fleetLook(numbers, { ...moment, probes: { good: 4, total: 5 } }).inIterations('availability')).toEqual({
      ...rate,
      passes: 4,
      total: 5,
    });
    expect(fleetLook(liveNumbers(), moment).inIterations('availability')).toBeUndefined();
  });
});
